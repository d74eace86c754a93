"""A `Stylizer` on an engine: what paints, put together. Keras is imported when something is compiled."""

from functools import partial

from realtime_nst.backend import Backend
from realtime_nst.engine import build_engine
from realtime_nst.hold import build_hold_engine
from realtime_nst.retouch import build_retouch_engine
from realtime_nst.stylizer import Stylizer


def load_stylizer(backend: Backend) -> Stylizer:
    """A stylizer whose networks, holds and retouches run on a backend."""
    return Stylizer(
        partial(build_engine, backend=backend),
        partial(build_retouch_engine, backend=backend),
        partial(build_hold_engine, backend=backend),
    )
