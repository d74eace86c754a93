"""Photos that are held still on OpenVINO, against NumPy written independently."""

import copy
import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.interface import StabilizedPhoto, Stabilizer
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine, Thresholds
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.style.book import StyleBook
from realtime_nst.style.look import Look
from tests.reference import block_means, stabilize_with_numpy

OPENVINO = runner_for(Backend("openvino", "bfloat16", gpu=False))
WIDTH, HEIGHT = 128, 96


class StabilizedStream:
    """A stream of photos that are held and not painted.

    Args:
        graph: A `StabilizerEngine`.
    """

    def __init__(self, graph: Stabilizer) -> None:
        self.graph = graph
        self.stabilized: StabilizedPhoto | None = None

    def __call__(self, photo: np.ndarray, stability: float, fresh: bool) -> np.ndarray:
        self.stabilized = self.graph(photo, stability, None if fresh else self.stabilized)
        still: np.ndarray = self.stabilized.photo[0]
        return still


@pytest.fixture
def stabilizer() -> StabilizedStream:
    """The compiled graph, and a stream that holds nothing yet."""
    return StabilizedStream(StabilizerEngine(WIDTH, HEIGHT, OPENVINO))


def smooth(seed: int) -> np.ndarray:
    """Random colours that change every eight pixels."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)


def noisy(photo: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """A photo with a camera's noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, photo.shape)
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)


def motion(images: list[np.ndarray]) -> float:
    return float(np.mean([np.abs(b.astype(float) - a).mean() for a, b in itertools.pairwise(images)]))


