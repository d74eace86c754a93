"""Live recordings: the time of each frame, pauses, and what is left of a show that ends badly."""

import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame
from realtime_nst.media.ffmpeg import executable
from realtime_nst.outputs import recording
from realtime_nst.outputs.recording import LiveFileSink, alive, fragments, plays, rescue_recordings
from tests.conftest import wait_until
from tests.readback import duration, picture_line, read_back

RATE = Fraction(20)
NOISE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def frame(shade: int, at: float) -> Frame:
    return Frame(np.full((32, 48, 3), shade, np.uint8), 0, at)


def shades(path: Path) -> dict[float, int]:
    """Time to brightness."""
    times, pictures = read_back(path)
    return {round(float(moment), 3): round(float(picture.mean())) for moment, picture in zip(times, pictures)}


def test_each_frame_has_the_time_at_which_it_was_captured(tmp_path: Path) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    moments = {5.0: 10, 5.5: 60, 5.52: 110, 6.0: 160, 7.0: 210}
    for at, shade in moments.items():
        sink.write(frame(shade, at))
    sink.close()
    sink.close()
    sink.discard()
    assert shades(tmp_path / "out.mp4") == {round(at - 5, 3): pytest.approx(shade, abs=6) for at, shade in moments.items()}
    assert duration(tmp_path / "out.mp4") == pytest.approx(2 + 1 / 30, abs=0.02), "the last one stays for a frame's time"
    assert sink.written and sink.whole and [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("claimed", [Fraction(5), Fraction(60), Fraction(30000, 1001)])
def test_what_the_camera_claims_changes_nothing(tmp_path: Path, claimed: Fraction) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, claimed)
    moments = np.arange(31) / 30 + np.random.default_rng(0).uniform(0, 0.02, 31)
    for at in moments:
        sink.write(frame(100, float(at)))
    sink.close()
    assert list(shades(tmp_path / "out.mp4")) == pytest.approx(moments - moments[0], abs=0.001)
    said = re.search(r"([\d.]+) tbr", picture_line(tmp_path / "out.mp4"))
    assert said and 29 < float(said[1]) <= 120, "no program takes the clock for the frame rate, or leaves out every second frame"


def test_a_large_recording_also_begins_at_zero(tmp_path: Path) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 2560, 1600, RATE)
    for index in range(3):
        sink.write(Frame(np.full((1600, 2560, 3), 100, np.uint8), 0, index / 10))
    sink.close()
    assert list(shades(tmp_path / "out.mp4")) == pytest.approx([0.0, 0.1, 0.2], abs=0.001)


def test_an_hour_of_pause_is_one_frame_that_stays(tmp_path: Path) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    for at in (1.0, 1.05, 3601.0, 3601.05):
        sink.write(frame(100, at))
    sink.close()
    assert list(shades(tmp_path / "out.mp4")) == pytest.approx([0.0, 0.05, 3600.0, 3600.05], abs=0.001)


def test_times_that_do_not_go_on_are_moved_by_a_tick(tmp_path: Path) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    for at in (2.0, 2.0, 1.0, 2.5):
        sink.write(frame(100, at))
    sink.close()
    assert list(read_back(tmp_path / "out.mp4")[0]) == pytest.approx([0.0, 1 / 90_000, 2 / 90_000, 0.5], abs=1e-4)


def test_without_a_frame_nothing_is_written_and_nothing_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"precious")
    for end in (LiveFileSink.close, LiveFileSink.discard):
        sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
        end(sink)
        assert not sink.written and [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


def record(sink: LiveFileSink, seconds: float = 10.0) -> None:
    """A picture that stays, and of which an encoder makes one key frame, until some of it is in the file."""
    for index in range(round(seconds * 20)):
        sink.write(Frame(NOISE, index, index / 20))
    assert wait_until(lambda: plays(sink._draft), 60)


@pytest.mark.parametrize("new", [True, False])
def test_when_ffmpeg_fails_what_was_recorded_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: bool) -> None:
    """Also with an ffmpeg that does not know of files which become ordinary ones."""
    if not new:
        old = (
            "-x264-params",
            recording.ENCODER,
            "-movflags",
            "+frag_keyframe+empty_moov+default_base_moof",
            "-frag_duration",
            "1000000",
        )
        monkeypatch.setattr(recording, "fragments", lambda: (*old, "-flush_packets", "1"))
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    record(sink)
    sink._writer._process.kill()
    with pytest.raises(SinkError, match=r"ffmpeg stopped while writing '.*out\.mp4' \(frame \d+\)"):
        while True:
            sink.write(frame(0, 11.0))
    sink.discard()
    assert sink.written and not sink.whole and [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    times, _ = read_back(tmp_path / "out.mp4")
    assert len(times) >= 20 and np.diff([float(moment) for moment in times]) == pytest.approx(0.05, abs=0.001)


def test_a_name_that_cannot_be_given_is_told_and_the_recording_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    record(sink)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SinkError, match=r"out\.mp4' was not finished: Permission denied"):
        sink.close()
    sink.discard()
    (draft,) = tmp_path.iterdir()
    assert not sink.written and draft.name in caplog.text and len(read_back(draft)[0]) == 200


