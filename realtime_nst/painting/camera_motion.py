"""`CameraMotion`: how what the frames show has moved and turned since the scene began, so that the texture field goes along.

Each frame is laid over a reference frame of its scene (`alignment.py`), not over the one before, so that no error adds up.
When the camera comes closer, the field does not: its strokes keep their size. Where it is not sure, the field stays: a
texture that moves by itself is worse than one that stands on the screen.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

from realtime_nst.painting.alignment import Overlay, Picture, align, lay_over, phase_shift, small_grey
from realtime_nst.style.field import HOME, Offset

STILL = 0.5
"""Pixels of the frame by which a movement must differ from where the field is before the field goes along."""
JUMP, BEHIND = 2.0, 4.0
"""It makes up for what was not sure: by so many pixels, and so many times the newest movement; more is lost."""
SURE, ONE = 12.0, 3.0
"""Evidence for it, in natural logarithms of likelihood, and the most that one block gives."""
AGAINST, APART = 4.0, 0.6
"""How often evidence for it must outweigh what is against (twice as often for a pixel, and three times for half a one), and
over which share of the width it must be found."""
SAMPLES = 8
"""Independent values in a block, as it is smooth."""
WEAK, STRANGE = 0.6, 0.3
"""Share of blocks that fit, below which another reference is tried, and below which it is another scene."""
FARTHEST = 0.07
"""Share of its sides by which a reference may have moved before there is another one."""
TURNED = 0.5
"""Pixels of the small picture by which turning may have moved its corners until then."""


def _nothing() -> np.ndarray:
    return np.zeros(2)


def _nowhere() -> np.ndarray:
    return np.zeros(3)


@dataclass(frozen=True)
class Scene:
    """What is known of the frames of a scene so far. Offsets are float `(3,)`, see `style/field.py`; all else is `(2,)`.

    Args:
        size: Height and width of the frames.
        reference: One of them, small.
        before: The newest that told anything.
        base: Offset of the reference.
        shift: How far the newest has moved since the reference, in pixels of the small picture.
        turn: And how it turned (`Overlay`).
        offset: Of the field.
        home: Offset where that is 0.
        settled: Whether `home` was given, other than that of a scene that begins.
        doubt: Whether frames since told nothing: 0 or 1.
    """

    size: np.ndarray
    reference: Picture
    before: Picture
    base: np.ndarray = field(default_factory=_nowhere)
    shift: np.ndarray = field(default_factory=_nothing)
    turn: np.ndarray = field(default_factory=_nothing)
    offset: np.ndarray = field(default_factory=_nowhere)
    home: np.ndarray = field(default_factory=_nowhere)
    settled: bool = False
    doubt: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def refer_to(self, reference: Picture) -> "Scene":
        """The same with another reference, which is where the field is: no error adds up."""
        return replace(self, reference=reference, base=self.offset, shift=np.zeros(2), turn=np.zeros(2))


class SmallFrame(NamedTuple):
    """All that is looked at of a frame.

    Args:
        grey: As `small_grey` has it.
        factor: Likewise.
        size: Height and width of the frame.
    """

    grey: np.ndarray
    factor: int
    size: tuple[int, int]

    @classmethod
    def of(cls, image: np.ndarray) -> Self:
        """That of a frame, uint8 `(height, width, 3)` RGB."""
        return cls(*small_grey(image), image.shape[:2])


class CameraMotion:
    """Call it with the frames of a stream, one after another."""

    def __init__(self) -> None:
        self._scene: Scene | None = None

    def __call__(self, image: np.ndarray) -> Offset:
        """Follow the camera.

        Args:
            image: uint8 `(height, width, 3)` RGB; one of another size begins another scene.

        Returns:
            How the field has moved since the scene began.
        """
        scene = self.follow(SmallFrame.of(image))
        return as_offset(joined(scene.home, scene.offset))

    def follow(self, small: SmallFrame) -> Scene:
        """The same with what is looked at of the next frame; what is known after it."""
        now, size = Picture(small.grey), np.array(small.size)
        scene = self._scene
        if scene is None or (scene.size != size).any():
            scene = Scene(size, now, now)
        elif now.tells:
            scene = replace(_followed(scene, now, small.factor), before=now)
        else:
            scene = replace(scene, doubt=np.ones(1))
        self._scene = scene
        return scene

    def forget(self) -> None:
        """Forget the frames so far: what comes next has nothing to do with them."""
        self._scene = None

    def settle(self, offset: Offset) -> None:
        """Let the field have moved so far with the newest frame; it goes on from there."""
        if self._scene is not None:
            self._scene = replace(self._scene, home=joined(np.array(offset), back(self._scene.offset)), settled=True)


@dataclass(frozen=True)
class Movement:
    """How a field moves over some frames, wherever it was before.

    Args:
        before: Where those who measured it believed it before; `None` where another scene has begun since, from `HOME`.
        after: And after.
    """

    before: np.ndarray | None
    after: np.ndarray

    @classmethod
    def over(cls, frames: Iterable[SmallFrame], warm_up: Iterable[SmallFrame] = ()) -> Self:
        """What `CameraMotion` finds that has seen only the warm-up, is told there where the field is, and sees some frames.

        Args:
            frames: One or more.
            warm_up: What may have been seen before them.
        """
        motion, scene = CameraMotion(), None
        for small in warm_up:
            scene = motion.follow(small)
        before = _nowhere() if scene is None else scene.offset
        motion.settle(HOME)
        for small in frames:
            scene = motion.follow(small)
        if scene is None:
            raise ValueError("frames: at least one was expected.")
        return cls(before if scene.settled else None, scene.offset)

    def __call__(self, offset: Offset) -> Offset:
        """Where the field is afterwards that was here before, to the last bit as one who was told so before them."""
        home = _nowhere() if self.before is None else joined(np.array(offset), back(self.before))
        return as_offset(joined(home, self.after))


def joined(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """One movement after another, as one: `(3,)` each. Without turning they are added, to the last bit."""
    cosine, sine = math.cos(then[2]), math.sin(then[2])
    x, y, turn = first
    together: np.ndarray = np.array([cosine * x - sine * y, sine * x + cosine * y, turn]) + then
    return together


def back(movement: np.ndarray) -> np.ndarray:
    """The movement back to where another one began, `(3,)` both."""
    turned = joined(movement, np.array([0.0, 0.0, -movement[2]]))
    return np.array([-turned[0], -turned[1], -movement[2]])


def as_offset(movement: np.ndarray) -> Offset:
    """A movement as painting takes it."""
    x, y, turn = map(float, movement)
    return x, y, turn


def reach(movement: np.ndarray, size: np.ndarray) -> float:
    """By how many pixels it moves the middle of a frame of some height and width, or turns its corners, whichever is more."""
    return float(max(*np.abs(movement[:2]), abs(movement[2]) * np.hypot(*size) / 2))


def _followed(scene: Scene, now: Picture, factor: int) -> Scene:
    """A scene after another frame of it; a new one if it is not."""
    guess = phase_shift(now, scene.before)
    found = align(now, scene.reference, lay_over(now, scene.reference, scene.shift, scene.turn), guess)
    if found.fitting < WEAK and scene.before is not scene.reference:
        nearer = align(now, scene.before, lay_over(now, scene.before, np.zeros(2), np.zeros(2)), guess)
        if nearer.fitting > found.fitting:
            scene, found = scene.refer_to(scene.before), nearer
    if found.fitting < STRANGE:
        if scene.doubt.any():  # the same place perhaps, after a flash or a hand before the lens: the field stays
            return replace(scene.refer_to(now), doubt=np.zeros(1))
        return Scene(scene.size, now, now)
    offset, base, moved = scene.offset, scene.base, _movement(found.shift, found.turn, factor)
    away = reach(joined(back(offset), joined(base, moved)), scene.size)
    if away >= STILL:
        there = joined(back(base), offset)
        lain = lay_over(now, scene.reference, _laid(there, factor), np.array([found.turn[0], there[2]]))
        if _ring_goes_along(now, found, lain, AGAINST * (1 + 1 / away)):
            newest = joined(back(_movement(scene.shift, scene.turn, factor)), moved)
            if away > BEHIND * reach(newest, scene.size) + JUMP:
                base = joined(joined(offset, newest), back(moved))
            offset = joined(base, moved)
    scene = replace(scene, base=base, shift=found.shift, turn=found.turn, offset=offset, doubt=np.zeros(1))
    height, width = now.grey.shape
    far = (np.abs(found.shift) > FARTHEST * np.array([width, height])).any()
    if far or np.hypot(*found.turn) * np.hypot(width, height) / 2 > TURNED:
        scene = scene.refer_to(now)
    return scene


def _movement(shift: np.ndarray, turn: np.ndarray, factor: int) -> np.ndarray:
    """What an overlay of small pictures means for the frames: `(2,)` both to `(3,)`."""
    return joined(np.array([*(factor * shift), 0.0]), np.array([0.0, 0.0, turn[1]]))  # it moves them, and then turns


def _laid(movement: np.ndarray, factor: int) -> np.ndarray:
    """The shift of an overlay that means a movement: `_movement` turned round."""
    shift: np.ndarray = joined(movement, np.array([0.0, 0.0, -movement[2]]))[:2] / factor
    return shift


def _ring_goes_along(now: Picture, found: Overlay, there: Overlay, least: float) -> bool:
    """Whether the ring as a whole, and each half of it, lies better where it was found than where the field is.

    One who walks through the picture is in one place, so blocks that moved must lie apart. They must also not be where they
    were: a side that moves beside one that stands looks like a camera that moves and comes closer.
    """
    gain = (there.left - found.left) * (SAMPLES / 2 / found.noise)
    evidence = np.where(found.counted & there.counted, np.clip(gain, -ONE, ONE), 0.0)
    x = now.blocks.x
    moved = np.sort(x[evidence > 1])
    if evidence.sum() < SURE or len(moved) < 4 or moved[-2] - moved[1] <= APART * now.grey.shape[1]:
        return False
    halves = np.array([x == x, x < 0, x > 0])
    in_favour, against = halves @ np.maximum(evidence, 0.0), halves @ -np.minimum(evidence + 1, 0.0)
    return bool((in_favour >= least * against).all())
