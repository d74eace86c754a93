"""The loop of training, whatever learns: steps, checkpoints, the way back to the last good step, and what there is to watch.

It never loses work: it saves checkpoints from which it continues exactly, and stops cleanly when asked. It does not
know losses, results, command lines or progress bars.
"""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from realtime_nst.pipeline.stage import Stage

from .checkpoint import Past, load_checkpoint, save_checkpoint, size_of
from .dataset import PhotoBatches, hash_photos
from .job import check_room
from .learner import Learner, measure, styles_of_step, take_step
from .recipes import Recipe
from .recovery import LastGood
from .training_log import TrainingLog

CHECKPOINT_EVERY = 50
PREVIEWS = 4
ROOM_BESIDE = 4 * 2**20  # for the preview, the curves, and the results
MOST_SKIPPED = 5000  # a checkpoint's description has an end

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Progress:
    """What the loop reports after each step: `losses` by term, and the share of time spent waiting for photos."""

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
        advice: str,
        started_from: Mapping[str, str] | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self._model = model
        self._recipe = recipe
        self._folder = folder
        self._photos = photos
        self._workshop = workshop
        self._file = workshop / "checkpoint.h5"
        self._fingerprint = fingerprint
        self._advice = advice
        self._log_dir = log_dir
        self._skipped: set[Path] = set()
        self.past = load_checkpoint(self._file, model, fingerprint) or Past(started_from=dict(started_from or {}))

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.past.step >= self._recipe.steps

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
        )

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
        past, model, last = self.past, self._model, self._recipe.steps
        if not self.finished:
            check_room(self._workshop, 2 * size_of(model) + ROOM_BESIDE)  # a new checkpoint is written beside the old one
        self._skipped = meet_photos(past, self._folder, self._photos, last)
        batches = self.batches(0)
        good = LastGood(model, past.step, past.returns, past.losses, advice=self._advice)
        photos = self.batches(1, PREVIEWS)(0)["photos"]
        training_log = TrainingLog(self._workshop, photos, list(model.terms), past.step, self._log_dir)
        due = False  # a checkpoint; while a loss is high, it waits
        while past.step < last:
            with Stage(map(batches, range(past.step, last)), keep="all", name="photos") as stage:
                while past.step < last:
                    started = time.perf_counter()
                    batch: Any = stage.get()
                    fetched = time.perf_counter()
                    losses = take_step(model, self._recipe, past.step, batch, good.rate)
                    past.step += 1
                    ended = time.perf_counter()
                    past.seconds += ended - started
                    past.waited += fetched - started
                    taken = max(ended - started, 1e-9)
                    waiting = (fetched - started) / taken
                    report(Progress(past.step, last, losses, waiting))
                    stopping = stop()
                    due = due or stopping or past.step % CHECKPOINT_EVERY == 0 or past.step == last
                    astray = good.astray(losses["loss"]) or (
                        past.step == last and ends_astray(good, model, self._recipe, batches)
                    )
                    if astray or (due and good.settled and not good.keep(past.step)):
                        past.step, due = good.restore(past.step, losses["loss"]), False
                        break  # the photos come anew from there
                    training_log.step(past.step, losses, {"waiting": waiting, "steps_per_second": 1.0 / taken})
                    if due and good.settled:
                        self._save(good)
                        training_log.save(past.step, model)
                        due = False
                        if stopping and past.step < last:
                            return False
        return True

    def _save(self, good: LastGood) -> None:
        past = self.past
        past.returns, past.losses = good.returns, good.losses
        past.skipped = [number for number, photo in enumerate(self._photos) if photo in self._skipped][:MOST_SKIPPED]
        save_checkpoint(self._file, self._model, self._fingerprint, past)


def meet_photos(past: Past, folder: Path, photos: Sequence[Path], steps: int) -> set[Path]:
    """Compare the photos with those that a run began with; others are told, and it goes on with them.

    Args:
        past: What the run has behind it; comes to know the photos.
        folder: Where they are.
        photos: Those that are there now.
        steps: Of the whole run.

    Returns:
        Photos that are known not to be decodable.
    """
    found = hash_photos(folder, photos)
    if past.photos and past.photos[-1] == found:
        return {photos[number] for number in past.skipped}
    if not past.photos or past.step < steps:
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


def ends_astray(good: LastGood, model: Learner, recipe: Recipe, batches: PhotoBatches) -> bool:
    """Whether a run has gone astray whose last loss is high: the photos tell that would come next, without being learned."""
    step = recipe.steps
    while not good.settled:
        if good.astray(measure(model, batches(step), styles_of_step(model, recipe, step))["loss"]):
            return True
        step += 1
    return False
