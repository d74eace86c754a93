"""The loop of training, whatever learns: steps, checkpoints, the way back to the last good step, and what there is to watch.

It never loses work: it saves checkpoints from which it continues exactly, and stops cleanly when asked. It does not
know losses, results, command lines or progress bars.
"""

import dataclasses
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from realtime_nst.pipeline.stage import Stage

from .checkpoint import CHECKPOINT, Past, load_checkpoint, save_checkpoint, size_of
from .collection import PaintingBatches
from .dataset import Batch, PhotoBatches, hash_photos
from .job import check_room
from .learner import Learner, measure, styles_of_step, take_step
from .processes import agreed
from .recipes import Recipe
from .recovery import LastGood
from .training_log import TrainingLog

CHECKPOINT_EVERY = 50
PREVIEWS = 4
MOST_MAKERS = 8
ROOM_BESIDE = 8 * 2**20  # for the preview, the curves, and the results
MOST_SKIPPED = 5000  # a checkpoint's description has an end

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Progress:
    """What the loop reports after each step.

    Args:
        step: Steps done.
        steps: Of the whole run; where its time is set, as many as it will be at this pace.
        losses: By term.
        waiting: Share of the step's time spent waiting for photos.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    waiting: float


class Run:
    """One run of training, which goes on from its checkpoint if there is one.

    Args:
        model: What learns, at its start.
        recipe: The numbers.
        folder: Where the photos are.
        photos: Those that are there now.
        workshop: Folder for checkpoint, preview and curves; it is there.
        fingerprint: What must agree for a checkpoint to be continued.
        paintings: What a style encoder learns from, beside the photos; `None` where there is none.
        advice: What to do when the loss goes astray again and again, a sentence.
        started_from: Styles that vectors started from, by style name.
        log_dir: Folder for TensorBoard, or `None`.

    Raises:
        TrainingError: The checkpoint is of another run, or damaged.
    """

    def __init__(
        self,
        model: Learner,
        recipe: Recipe,
        folder: Path,
        photos: Sequence[Path],
        workshop: Path,
        fingerprint: str,
        *,
        paintings: PaintingBatches | None = None,
        advice: str,
        started_from: Mapping[str, str] | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self._model = model
        self._recipe = recipe
        self._folder = folder
        self._photos = photos
        self._workshop = workshop
        self._file = workshop / CHECKPOINT
        self._fingerprint = fingerprint
        self._paintings = paintings
        self._advice = advice
        self._log_dir = log_dir
        self._skipped: set[Path] = set()
        self.past = load_checkpoint(self._file, model, fingerprint) or Past(started_from=dict(started_from or {}))

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the time is over."""
        return self._recipe.share(self.past.step, self.past.seconds) >= 1.0

    def batches(self, kind: int, batch: int | None = None) -> PhotoBatches:
        """Batches to learn from (kind 0), to show (1) and to measure (2), each of other photos and places."""
        recipe = self._recipe
        return PhotoBatches(
            self._photos,
            batch=batch or recipe.batch,
            size=recipe.size,
            seed=recipe.seed + kind,
            motion=recipe.motion,
            skipped=self._skipped,
            field=self._model.field,
        )

    def _batch(self, photos: PhotoBatches, step: int) -> Batch:
        """All that a step sees."""
        batch = photos(step)
        return batch if self._paintings is None else {**batch, "paintings": self._paintings(step)}

    def learn(self, report: Callable[[Progress], None], stop: Callable[[], bool]) -> bool:
        """Do the steps that are left.

        Args:
            report: Called after each step.
            stop: Asked after each step; True saves a checkpoint and ends.

        Returns:
            Whether all are done.

        Raises:
            TrainingError: The loss goes astray again and again, no photo can be decoded, or TensorBoard is not installed.
            StyleError: The disk does not allow it.
        """
        past, model, recipe = self.past, self._model, self._recipe
        if not self.finished:
            check_room(self._workshop, 2 * size_of(model) + ROOM_BESIDE)  # a new checkpoint is written beside the old one
        self._skipped = meet_photos(past, self._folder, self._photos, self.finished)
        batches = partial(self._batch, self.batches(0))
        good = LastGood(model, past.step, past.returns, past.losses, advice=self._advice)
        photos = self.batches(1, PREVIEWS)(0)["photos"]
        training_log = TrainingLog(self._workshop, photos, list(model.terms), past.step, self._log_dir)
        due = False  # a checkpoint; while a loss is high, it waits
        while not self.finished:
            with Stage(made_ahead(batches, range(past.step, recipe.steps)), keep="all", name="photos") as stage:
                while not self.finished:
                    started = time.perf_counter()
                    batch: Any = stage.get()
                    fetched = time.perf_counter()
                    losses = take_step(model, recipe, past.step, batch, good.rate, past.seconds)
                    past.step += 1
                    ended = time.perf_counter()
                    past.seconds += ended - started
                    past.waited += fetched - started
                    taken = max(ended - started, 1e-9)
                    waiting = (fetched - started) / taken
                    steps = round(past.step / recipe.share(past.step, past.seconds))
                    report(Progress(past.step, steps, losses, waiting))
                    stopping, past.seconds = agreed(stop(), past.seconds)
                    share = recipe.share(past.step, past.seconds)
                    due = due or stopping or past.step % CHECKPOINT_EVERY == 0 or share >= 1.0
                    astray = good.astray(losses["loss"]) or (
                        share >= 1.0 and ends_astray(good, model, recipe, past.step, batches)
                    )
                    if astray or (due and good.settled and not good.keep(past.step)):
                        past.step, due = good.restore(past.step, losses["loss"]), False
                        break  # the photos come anew from there
                    training_log.step(past.step, losses, {"waiting": waiting, "steps_per_second": 1.0 / taken})
                    if due and good.settled:
                        self._save(good)
                        training_log.save(past.step, model)
                        due = False
                        if stopping and share < 1.0:
                            return False
        return True

    def _save(self, good: LastGood) -> None:
        past = self.past
        past.returns, past.losses = good.returns, good.losses
        past.skipped = [number for number, photo in enumerate(self._photos) if photo in self._skipped][:MOST_SKIPPED]
        save_checkpoint(self._file, self._model, self._fingerprint, past)


