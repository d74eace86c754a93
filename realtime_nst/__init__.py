"""Real-time style transfer: `Source -> Stylizer -> Sink`.

    cli.py           flags, exit codes; commands.py and video_command.py do what they say
    app.py           the loop; stage.py its threads, controls.py the user's wishes, stats.py the speed
    video.py         Frame, Source, Sink; sources.py and sinks.py are the two ends, photos.py still pictures
    painting.py      one video file from end to end; wishes.py how, painter.py its frames, stylepath.py their styles
    probing.py       what is in a file; decoding.py its frames, footage.py those between two moments, timing.py when
    encoding.py      frames into a file; encoders.py by what, rawstream.py through which pipe, colours.py in which colours
    segments.py      what is painted, kept in pieces; workfolder.py where they lie, joining.py how they become a file
    containers.py    what a kind of file holds; outputs.py names of files, progress.py how far it is
    ffmpeg.py        the process behind all that
    stylizer.py      Frame -> Frame; engine.py compiles, backend.py chooses on what
    openvino_engine.py  on processors; modelcache.py keeps what was compiled, buffers.py memory for pictures
    network.py       the transform network in Keras; architecture.py its shape in numbers
    stylebook.py     finding and mixing styles; styles.py what they are, weightfile.py their files
    bench.py         how fast it is; roofline.py how fast it could be, benchchart.py both as a picture
    overlay.py       text over the preview; interrupt.py Ctrl-C; errors.py what can go wrong

`realtime_nst.train` (the folder `train/` of a checkout) produces styles, `realtime_nst.weights` (`weights/`) holds
the shipped ones.
"""

__version__ = "0.1.0"
