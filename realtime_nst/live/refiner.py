"""`Refiner`: the style of a picture gets better while the show goes on, by a process of its own that trains (`train/refine.py`).

That process is given the style and frames of the show, and answers with better vectors. Here is neither Keras nor a loss, and
whatever becomes of the process, the show goes on with the last vector that it got.
"""

import json
import logging
import os
import pickle
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realtime_nst.engines.backend import usable
from realtime_nst.errors import BackendError, NSTError, StyleError, TrainingError
from realtime_nst.live.controls import Controls
from realtime_nst.media import ffmpeg
from realtime_nst.media.beside import start_beside
from realtime_nst.pipeline.stage import Stage
from realtime_nst.style.from_picture import PREDICTED
from realtime_nst.style.style import STYLE_SUFFIX, Style, write_style

LEARNER = "realtime_nst.train.refine"
NICE = 5
"""The show goes before it; where that needs both of two cores, a quarter of one is left to it. At 19 nothing would be."""
FRAME_EVERY = 1.0
"""Seconds between two frames that are learned from."""
MOST_FRAMES = 8
"""That wait to be sent."""
LARGEST_FRAME = 512
"""Pixels of a frame's shorter side, more or less; crops of half of that are learned from."""
FAINTEST = 8.0
"""Standard deviation, of 255, below which a frame shows too little to be learned from."""
PATIENCE = 10.0
"""Seconds in which the process may end once it has nothing more to say."""
BACKENDS = ("tensorflow", "jax")
"""Of Keras, that can train."""

log = logging.getLogger(__name__)


