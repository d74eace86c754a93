"""A `Stylizer` on an engine: what paints, put together. Keras is imported when something is compiled."""

from functools import partial

from realtime_nst.backend import Backend
from realtime_nst.engine import build_engine
from realtime_nst.hold import HoldEngine
from realtime_nst.retouch import RetouchEngine
from realtime_nst.runner import runner_for
from realtime_nst.stylizer import Stylizer


def load_stylizer(backend: Backend) -> Stylizer:
    """A stylizer whose networks, holds and retouches run on a backend."""
    runner = runner_for(backend)
    return Stylizer(
        partial(build_engine, runner=runner), partial(RetouchEngine, runner=runner), partial(HoldEngine, runner=runner)
    )
