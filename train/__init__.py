"""Training: from a folder of photos and one or more paintings to style files.

    command.py   the command: flags to a job, and a progress bar
    recipes.py   what is trained and with which numbers
    dataset.py   photos -> batches, each photo with a moved, noisy copy
    losses.py    the perceptual loss: content, style, total variation, temporal stability
    model.py     what is trained: network, style vectors and loss
    sampler.py   which styles a step sees
    checkpoint.py  saving and continuing a run; recovery.py goes back from a loss that ran away
    trainer.py   the steps, previews and the files at the end

Nothing of the application imports it except the command `realtime-nst train`.
"""