class Refiner:
    """Refine the style that is used when `controls.refining` becomes true, and keep it as a style of the user's own at the end.

    An `Output`: it is looked at on the main thread, and never waits there.

    Args:
        controls: The show's.
        photo: The newest frame, uint8 `(height, width, 3)`; `None` before the first.
        folder: Where styles are kept.
        say: Prints a line for the user.
        vgg_weights: "imagenet" or a path.
        photos: A folder to learn from in place of the show's frames.
        clock: Seconds.
    """

    def __init__(
        self,
        controls: Controls,
        photo: Callable[[], np.ndarray | None],
        folder: Callable[[], Path],
        say: Callable[[str], object],
        vgg_weights: str = "imagenet",
        photos: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controls, self._photo, self._folder, self._say = controls, photo, folder, say
        self._vgg_weights, self._photos, self._clock = vgg_weights, photos, clock
        self._frames: deque[np.ndarray] = deque(maxlen=MOST_FRAMES)
        self._next_frame = 0.0
        self._work: Refinement | None = None
        self._kept: set[str] = set()

    def check_style(self, style: Style) -> str:
        """Make sure that a style can be refined here.

        Returns:
            The backend of Keras that it would be learned on.

        Raises:
            StyleError: It is not that of one picture.
            BackendError: Nothing that trains is installed.
            TrainingError: The weights of VGG19, or the folder of photos, are not there.
        """
        if style.picture is None:
            raise StyleError(
                f"'{style.name}' cannot be refined here: that is for the style of one picture that a show is given, as with "
                "`--style cat.jpg`. `realtime-nst train` learns all others."
            )
        wanted = os.environ.get("KERAS_BACKEND", "")
        backend = next((name for name in (wanted, *BACKENDS) if name in BACKENDS and usable(name)), None)
        if backend is None:
            raise BackendError(
                "Refining learns with TensorFlow or JAX, and neither is installed. `pip install tensorflow` helps."
            )
        if self._vgg_weights != "imagenet" and not Path(self._vgg_weights).is_file():
            raise TrainingError(
                f"No VGG19 weights at '{self._vgg_weights}'. Give the path of the file with --vgg-weights, or leave it out: they "
                "are downloaded once then."
            )
        if self._photos is not None and not self._photos.is_dir():
            raise TrainingError(f"No folder of photos at '{self._photos}'. Name another with --photos, or leave it out.")
        return backend

    def check(self) -> None:
        """Begin and end as is wished, collect frames, and hand over what was learned."""
        controls = self._controls
        if controls.refining or self._work is not None:
            self._collect()
        if controls.refining and self._work is None:
            self._begin(controls.style)
        if self._work is None:
            return
        for news in self._work.news():
            if "vector" in news and not controls.renew(self._work.take(news)):
                controls.refining = False  # its picture is gone, or another one
        if self._work.ended or not controls.refining:
            self._end()

    def close(self) -> None:
        """Learn no more."""
        if self._work is not None:
            self._end()

    def _collect(self) -> None:
        """Have a frame of every second."""
        photo = self._photo()
        if photo is None or self._clock() < self._next_frame:
            return
        self._next_frame = self._clock() + FRAME_EVERY
        if photo[::8, ::8].std() >= FAINTEST:
            self._frames.append(photo.copy())

    def _begin(self, style: Style) -> None:
        try:
            backend = self.check_style(style)
            if not self._frames and self._photos is None:
                return  # the camera shows nothing yet
            self._work = Refinement(style, backend, self._photos, self._vgg_weights, self._frames)
        except (NSTError, OSError) as error:
            self._controls.refining = False
            said = str(error) if isinstance(error, NSTError) else f"'{style.name}' cannot be refined: {error.strerror}."
            self._controls.say(said)
            self._say(f"realtime-nst: {said}")
            return
        self._controls.say(f"refining {style.name}")
        self._say(f"Refining '{style.name}' while the show goes on.")

    def _end(self) -> None:
        work, self._work = self._work, None
        self._controls.refining = False
        if work is None:
            return
        problem = work.end()
        self._frames.clear()
        if problem:
            self._controls.say(f"{work.style.name} is refined no further")
            self._say(f"realtime-nst: '{work.style.name}' is refined no further: {problem} The show goes on with what it has.")
        if work.better:
            self._keep(work)
        elif not problem:
            self._say(f"'{work.style.name}' stays as it was.")

    def _keep(self, work: "Refinement") -> None:
        """Write what was learned to a file, under a name that is free; the same one again for the same style of this show."""
        style, name, number = work.style, work.style.name, 2
        facts = {key: value for key, value in style.metadata.items() if key != PREDICTED}
        facts |= {"trained": "refined in a show", "total_steps": work.steps, "started_from": "the style encoder"}
        try:
            folder = self._folder()
            while name not in self._kept and (folder / f"{name}{STYLE_SUFFIX}").exists():
                name, number = f"{style.name}-{number}", number + 1
            write_style(folder, name, style.vector, style.body, facts)
        except (NSTError, OSError) as error:
            self._controls.say(f"{style.name} is refined, but not kept")
            self._say(f"realtime-nst: '{style.name}' is refined, but not kept: {error}")
            return
        self._kept.add(name)
        self._controls.say(f"{style.name} is refined, and kept")
        fall = f"its loss fell from {work.first:.3g} to {work.last:.3g} in {work.steps} steps"
        self._say(f"Refined '{style.name}': {fall}. Kept as '{name}', a style of your own.")


class Refinement:
    """One process that learns one style.

    Args:
        style: Where it begins.
        backend: Of Keras, that trains.
        photos: A folder to learn from; `None` is frames of the show.
        vgg_weights: "imagenet" or a path.
        frames: New ones, which are taken out and sent.

    Raises:
        OSError: The system cannot start a process, or has no room for what it says.
    """

    def __init__(self, style: Style, backend: str, photos: Path | None, vgg_weights: str, frames: deque[np.ndarray]) -> None:
        self.style, self.better, self.steps = style, False, 0
        self.first = self.last = 0.0
        self._frames = frames
        self._problem = ""
        self._code: int | None = None
        threads = str(max(1, (os.cpu_count() or 1) // 4))
        environment = {
            "KERAS_BACKEND": backend,
            **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), threads),
            "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false",
            "CUDA_VISIBLE_DEVICES": "-1",
            "JAX_PLATFORMS": "cpu",
        }
        self._errors = tempfile.TemporaryFile()
        try:
            self.process = start_beside(
                LEARNER, nice=NICE, environment=environment, stdin=ffmpeg.PIPE, stdout=ffmpeg.PIPE, stderr=self._errors
            )
        except OSError:
            self._errors.close()
            raise
        self._stage = Stage(self._talk({"style": style, "photos": photos, "vgg_weights": vgg_weights}), keep="all", name="refine")

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._stage.finished

    def news(self) -> Iterator[dict[str, Any]]:
        """What it has told since the last call."""
        while (news := self._stage.get(timeout=0.0)) is not None:
            self._problem = str(news.get("error", ""))
            if "loss" in news:
                self.steps, self.last = int(news["step"]), float(news["loss"])
                self.first = self.first or self.last
                log.info("'%s' after step %d of %d: loss %.4g.", self.style.name, self.steps, news["steps"], self.last)
            yield news

    def take(self, news: dict[str, Any]) -> Style:
        """The style with the vector of some news."""
        self.better = True
        self.style = replace(self.style, vector=np.array(news["vector"], np.float32))
        return self.style

    def end(self) -> str:
        """End it. Returns what went wrong, a sentence; "" if nothing did."""
        by_itself, code = self._stage.finished, self._code
        self._stage.close()
        self.process.kill()
        self._stage.join()
        ffmpeg.stop(self.process)
        with self._errors as errors:
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").split("\n")
        if not by_itself or code == 0:
            return ""
        if not self._problem:
            log.info("%s", "\n".join(lines))
        return self._problem or f"Its process ended with code {code}; it may lack memory."

    def _talk(self, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the order, and answer each line of the process with the newest frames."""
        pipe = self.process.stdin
        with suppress(OSError, ValueError):  # it has ended, or does not speak
            if pipe is None or self.process.stdout is None:
                return
            pickle.dump(order, pipe)
            pipe.flush()
            for line in self.process.stdout:
                yield json.loads(line)
                taken = [self._frames.popleft() for _ in range(len(self._frames))]
                pickle.dump([shrunk(frame) for frame in taken], pipe)
                pipe.flush()
        self._code = ffmpeg.wait(self.process, PATIENCE)


def shrunk(frame: np.ndarray) -> np.ndarray:
    """A frame, uint8 `(height, width, 3)`, made small by a whole number, if it is large."""
    factor = max(1, min(frame.shape[:2]) // LARGEST_FRAME)
    return frame if factor == 1 else np.asarray(Image.fromarray(frame).reduce(factor))
