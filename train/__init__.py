"""Training: from a folder of photos and one or more paintings to style files.

    command.py   the command: flags to a job, and a progress bar
    recipes.py   what is trained and with which numbers
    dataset.py   photos -> batches, each photo with a moved, noisy copy
    losses.py    the perceptual loss: content, style, total variation, temporal stability
    trainer.py   the steps, checkpoints, previews and the files at the end

Nothing of the application imports it except the command `realtime-nst train`.
"""