def test_holding_equals_the_formula_frame_by_frame(stabilizer: StabilizedStream) -> None:
    photo, thresholds = smooth(0), Thresholds((8, WIDTH // 8, 24))
    stabilized = (block_means(photo), photo)
    assert np.array_equal(stabilizer(photo, 12.0, True), photo)
    for index in range(1, 12):
        now = photo.copy()
        now[20:30, 8 * index : 8 * index + 6] = 255
        now = noisy(now, 6, index)
        stabilized = stabilize_with_numpy(now, stabilized, 12.0, thresholds(index)[0])
        found = stabilizer(now, 12.0, False)
        differences = np.abs(found.astype(int) - stabilized[1])
        assert differences.max() <= 1 and (differences > 0).mean() < 0.002, f"frame {index}"


def test_thresholds_of_rounding_are_spread_evenly_over_places_and_over_frames() -> None:
    thresholds = Thresholds((8, WIDTH // 8, 24))
    frames = np.stack([thresholds(index)[0] for index in range(55)])
    assert frames.shape == (55, 8, WIDTH // 8, 24) and frames.min() >= 0 and frames.max() < 1
    for frame in frames[:3]:
        assert np.abs(np.quantile(frame, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.05
    over_time = np.sort(frames, axis=0)
    assert np.diff(over_time, axis=0).max() < 0.04, "any place has all of them within two seconds"


def test_noise_of_a_camera_moves_the_photo_twenty_times_less(stabilizer: StabilizedStream) -> None:
    photos = [noisy(smooth(0), 4, index) for index in range(60)]
    still = [stabilizer(photo, 16.0, not index).copy() for index, photo in enumerate(photos)]
    assert motion(still) < motion(photos) / 20
    settled = np.abs(still[-1].astype(float) - smooth(0)).mean()
    assert settled < 0.5 * np.abs(photos[-1].astype(float) - smooth(0)).mean(), "what is held is less noisy, too"


def test_what_differs_by_little_is_followed_until_it_is_the_same(stabilizer: StabilizedStream) -> None:
    ramp = np.arange(8, 248, dtype=np.uint8).repeat(WIDTH * HEIGHT * 3 // 240 + 1)[: WIDTH * HEIGHT * 3].reshape(HEIGHT, WIDTH, 3)
    for change in (5, -5, 1, -1):
        stabilizer(ramp, 32.0, True)
        now = (ramp.astype(int) + change).astype(np.uint8)
        found = [stabilizer(now, 32.0, False).copy() for _ in range(200)]
        assert np.abs(found[2].astype(int) - ramp).mean() < 0.2 * abs(change)
        assert np.abs(found[120].astype(int) - now).mean() < 0.05, "four seconds later"
        assert np.array_equal(found[-1], now), "and to the last grey level"


@pytest.mark.parametrize("level", [0, 255])
def test_black_stays_black_and_white_stays_white(level: int) -> None:
    stabilizer = StabilizedStream(StabilizerEngine(1280, 64, OPENVINO))
    photo = np.full((64, 1280, 3), level, np.uint8)
    for index in range(60):
        assert (stabilizer(photo, 8.0, not index) == level).all(), f"frame {index}"


def test_what_moves_is_the_photo_itself(stabilizer: StabilizedStream) -> None:
    stabilizer(smooth(0), 8.0, True)
    assert np.array_equal(stabilizer(smooth(1), 8.0, False), smooth(1)), "a cut"


@pytest.mark.parametrize("stability", [8.0, 16.0, 32.0])
def test_a_moving_hand_leaves_no_ghost(stabilizer: StabilizedStream, stability: float) -> None:
    background = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for step in range(-32, WIDTH + 8, 8):
        photo = background.copy()
        photo[24:72, max(step, 0) : max(step + 32, 0)] = (200, 150, 120)
        found = stabilizer(photo, stability, step == -32)
        assert np.array_equal(found[24:72, max(step, 0) : max(step + 32, 0)], photo[24:72, max(step, 0) : max(step + 32, 0)])
    assert np.abs(found.astype(int) - background).max() <= 1


def test_fresh_forgets_what_was_held(stabilizer: StabilizedStream) -> None:
    photo = smooth(0)
    stabilizer(photo, 16.0, True)
    near = np.clip(photo.astype(int) + 4, 0, 255).astype(np.uint8)
    assert np.abs(stabilizer(near, 16.0, False).astype(int) - photo).mean() < 0.5
    assert np.array_equal(stabilizer(near, 16.0, True), near)


def test_what_is_held_can_be_kept_and_gone_on_from(stabilizer: StabilizedStream) -> None:
    other = StabilizedStream(StabilizerEngine(WIDTH, HEIGHT, OPENVINO))
    for index in range(8):
        photo = noisy(smooth(0), 4, index)
        still = stabilizer(photo, 16.0, index == 0).copy()
        if index == 3:
            other.stabilized = copy.deepcopy(stabilizer.stabilized)
        elif index > 3:
            assert np.array_equal(other(photo, 16.0, False), still), f"frame {index}"


def test_a_picture_painter_goes_on_from_pictures_that_it_has_only_seen(book: StyleBook) -> None:
    stylizer = Stylizer(partial(build_engine, runner=OPENVINO), stabilizer=lambda *size: StabilizerEngine(*size, OPENVINO))
    first, second, third = (PicturePainter(stylizer, Look(stability=16.0)) for _ in range(3))
    photos = [noisy(smooth(0), 4, index) for index in range(8)]
    for photo in photos[:4]:
        first.paint(photo, book["wave"])
        second.hold(photo, book["wave"])
        third.paint(255 - photo, book["wave"])
        third.warm_up(photo, book["wave"])
    third.renew()
    for photo in photos[4:]:
        painted = first.paint(photo, book["wave"]).copy()
        assert np.array_equal(second.paint(photo, book["wave"]), painted)
        assert np.array_equal(third.paint(photo, book["wave"]), painted)


def test_photo_that_was_given_and_photo_that_was_held_stay_what_they_are(stabilizer: StabilizedStream) -> None:
    kept, copies = [], []
    for index in range(6):
        photo = noisy(smooth(0), 9, index)
        photo.flags.writeable = False
        kept.append(stabilizer(photo, 16.0, index == 0))
        copies.append(kept[-1].copy())
    assert all(np.array_equal(one, other) for one, other in zip(kept, copies))


def test_streams_that_share_a_graph_know_nothing_of_each_other(stabilizer: StabilizedStream) -> None:
    other = StabilizedStream(stabilizer.graph)
    alone = [StabilizedStream(StabilizerEngine(WIDTH, HEIGHT, OPENVINO)) for _ in range(2)]
    for index in range(8):
        for seed, (shared, own) in enumerate(zip((stabilizer, other), alone)):
            photo = noisy(smooth(seed), 4, 10 * seed + index)
            assert np.array_equal(shared(photo, 16.0, index == 0), own(photo, 16.0, index == 0)), f"frame {index} of {seed}"


def test_streams_on_two_threads_paint_as_one_after_the_other(book: StyleBook) -> None:
    stylizer = Stylizer(
        partial(build_engine, runner=OPENVINO),
        partial(RecolourEngine, runner=OPENVINO),
        partial(StabilizerEngine, runner=OPENVINO),
    )
    streams = [[noisy(smooth(seed), 4, 10 * seed + index) for index in range(12)] for seed in range(2)]
    looks = [Look(stability=16.0), Look(strength=0.5, stability=8.0)]

    def painted(number: int) -> list[np.ndarray]:
        stream, style = Stream(stylizer), book[("wave", "scream")[number]]
        return [stream.paint(photo, style, looks[number]) for photo in streams[number]]

    expected = [[picture.copy() for picture in painted(number)] for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(painted, range(2)))
    for number in range(2):
        for index, (one, other) in enumerate(zip(found[number], expected[number])):
            assert np.array_equal(one, other), f"picture {index} of stream {number}"
