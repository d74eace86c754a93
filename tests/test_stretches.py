"""`Stretches`: a film painted from anywhere is the film painted at a stretch, and no seam shows where it begins anew."""

from fractions import Fraction

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.frames import Frame
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME, Offset
from realtime_nst.style.look import STABILITIES, Look
from realtime_nst.style.schedule import StylePath

WIDTH, HEIGHT = 96, 64
OPENVINO = runner_for(Backend("openvino", "float32", gpu=False))


def moving_negative(image: np.ndarray, vector: np.ndarray, offset: Offset = HOME) -> np.ndarray:
    """In place of a network: it tells by a thousandth of a pixel where the texture field is."""
    return np.roll(255 - image, [round(999 * way) for way in offset], (0, 1, 2))


@pytest.fixture(scope="module")
def stylizer() -> Stylizer:
    """Paints negatives of what is held still."""
    graph = StabilizerEngine(WIDTH, HEIGHT, OPENVINO)
    return Stylizer(lambda *size: moving_negative, stabilizer=lambda *size: graph)  # type: ignore[arg-type, return-value]


def frames(count: int) -> list[Frame]:
    """A camera with noise that moves over a picture, stops for a while, and sees some frames twice."""
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (40, 60, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    images: list[np.ndarray] = []
    for index in range(count):
        if index % 7 == 3:
            images.append(images[-1])
            continue
        left = min(index, 40) + max(0, index - 60)
        seen = scene[20 : 20 + HEIGHT, 5 + left % 120 : 5 + left % 120 + WIDTH]
        images.append(np.clip(seen + rng.normal(0, 2, seen.shape), 0, 255).astype(np.uint8))
    return [Frame(image, index, 0.0, Fraction(index, 25)) for index, image in enumerate(images)]


@pytest.mark.parametrize(
    ("look", "segment"), [(Look(stability=8, follow_camera=True), 8), (Look(follow_camera=True), 16), (Look(stability=8), 8)]
)
def test_a_film_can_be_painted_from_any_segment_on(
    stylizer: Stylizer, book: StyleBook, monkeypatch: pytest.MonkeyPatch, look: Look, segment: int
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.stretches.STRETCH_FRAMES", 16)
    film, styles = frames(80), StylePath([book["wave"]])
    stretches = Stretches(segment, 12)
    assert stretches.frames == 16

    def painter(first: int, offset: Offset) -> FramePainter:
        picture_painter = PicturePainter(stylizer, look)
        picture_painter.offset = offset
        return FramePainter(picture_painter, styles, 0.0, 25.0, stretches=stretches, first=first)

    at_once = painter(0, HOME)
    whole = list(at_once(film))
    assert (at_once.repeated and len({frame.offset for frame in whole}) > 20) or not look.follow_camera
    for first in range(segment, 80, segment):
        start, seen = stretches.start(first), stretches.seen_from(first)
        assert first - 28 <= seen <= start <= first
        again = painter(first, whole[start - 1].offset if start else HOME)
        for frame in film[seen:first]:
            again.hold(frame)
        for painted in again(film[first : first + 20]):
            assert painted.offset == whole[painted.index].offset
            assert np.array_equal(painted.image, whole[painted.index].image), f"frame {painted.index} from {first} on"


def test_where_nothing_is_held_nothing_begins_anew(stylizer: Stylizer, book: StyleBook) -> None:
    assert PicturePainter(stylizer, Look()).memory == 0
    assert PicturePainter(stylizer, Look(strength=0, stability=8, follow_camera=True)).memory == 0
    memories = [PicturePainter(stylizer, Look(stability=stability, follow_camera=True)).memory for stability in STABILITIES]
    assert memories == sorted(memories) and memories[0] > 0 and memories[-1] < Stretches(240, memories[-1]).frames


@pytest.mark.parametrize("stability", STABILITIES[1:])
@pytest.mark.parametrize("kind", ["noise", "darker by and by", "a lamp switched on", "a lamp before it all"])
def test_no_seam_shows(stylizer: Stylizer, book: StyleBook, stability: int, kind: str) -> None:
    """What is held from the first frame on, and what is held from the warm-up on, differ by less than half a grey level."""
    look, style = Look(stability=stability), book["wave"]
    continuous, fresh = PicturePainter(stylizer, look), PicturePainter(stylizer, look)
    rng, count = np.random.default_rng(1), 240
    seam = count - fresh.memory
    scene = rng.integers(60, 200, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1).astype(float)
    for index in range(count + 1):
        light = {"noise": 0.0, "darker by and by": -index * stability / 40}.get(kind, 0.0)
        light += (
            0.9 * stability
            if index >= {"a lamp switched on": count - 20, "a lamp before it all": seam - 1}.get(kind, 999)
            else 0.0
        )
        image = np.clip(scene + light + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        if index == count:
            pictures = [painter.paint(image, style).astype(float) for painter in (continuous, fresh)]
        else:
            continuous.hold(image, style)
            if index >= seam:
                fresh.warm_up(image, style)
                if index == count - 1:
                    fresh.renew()
    blocks = (pictures[1] - pictures[0]).reshape(HEIGHT // 8, 8, WIDTH // 8, 8, 3).mean((1, 3))
    print(f"{np.abs(blocks).max():.2f} grey levels at most, {np.abs(blocks).mean():.2f} on average")
    assert np.abs(blocks.mean()) < 0.5 and np.abs(blocks).mean() < 0.5
