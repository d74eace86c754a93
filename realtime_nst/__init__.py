"""Real-time style transfer: `Source -> Stylizer -> Sink`.

    cli.py           flags, exit codes; commands.py, webcam.py, checks.py do what they say; flags.py the live flags
    app.py           the loop; stage.py its threads, keys.py and controls.py the user's wishes, stats.py the speed
    video.py         Frame, Source, Sink; sources.py and sinks.py are the two ends, photos.py still pictures
    cameras.py       cameras; devices.py their names, doctor.py what else a live show needs
    window.py        the window; visibility.py whether it is seen, overlay.py text over it
    aside.py         a sink on a thread of its own: recorder.py, streaming.py, virtualcamera.py; snapshots.py pictures
    ffmpeg.py        video files in and out
    live.py          Frame -> Frame as the user wishes; pace.py and upscale.py its size, settings.py its memory
    look.py          colours, stability, strength; retouch.py computes them; crossfade.py between styles
    stylizer.py      picture -> picture; engine.py compiles, backend.py chooses on what
    network.py       the transform network in Keras; architecture.py its shape in numbers
    stylebook.py     finding and mixing styles; styles.py what they are, weightfile.py their files
    interrupt.py     Ctrl-C; opencv.py OpenCV, where it loads; errors.py what can go wrong

`realtime_nst.train` (the folder `train/` of a checkout) produces styles, `realtime_nst.weights` (`weights/`) holds
the shipped ones.
"""

__version__ = "0.1.0"
