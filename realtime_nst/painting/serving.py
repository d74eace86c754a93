"""A `Stylizer` on an engine, put together, and what finds the style vectors of pictures. Keras is imported when it compiles."""

from collections.abc import Callable
from functools import partial

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.interface import Runner
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.painting.stylizer import Stylizer


def load_stylizer(backend: Backend) -> Stylizer:
    """A stylizer whose networks, stabilizers and recolours run on a backend."""
    runner = runner_for(backend)
    return Stylizer(
        partial(build_engine, runner=runner, at_once=backend.at_once),
        partial(RecolourEngine, runner=runner),
        partial(StabilizerEngine, runner=runner),
        backend.at_once,
    )


def load_encoder(choose: Callable[[], Backend]) -> PictureEncoder:
    """What computes the style vectors of pictures on a backend, which is chosen when the first picture comes."""

    def runner() -> Runner:  # a vector is no work for a device of its own
        backend = choose()
        return runner_for(Backend(backend.keras, backend.precision, backend.gpu and backend.keras == backend.name))

    return PictureEncoder(runner)
