"""Training: from a folder of photos and one or more paintings to style files, and to their figures.

    command.py   the command: flags to a job; bar.py is its progress bar
    job.py       a run as the user wants it, and the checks before it begins
    recipes.py   what is trained and with which numbers
    dataset.py   photos -> batches, each photo with a moved, noisy copy; camera_noise.py makes the noise
    collection.py  paintings -> batches, for the style encoder
    losses.py    the terms of the perceptual loss: content, style, total variation, temporal stability, grid
    learner.py   a network and its style vectors, as the loop knows them
    model.py     what is trained: network, style vectors and loss; encoded.py adds a style encoder
    encoder_model.py  a style encoder that learns on by itself; sight.py how it learns to see
    growth.py    which architecture is trained, and how an older body becomes one of it
    build.py     all of it at its start
    style_sampler.py  which styles a step sees
    loop.py      the steps, whatever learns
    checkpoint.py  saving and continuing a run; recovery.py goes back from a loss that ran away
    processes.py  one training in several processes, which share every batch; meeting.py lets them find each other
    training_log.py  previews, loss curves, TensorBoard
    trainer.py   the checks before the steps, and the files after them
    prediction.py  where the vectors of pictures start, as a style encoder says
    refine.py    the process beside a show that makes the style of a picture better

from style files to smaller ones:

    distil_command.py  the command `distil`
    pruning.py   a body cut to a narrower one
    distil.py    the narrow one taught by the wide one

and from style files to figures that say how good they are:

    evaluate_command.py  the command `evaluate`; report.py is its table, JSON and contact sheet
    evaluate.py  all figures of a style
    stability.py  flicker and sharpness; flow.py reads frames with true motion
    serving_precision.py  what the precision of the serving engine costs
    reference.py  a network against image optimization

both also on many machines:

    share.py     commands for the workers of a cluster, and what comes back

from a photo to the best picture there is, slowly:

    optimize.py  Gatys et al.'s image optimization; optimize_command.py is its command
    polish.py    the same from what a network painted; polish_command.py is `--polish` of the command `image`
    objective.py  the loss of one picture, and its gradient; tiles.py cuts large ones
    search.py    L-BFGS

Nothing of the application imports it except the commands `train`, `distil`, `evaluate`, `optimize`, and `image` for `--polish`;
a show starts `refine.py` as a process of its own.
"""
