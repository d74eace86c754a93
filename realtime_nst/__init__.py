"""Real-time style transfer.

    from realtime_nst import Stylizer
    stylizer = Stylizer(style="wave")
    painted = stylizer(image)                # uint8 RGB (height, width, 3), of any size

`Stylizer.session()` paints films and cameras, `paint_video()` whole files, and `styles()` lists the styles; docs/python.md has
examples. These names load what they need when they are first used.

Inside it is `Source -> Stylizer -> Sink`; each package has a map of its own,
and imports run down only (tests/test_architecture.py):

    cli/         the command line
    api.py       what other programs use
    benchmark/   how fast it is
    control/     a show steered from outside         studio/      the page
    cluster/     films on many machines
    live/        the live show                       jobs/        films from end to end
    inputs/      where live frames come from         outputs/     where they go
    painting/    pictures in, paintings out
    engines/     models compiled and run             networks/    the Keras models
    style/       what a style is                     media/       files and pictures
    exporting/   the network for other programs
    pipeline/    the loop and its threads
    frames.py    Frame, Source, Sink; the arithmetic of sizes
    errors.py    what can go wrong
    files.py     files written whole or not at all; folders.py where a user's are

`realtime_nst.train` (the folder `train/` of a checkout) produces styles, `realtime_nst.weights` (`weights/`) holds
the shipped ones.
"""

__version__ = "0.2.0"

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime_nst.api import Outcome, Progress, Session, Stylizer, paint_video, styles
    from realtime_nst.errors import BackendError, DiskFullError, NSTError, SinkError, SourceError, StyleError, TrainingError
    from realtime_nst.style.look import Look

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
    module = "style.look" if name == "Look" else "errors" if name.endswith("Error") else "api"
    value = getattr(import_module(f"realtime_nst.{module}"), name)
    globals()[name] = value
    return value