def made_ahead(make: Callable[[int], Batch], steps: Iterable[int]) -> Iterator[Batch]:
    """What a function makes of some steps, in their order; several at a time, because a GPU waits for nobody."""
    workers = min(MOST_MAKERS, max(1, (os.cpu_count() or 1) // 2))
    with ThreadPoolExecutor(workers, "batches") as pool:
        waiting: deque[Future[Batch]] = deque()
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def meet_photos(past: Past, folder: Path, photos: Sequence[Path], finished: bool) -> set[Path]:
    """Compare the photos with those that a run began with; others are told, and it goes on with them.

    Args:
        past: What the run has behind it; comes to know the photos.
        folder: Where they are.
        photos: Those that are there now.
        finished: Whether it has no step to do any more.

    Returns:
        Photos that are known not to be decodable.
    """
    found = hash_photos(folder, photos)
    if past.photos and past.photos[-1] == found:
        return {photos[number] for number in past.skipped}
    if not past.photos or not finished:
        if past.photos:
            log.warning(
                "The photos in '%s' are not those of the first %d steps. It goes on with the %d that are there now, and will not "
                "end exactly as it would have.",
                folder,
                past.step,
                len(photos),
            )
        past.photos.append(found)
        past.photo_count, past.skipped = len(photos), []
    return set()


def ends_astray(good: LastGood, model: Learner, recipe: Recipe, step: int, batches: Callable[[int], Batch]) -> bool:
    """Whether a run has gone astray whose last loss is high: the photos tell that would come next, without being learned."""
    while not good.settled:
        if good.astray(measure(model, batches(step), styles_of_step(model, recipe, step))["loss"]):
            return True
        step += 1
    return False
