"""What rounding costs where a style is served: the engine of the application at its own precision, against float32.

Half precision on the backend that trains would say little about the engine that paints: OpenVINO rounds in other
places than a policy of Keras. So both pictures come from `realtime_nst.engines.engine`, the very code of `webcam` and
`video`. Keras takes one backend per process; hence a process of its own for it.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np

from realtime_nst.engines.backend import Backend, activate
from realtime_nst.errors import TrainingError
from realtime_nst.frames import pad_to_multiple
from realtime_nst.style.style import Style


def rounding(styles: Sequence[Style], photos: Sequence[np.ndarray], served: Backend) -> dict[str, float]:
    """How near the pictures that are served come to float32.

    Args:
        styles: What to paint with.
        photos: uint8 `(H, W, 3)`, all of one size.
        served: The engine and its precision, from `choose_backend`.

    Returns:
        By style, the peak signal to noise ratio in dB over all photos; infinite if nothing differs.

    Raises:
        BackendError: The engine does not run here.
        TrainingError: Its process died.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_measure, list(styles), list(photos), served).result()
        except BrokenProcessPool as error:
            raise TrainingError(
                f"The process that painted with {served} died; it may have run out of memory. Try fewer photos."
            ) from error


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise ratio of pictures in `[0, 255]`, in dB; infinite if they are equal."""
    error = float(np.mean(np.square(one.astype(np.float64) - other.astype(np.float64))))
    return float("inf") if error == 0 else float(10.0 * np.log10(255.0**2 / error))


def _measure(styles: Sequence[Style], photos: Sequence[np.ndarray], served: Backend) -> dict[str, float]:
    """The work of the process."""
    rounded, exact = (_paint(styles, photos, replace(served, precision=precision)) for precision in (served.precision, "float32"))
    return {style.name: psnr(rounded[style.name], exact[style.name]) for style in styles}


def _paint(styles: Sequence[Style], photos: Sequence[np.ndarray], backend: Backend) -> dict[str, np.ndarray]:
    activate(backend)
    from realtime_nst.engines.engine import build_engine
    from realtime_nst.engines.runner import runner_for

    padded = [pad_to_multiple(photo) for photo in photos]
    height, width = padded[0].shape[:2]
    runner = runner_for(backend)
    bodies = {style.body.sha256: style.body for style in styles}
    engines = {sha256: build_engine(body, width, height, runner) for sha256, body in bodies.items()}
    return {style.name: np.stack([engines[style.body.sha256](photo, style.vector) for photo in padded]) for style in styles}