DIES = """
import os, sys, time
from fractions import Fraction
from pathlib import Path
import numpy as np
from realtime_nst.outputs.recording import LiveFileSink, plays
from realtime_nst.frames import Frame
sink = LiveFileSink(Path(sys.argv[1]), 48, 32, Fraction(20))
for index in range(200):
    sink.write(Frame(np.random.randint(0, 256, (32, 48, 3), np.uint8), index, index / 20))
while not plays(sink._draft):
    time.sleep(0.01)
os.kill(sink._writer._process.pid, 9)  # as in a power cut: ffmpeg cannot finish either
os.kill(os.getpid(), 9)
"""


def test_a_power_cut_leaves_a_recording_that_plays_and_gets_its_name(tmp_path: Path) -> None:
    (tmp_path / "show.mp4").write_bytes(b"older")
    subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "show.mp4")], check=False, cwd=Path(__file__).parents[1])
    assert rescue_recordings(tmp_path) == [tmp_path / "show-2.mp4"]
    assert len(read_back(tmp_path / "show-2.mp4")[0]) >= 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["show-2.mp4", "show.mp4"]
    assert (tmp_path / "show.mp4").read_bytes() == b"older"


def test_a_file_of_fragments_becomes_an_ordinary_one_or_stays_one_that_plays(tmp_path: Path) -> None:
    sink = LiveFileSink(tmp_path / "out.mp4", 48, 32, RATE)
    record(sink)
    sink.close()
    assert duration(tmp_path / "out.mp4") == pytest.approx(10.0, abs=0.1)
    if "+hybrid_fragmented" in fragments():
        assert plays(tmp_path / "out.mp4")
        done = subprocess.run([executable(), "-v", "trace", "-i", tmp_path / "out.mp4"], capture_output=True, text=True)
        assert "type:'moof'" not in done.stderr


def test_recordings_that_grow_are_left_alone_however_long_they_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    asleep = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    names = {f".wave-20260101-120000.{asleep.pid}.live.part.mp4", f".film.{gone.pid}.part.mp4", ".x.live.part.mp4"}
    for name in (*names, f".wave.{gone.pid}.live.part.mp4", f".show.{os.getpid()}.live.part.mp4"):
        (tmp_path / name).write_bytes(b"moof")
        os.utime(tmp_path / name, (1, 1))
    sink = LiveFileSink(tmp_path / "mine.mp4", 48, 32, RATE)
    record(sink, 3.0)
    monkeypatch.chdir(tmp_path.parent)
    folder = Path(tmp_path.name)
    assert rescue_recordings(folder) == [folder / "show.mp4", folder / "wave.mp4"], "and not what this process writes itself"
    assert {path.name for path in tmp_path.iterdir()} == {"show.mp4", "wave.mp4", sink._draft.name, *names}
    asleep.communicate()
    sink.close()
    assert len(read_back(tmp_path / "mine.mp4")[0]) == 60


def test_a_draft_without_a_picture_is_removed(tmp_path: Path) -> None:
    (tmp_path / f".show.{os.getpid()}.live.part.mp4").write_bytes(b"")
    assert rescue_recordings(tmp_path) == [] and list(tmp_path.iterdir()) == []


def test_processes_that_have_ended_are_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert alive(child.pid) and alive(os.getpid())
    child.kill()
    assert wait_until(lambda: not alive(child.pid), 60), "not even before somebody has waited for them"
    child.communicate()
    assert not alive(child.pid) and not alive(2**40)
