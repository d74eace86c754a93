"""Real-time style transfer.

    from realtime_nst import Stylizer
    stylizer = Stylizer(style="wave")
    painted = stylizer(image)                # uint8 RGB (height, width, 3), of any size

`Stylizer.session()` paints films and cameras, `paint_video()` whole files, and `styles()` lists the styles; docs/python.md has
examples. These names load what they need when they are first used. Inside it is `Source -> Stylizer -> Sink`:

    api.py           what other programs use

    cli.py           flags, exit codes; arguments.py flags that commands share
    commands.py      does what they say; imaging.py for photos
    app.py           the loop; stage.py its threads, stats.py the speed, keys.py and controls.py the user's wishes
    video.py         Frame, Source, Sink; sources.py and sinks.py are the two ends
    videofiles.py    which files are videos, and what others are
    photos.py        still pictures in and out: picturefile.py opens one, depth.py makes eight bits of any others,
                     remarks.py is what it says of itself, photofiles.py which files are photos
    files/           video files, from any to any: its own map is in files/__init__.py
    live/            the live show: its own map is in live/__init__.py
    stream.py        one stream of pictures, and what is held from each to the next
    interface.py     what a stylizer is put together from
    stylizer.py      picture -> picture; engine.py is the network for it, serving.py puts both together
    runner.py        compiles models and runs them; backend.py chooses on what
    openvino_runner.py  on processors; modelcache.py keeps what was compiled, buffers.py memory for pictures
    tensorflow_runner.py  with TensorFlow; jax_runner.py with JAX
    strips.py        large pictures in little memory, on processors; strip_network.py is the network cut for them
    look.py          colours, strength, stability: the numbers
    retouch.py       strength and colours behind the network; retouch_network.py is its graph
    hold.py          stability: photos held still before the network; hold_network.py is its graph
    faint.py         frames that show hardly anything are painted as faintly
    brush.py         style and look together, for files and photos
    network.py       the transform network in Keras; architecture.py its shape in numbers
    stylebook.py     finding and mixing styles; style.py what one is, weightfile.py their files, crossfade.py between them
    bench.py         how fast it is; benching.py the command, roofline.py how fast it could be, benchchart.py both as a picture
    results.py       small files out; settings.py what is remembered, folders.py where; opencv.py OpenCV where it loads
    addresses.py     network addresses: what tells them from files, how they are shown
    interrupt.py     Ctrl-C; errors.py what can go wrong

`realtime_nst.train` (the folder `train/` of a checkout) produces styles, `realtime_nst.weights` (`weights/`) holds
the shipped ones.
"""

__version__ = "0.1.0"

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime_nst.api import Outcome, Progress, Session, Stylizer, paint_video, styles
    from realtime_nst.errors import BackendError, DiskFullError, NSTError, SinkError, SourceError, StyleError, TrainingError
    from realtime_nst.look import Look

__all__ = [
    "BackendError",
    "DiskFullError",
    "Look",
    "NSTError",
    "Outcome",
    "Progress",
    "Session",
    "SinkError",
    "SourceError",
    "StyleError",
    "Stylizer",
    "TrainingError",
    "__version__",
    "paint_video",
    "styles",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for, so that `import realtime_nst` costs nothing."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'realtime_nst' has no attribute {name!r}")
    module = "look" if name == "Look" else "errors" if name.endswith("Error") else "api"
    value = getattr(import_module(f"realtime_nst.{module}"), name)
    globals()[name] = value
    return value
