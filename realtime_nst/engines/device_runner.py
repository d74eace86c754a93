"""Which device paints: checked by a test picture, measured and remembered; and left for the processor when it fails.

All devices here take NumPy's arrays and give them, so that programs of several work together. What holds photos still and
recolours them stays on the processor: the network is what takes long.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import Backend, openvino_devices
from realtime_nst.engines.cache import cache_folder, model_key
from realtime_nst.engines.interface import Program, Runner
from realtime_nst.errors import StyleError
from realtime_nst.files import whole

if TYPE_CHECKING:
    import keras

MEASURED_FOR, LEAST_FRAMES = 1.0, 3
"""Seconds that a device is measured for, and the fewest frames."""
LEAST_LIKENESS = 35.0
"""Decibels between a test picture in half precision and in float32, from which on half precision is right."""

log = logging.getLogger(__name__)


class DeviceRunner:
    """`Runner` on one of several devices, or on another one than the processor.

    Args:
        candidates: What may run networks; if there are several, they are measured once for each network and size.
        processor: What runs networks where the candidates fail, and everything else.
        runner_for: Makes the runner of one.
    """

    def __init__(self, candidates: Sequence[Backend], processor: Backend, runner_for: Callable[[Backend], Runner]) -> None:
        self._candidates, self._processor, self._runner_for = candidates, processor, runner_for
        self._beside = runner_for(processor)
        self.in_strips = self._beside.in_strips
        self._failed = set[Backend]()
        self.upload, self.download = self._beside.upload, self._beside.download

    def compile(self, build: Callable[[], "keras.Model"], *facts: object, float32: bool = False, at_once: int = 1) -> Program:
        """On the candidate that is remembered, else on the fastest, else on the processor; see `Runner.compile`."""

        def on_processor() -> Program:
            return self._beside.compile(build, *facts, float32=float32)

        if float32 or facts[0] == "part":  # of a large picture, which is painted in strips
            return on_processor()
        candidates = [backend for backend in self._candidates if backend not in self._failed]
        key = model_key("device", openvino_devices(), *map(str, self._candidates), *facts)
        remembered = [backend for backend in candidates if str(backend) == winners().get(key)]
        found = {}
        for backend in remembered or candidates:
            if backend == self._processor:
                found[backend] = on_processor()
            elif (program := self._checked(backend, build, facts)) is not None:
                found[backend] = program
        if len(found) > 1:
            found = self._fastest(found, key)
        for backend, program in found.items():
            return program if backend == self._processor else WithFallback(program, on_processor, partial(self._left, backend))
        return on_processor()

    def _checked(self, backend: Backend, build: Callable[[], "keras.Model"], facts: Sequence[object]) -> Program | None:
        """A network on a device; in float32 where half precision comes out wrong; `None` where it does not run there."""
        try:
            program = self._runner_for(backend).compile(build, *facts)
            inputs = trial_inputs(program.shapes)
            (painted,) = program(inputs)
            if backend.precision == "float32":
                return program
            exact = self._runner_for(replace(self._processor, precision="float32")).compile(build, *facts)
            (expected,) = exact(inputs)
            if (found := likeness(painted, expected)) >= LEAST_LIKENESS:
                return program
            log.warning("%s paints wrongly here (%.0f dB); it goes on in float32.", backend, found)
            return self._checked(replace(backend, precision="float32"), build, facts)
        except StyleError:
            raise
        except Exception as error:  # each driver has exceptions of its own
            self._left(backend, error)
            return None

    def _fastest(self, found: Mapping[Backend, Program], key: str) -> dict[Backend, Program]:
        """The fastest of several, which is told and remembered."""
        times: dict[Backend, float] = {}
        for backend, program in found.items():
            try:
                times[backend] = milliseconds(program)
            except Exception as error:  # as above
                self._left(backend, error)
        if not times:
            return {}
        best = min(times, key=times.__getitem__)
        words = "; ".join(f"{backend}: {taken:.1f} ms a frame" for backend, taken in times.items())
        log.warning("Measured once: %s. From now on %s paints this size; `--device` chooses another.", words, best)
        remember(key, str(best))
        return {best: found[best]}

    def _left(self, backend: Backend, error: Exception) -> None:
        """Say that a device failed, and leave it alone from now on."""
        self._failed.add(backend)
        words = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        log.warning("%s failed: %s. The show goes on without it.", backend, words)


class WithFallback:
    """A program that goes on elsewhere once its device fails.

    Args:
        program: On the device.
        elsewhere: Compiles the same for the processor.
        tell: Is told of the error.
    """

    def __init__(self, program: Program, elsewhere: Callable[[], Program], tell: Callable[[Exception], None]) -> None:
        self.shapes = program.shapes
        self._program, self._elsewhere, self._tell = program, elsewhere, tell
        self._failed = False

    def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        if not self._failed:
            try:
                return self._program(inputs)
            except Exception as error:  # each driver has exceptions of its own
                self._tell(error)
                self._program, self._failed = self._elsewhere(), True
        return self._program(inputs)


def trial_inputs(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """What a transform network is tried with: a soft slope with noise on it, a middling style and its field."""
    rng = np.random.default_rng(0)
    inputs: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        if name == "images":
            slope = np.linspace(20, 220, shape[2])[:, None] + rng.normal(0, 10, shape)
            inputs[name] = np.clip(slope, 0, 255).astype(np.uint8)
        else:
            inputs[name] = rng.normal(0.5, 0.2, shape).astype(np.float32)
    return inputs


def likeness(found: np.ndarray, expected: np.ndarray) -> float:
    """Decibels between two pictures; what is no number is as unlike as can be."""
    error = float(np.mean((np.asarray(found, np.float32) - expected) ** 2))
    return 10 * np.log10(255**2 / max(error, 1e-6)) if np.isfinite(error) else 0.0


def milliseconds(program: Program) -> float:
    """What a frame takes: the median of those that fit into the time for measuring, after a first one."""
    inputs, times = trial_inputs(program.shapes), list[float]()
    program(inputs)
    until = time.perf_counter() + MEASURED_FOR
    while len(times) < LEAST_FRAMES or time.perf_counter() < until:
        start = time.perf_counter()
        program(inputs)
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def winners() -> dict[str, str]:
    """Which device won where several were measured, by machine, network and size."""
    try:
        kept = json.loads((cache_folder().parent / "devices.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(key: str, winner: str) -> None:
    """Keep a winner for the next start; a disk that does not allow it is no error."""
    path = cache_folder().parent / "devices.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(json.dumps({**winners(), key: winner}), "utf-8")
    except OSError as error:
        log.info("The fastest device was not kept in '%s': %s.", path, error)
