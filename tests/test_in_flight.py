"""Several frames in work at once: their order, errors and end, and that they come out as one at a time."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial

import numpy as np
import pytest

from realtime_nst.engines.backend import MOST_AT_ONCE, Backend, choose_backend, for_files
from realtime_nst.engines.engine import PIXELS_AT_ONCE, WholeEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.frames import Frame
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.serving import load_stylizer
from realtime_nst.pipeline.in_flight import InFlight
from realtime_nst.style.book import StyleBook
from realtime_nst.style.look import Look
from realtime_nst.style.schedule import StylePath

PATIENCE = 30.0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_keep_their_order_whichever_is_ready_first(count: int) -> None:
    later = [threading.Event() for _ in range(12)]

    def call(number: int) -> int:
        if count > 1 and number % 2 == 0:  # it waits for the one behind it
            assert later[number + 1].wait(PATIENCE)
        later[number].set()
        return number

    in_flight = InFlight(count)
    assert list(in_flight.in_order(in_flight.begin(partial(call, number)) for number in range(12))) == list(range(12))


def test_as_many_run_at_once_as_may_and_no_more() -> None:
    running, most, met = 0, 0, threading.Barrier(3)
    lock = threading.Lock()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        met.wait(PATIENCE)  # only three at once get any further
        with lock:
            running -= 1

    in_flight = InFlight(3)
    list(in_flight.in_order(in_flight.begin(call) for _ in range(9)))
    assert most == 3


def test_one_at_a_time_needs_no_thread_and_is_finished_when_it_has_begun() -> None:
    in_flight, seen = InFlight(1), list[tuple[str, int]]()

    def begun() -> Iterator[Future[int]]:
        for number in range(3):
            future = in_flight.begin(partial(threading.get_ident))
            seen.append(("begun", number))
            yield future

    for number, thread in enumerate(in_flight.in_order(begun())):
        assert thread == threading.get_ident()
        seen.append(("taken", number))
    assert seen == [(what, number) for number in range(3) for what in ("begun", "taken")]


def test_the_next_call_is_prepared_while_the_only_one_runs() -> None:
    in_flight, prepared, running = InFlight(1, ahead=True), [threading.Event() for _ in range(5)], list[int]()

    def call(number: int) -> int:
        running.append(number)
        assert number == 4 or prepared[number + 1].wait(PATIENCE)
        assert running.pop() == number and not running  # one at a time
        return number

    def begun() -> Iterator[Future[int]]:
        for number in range(5):
            prepared[number].set()
            yield in_flight.begin(partial(call, number))

    assert list(in_flight.in_order(begun())) == list(range(5))


def test_an_error_comes_in_its_turn_and_all_that_runs_is_waited_for() -> None:
    ended = list[int]()

    def call(number: int) -> int:
        if number == 2:
            raise ValueError("broken lens")
        ended.append(number)
        return number

    in_flight, taken = InFlight(2), list[int]()
    with pytest.raises(ValueError, match="broken lens"):
        taken.extend(in_flight.in_order(in_flight.begin(partial(call, number)) for number in range(9)))
    assert set(ended) <= {0, 1, 3, 4}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("in-flight")]


@pytest.mark.parametrize(("count", "ahead"), [(1, False), (1, True), (3, True)])
def test_what_has_begun_comes_before_the_error_of_what_could_not(count: int, ahead: bool) -> None:
    in_flight, taken = InFlight(count, ahead=ahead), list[int]()

    def begun() -> Iterator[Future[int]]:
        for number in range(4):
            yield in_flight.begin(partial(int, number))
        raise OSError("the film ends in noise")

    with pytest.raises(OSError, match="the film ends in noise"):
        taken.extend(in_flight.in_order(begun()))
    assert taken == [0, 1, 2, 3]


def test_the_next_frame_is_looked_at_while_the_only_one_is_painted(book: StyleBook) -> None:
    looked_at = [threading.Event() for _ in range(6)]

    class Painter(PicturePainter):
        at_once = 1

        def begin(self, image: np.ndarray, style: object) -> object:  # type: ignore[override]
            number = int(image[0, 0, 0])
            looked_at[number].set()

            def paint() -> np.ndarray:
                assert number == 5 or looked_at[number + 1].wait(PATIENCE)
                return 255 - image

            return paint

    frames = [Frame(np.full((16, 16, 3), index, np.uint8), index, 0.0) for index in range(6)]
    painter = FramePainter(Painter(None, Look()), StylePath([book["wave"]]), 0.0, 25.0)  # type: ignore[arg-type]
    assert [int(frame.image[0, 0, 0]) for frame in painter(frames)] == [255, 254, 253, 252, 251, 250]


def test_repeated_frames_are_painted_once_and_all_keep_their_moment(book: StyleBook) -> None:
    """Frames of three equal pictures each, painted two at a time by what is slower with even ones."""
    painted, gate = list[int](), threading.Barrier(2)

    class Painter(PicturePainter):
        at_once = 2

        def begin(self, image: np.ndarray, style: object) -> object:  # type: ignore[override]
            def paint() -> np.ndarray:
                gate.wait(PATIENCE)
                painted.append(int(image[0, 0, 0]))
                return 255 - image

            return paint

    images = [np.full((16, 16, 3), index // 3, np.uint8) for index in range(24)]
    frames = [Frame(image, index, float(index)) for index, image in enumerate(images)]
    painter = FramePainter(Painter(None, Look()), StylePath([book["wave"]]), 0.0, 25.0)  # type: ignore[arg-type]
    found = list(painter(frames))
    assert sorted(painted) == list(range(8)) and painter.repeated == 16
    assert [(frame.index, frame.captured_at, int(frame.image[0, 0, 0])) for frame in found] == [
        (index, float(index), 255 - index // 3) for index in range(24)
    ]


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("look", [Look(), Look(0.6, 1.0), Look(stability=8.0, follow_camera=True)])
def test_frames_painted_at_once_are_bit_for_bit_those_painted_one_by_one(book: StyleBook, look: Look, at_once: int) -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (30, 40, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    images = [np.ascontiguousarray(scene[8:72, shift : shift + 96]) for shift in range(20)]
    frames = [Frame(image, index, 0.0) for index, image in enumerate(images)]
    backend = Backend("openvino", "bfloat16", gpu=False, at_once=at_once)
    several = PicturePainter(load_stylizer(backend), look)
    found = list(FramePainter(several, StylePath([book["wave"]]), 0.0, 25.0)(frames))
    alone = PicturePainter(load_stylizer(backend), look)
    for frame, image in zip(found, images, strict=True):
        assert np.array_equal(frame.image, alone.paint(image, book["wave"])), f"frame {frame.index}"
        assert frame.offset == alone.offset
    assert len({frame.offset for frame in found}) > 10 or not look.follow_camera


def test_files_take_a_frame_for_each_core_and_large_ones_fewer(book: StyleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.engines.backend.cores", lambda: 64)
    assert for_files(choose_backend("openvino", "float32", "cpu")).at_once == MOST_AT_ONCE
    assert for_files(Backend("jax", "float32", gpu=True)).at_once == 1
    assert for_files(Backend("openvino", "float16", gpu=True, device="GPU")).at_once == 1
    asked = list[int]()

    class Runner:
        in_strips = False
        upload = download = staticmethod(lambda array: array)

        def compile(self, build: object, *facts: object, at_once: int) -> None:
            asked.append(at_once)

    from realtime_nst.engines.engine import build_engine

    for width, height in ((640, 480), (1920, 1080), (3840, 2160), (8000, 6000)):
        engine = build_engine(book["wave"].body, width, height, Runner(), 16)  # type: ignore[arg-type]
        assert isinstance(engine, WholeEngine)
    assert asked == [16, PIXELS_AT_ONCE // (1920 * 1080), 2, 1]


def test_threads_that_share_a_program_each_get_their_own_picture(book: StyleBook) -> None:
    from realtime_nst.engines.engine import build_engine

    engine = build_engine(book["wave"].body, 32, 32, runner_for(Backend("openvino", "float32", gpu=False)), 2)
    rng = np.random.default_rng(1)
    photos = rng.integers(0, 256, (40, 32, 32, 3), np.uint8)
    vector = book["wave"].vector
    expected = [engine(photo, vector).copy() for photo in photos]
    in_flight = InFlight(4)  # more threads than requests
    found = in_flight.in_order(in_flight.begin(partial(engine, photo, vector)) for photo in photos)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


APART = """
import os, sys, time
from functools import partial
from realtime_nst.pipeline.in_flight import InFlight
in_flight = InFlight(2, apart=True)
if sys.argv[2:]:
    in_flight.begin(os.getpid).result()
begun = [in_flight.begin(partial(time.sleep, float(sys.argv[1]))) for _ in range(2)]
try:
    print("begun", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print(list(in_flight.in_order(begun)))
"""


def apart(*arguments: object) -> "subprocess.Popen[str]":
    """A program with two calls in processes of their own, as a terminal has it."""
    command = [sys.executable, "-c", APART, *map(str, arguments)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert started.stdout is not None and started.stdout.readline() == "begun\n"
    return started


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
def test_ctrl_c_does_not_reach_processes_not_even_while_they_start() -> None:
    program = apart(0.1)
    os.killpg(program.pid, signal.SIGINT)
    said, complaints = program.communicate(timeout=PATIENCE)
    assert (program.returncode, said, complaints) == (0, "[None, None]\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize("words", [(), ("at work",)], ids=["starting", "at work"])
def test_processes_end_with_the_one_that_started_them(words: tuple[str, ...]) -> None:
    program = apart(600, *words)
    program.kill()
    program.communicate(timeout=PATIENCE)  # the pipes end once nobody holds them
