"""The loop, with fakes at both ends."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.frames import Frame
from realtime_nst.live.controls import Controls
from realtime_nst.live.remote import LiveRemote
from realtime_nst.live.snapshots import Snapshots
from realtime_nst.outputs.sinks import TeeSink
from realtime_nst.pipeline.loop import Unattended, run
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.book import StyleBook
from tests.conftest import FakeSource, RecordingSink, wait_until


def same(frame: Frame) -> Frame:
    """An identity stylizer."""
    return frame


class CountingSource(FakeSource):
    """Knows how many frames it has made."""

    made = 0

    def __iter__(self) -> Iterator[Frame]:
        for frame in super().__iter__():
            self.made += 1
            yield frame


@pytest.fixture
def controls(book: StyleBook) -> Controls:
    """Controls over the test styles."""
    return Controls(list(book.values()))


def test_every_frame_of_a_file_arrives_in_order() -> None:
    sink, stats = RecordingSink(), Stats()
    run(FakeSource(200), partial(map, same), sink, Unattended(), stats)
    assert [frame.index for frame in sink.frames] == list(range(200))
    assert stats.frames == 200 and stats.dropped == 0


def test_live_source_drops_before_inference_and_stays_fresh() -> None:
    stylized: list[int] = []
    began: list[float] = []
    source = CountingSource(live=True, count=None, pause=0.004)

    def slow(frame: Frame) -> Frame:
        began.append(time.monotonic())
        made = source.made
        assert wait_until(
            lambda: source.made >= made + 5 or source.closed.is_set(), 60
        )  # longer than the camera takes for a few frames
        stylized.append(frame.index)
        return frame

    sink, stats = RecordingSink(), Stats()
    run(source, partial(map, slow), sink, Unattended(), stats, frames=12)
    shown = [frame.index for frame in sink.frames]
    assert len(shown) == 12 and shown == sorted(set(shown))
    assert shown == stylized[:12], "a frame was stylized and then thrown away"
    assert stats.dropped > 12
    for place, frame in enumerate(sink.frames[3:], start=3):
        assert frame.captured_at > began[place - 3], "a frame waits no longer than those before it are painted"


def test_what_nobody_sees_is_not_painted_until_somebody_looks_again(controls: Controls) -> None:
    source = CountingSource(live=True, count=None, pause=0.001)
    looking = False
    unseen: list[int] = []
    painted: list[tuple[int, bool]] = []

    class Away(RecordingSink):
        def poll_key(self, timeout: float) -> str | None:
            nonlocal looking
            if not looking and not controls.watched:
                unseen.append(source.made)
                looking = source.made > unseen[0] + 100
            return super().poll_key(timeout)

    def paint(frame: Frame) -> Frame:
        painted.append((frame.index, looking))
        return frame

    sink = Away()
    run(source, partial(map, paint), sink, LiveRemote(controls, sink, watched=lambda: looking), Stats(), frames=10)
    for_nobody = [index for index, seen in painted if not seen and index > unseen[0] + 1]
    assert not for_nobody and len(painted) >= 8 and min(index for index, seen in painted if seen) > unseen[0]


def test_stylizer_error_reaches_the_caller_and_threads_end() -> None:
    def broken(frame: Frame) -> Frame:
        raise RuntimeError("no memory on the device")

    source = FakeSource(count=None)
    with pytest.raises(RuntimeError, match="no memory"):
        run(source, partial(map, broken), RecordingSink(), Unattended(), Stats())
    assert source.closed.is_set()


def test_source_error_comes_after_the_frames_before_it() -> None:
    class Failing(FakeSource):
        def __iter__(self) -> Iterator[Frame]:
            yield from list(super().__iter__())
            raise OSError("unplugged")

    sink = RecordingSink()
    with pytest.raises(OSError, match="unplugged"):
        run(Failing(5), partial(map, same), sink, Unattended(), Stats())
    assert len(sink.frames) == 5


def test_sink_error_closes_the_source() -> None:
    class Full(RecordingSink):
        def write(self, frame: Frame) -> None:
            raise OSError("No space left on device")

    source = FakeSource(count=None)
    with pytest.raises(OSError, match="No space"):
        run(source, partial(map, same), Full(), Unattended(), Stats())
    assert source.closed.is_set()


def test_quit_key_ends_the_show(controls: Controls) -> None:
    sink = RecordingSink(keys={3: "q"})
    run(FakeSource(count=None), partial(map, same), sink, LiveRemote(controls, sink), Stats())
    assert len(sink.frames) == 3


def test_stalled_camera_does_not_block_keys_or_the_end(controls: Controls) -> None:
    release = threading.Event()

    class Stalled(FakeSource):
        def __iter__(self) -> Iterator[Frame]:
            yield from FakeSource(2)
            release.wait(120)

    class QuitLater(RecordingSink):
        def poll_key(self, timeout: float) -> str | None:
            super().poll_key(timeout)
            return "q" if self.polls > 6 else None

    started = time.monotonic()
    sink = QuitLater()
    run(Stalled(live=True), partial(map, same), sink, LiveRemote(controls, sink), Stats())
    assert time.monotonic() - started < 60
    release.set()


def test_a_picture_that_is_being_painted_is_waited_for_at_the_end(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.pipeline.loop.STOP_TIMEOUT", 0.01)
    source = FakeSource(live=True, count=None, pause=0.004)
    painting, painted = threading.Event(), threading.Event()

    def slow(frame: Frame) -> Frame:
        painting.set()
        assert source.closed.wait(60), "the show has ended meanwhile"
        painted.wait(0.2)  # longer than a camera would be waited for
        painted.set()
        return frame

    class QuitMeanwhile(RecordingSink):
        def poll_key(self, timeout: float) -> str | None:
            return "q" if painting.is_set() else None

    sink = QuitMeanwhile()
    run(source, partial(map, slow), sink, LiveRemote(controls, sink), Stats())
    assert painted.is_set()


def test_pause_takes_no_frames_until_it_ends(controls: Controls) -> None:
    class PauseThenGoOn(RecordingSink):
        asked = 0

        def poll_key(self, timeout: float) -> str | None:
            super().poll_key(timeout)
            if len(self.frames) == 2:
                self.asked += 1
                return "space" if self.asked in (1, 10) else None
            return None

    sink = PauseThenGoOn()
    run(FakeSource(5), partial(map, same), sink, LiveRemote(controls, sink), Stats())
    assert sink.asked == 10
    assert [frame.index for frame in sink.frames] == list(range(5))


def test_style_switch_takes_effect_within_the_frames_already_on_their_way(controls: Controls) -> None:
    names: list[str] = []

    def note(frame: Frame) -> Frame:
        names.append(controls.style.name)
        return frame

    sink = RecordingSink(keys={5: "2"})
    run(FakeSource(20), partial(map, note), sink, LiveRemote(controls, sink), Stats())
    assert names[0] == controls.styles[0].name and names[-1] == controls.styles[1].name
    assert len(sink.frames) == 20, "a switch dropped a frame"
    assert names.index(controls.styles[1].name) <= 5 + 3


def test_snapshot_saves_the_frame_on_show_also_while_paused(controls: Controls) -> None:
    saved: list[int] = []
    keys = iter(["space", None, "s", None, "space"])

    class Keys(RecordingSink):
        def poll_key(self, timeout: float) -> str | None:
            super().poll_key(timeout)
            return next(keys, None) if self.frames else None

    class Album(Snapshots):
        def save(self, frame: Frame) -> None:
            saved.append(frame.index)

    sink, album = Keys(), Album(Path(), controls)
    run(FakeSource(4), partial(map, same), TeeSink([sink, album]), LiveRemote(controls, sink, [album]), Stats())
    assert len(saved) == 1 and saved[0] <= 2


def test_interrupt_is_a_request_to_quit_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)

    class Interrupted(RecordingSink):
        def write(self, frame: Frame) -> None:
            super().write(frame)
            if len(self.frames) == 4:
                os.kill(os.getpid(), signal.SIGINT)

    sink, remote = Interrupted(), Unattended()
    run(FakeSource(count=None), partial(map, same), sink, remote, Stats())
    assert remote.quit and 4 <= len(sink.frames) <= 5
    assert signal.getsignal(signal.SIGINT) is before


def test_frames_may_be_changed_without_touching_the_sources() -> None:
    sink = RecordingSink()
    run(FakeSource(3), partial(map, lambda frame: frame.with_image(255 - frame.image)), sink, Unattended(), Stats())
    assert [int(frame.image[0, 0, 0]) for frame in sink.frames] == [255, 254, 253]
    assert all(frame.image.dtype == np.uint8 for frame in sink.frames)
