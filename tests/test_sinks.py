"""Files and several sinks at once; windows are in test_window.py."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame
from realtime_nst.live.window import WindowSink
from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.results import check_output
from realtime_nst.outputs.registry import kind_of
from realtime_nst.outputs.sinks import NullSink, TeeSink, finishing
from tests.conftest import RecordingSink, frames_of


def frame(shade: int) -> Frame:
    """A grey frame."""
    return Frame(np.full((32, 48, 3), shade, np.uint8), 0, 0.0)


def shades(path: Path) -> list[int]:
    """Mean brightness of each frame of a file."""
    return [round(float(image.mean())) for image in frames_of(path)]


def test_file_frames_are_written_one_to_one(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "out.mp4", 48, 32, Fraction(20))
    for shade in range(0, 200, 20):
        writer.write(frame(shade).image)
    writer.close()
    assert shades(tmp_path / "out.mp4") == [pytest.approx(shade, abs=6) for shade in range(0, 200, 20)]


def test_finishing_closes_after_success_and_discards_after_failure() -> None:
    good, bad = RecordingSink(), RecordingSink()
    with finishing(good):
        pass
    assert good.closed and not good.discarded
    with pytest.raises(KeyboardInterrupt), finishing(bad):
        raise KeyboardInterrupt
    assert bad.discarded and not bad.closed


def test_tee_writes_to_all() -> None:
    first, second = RecordingSink(), RecordingSink()
    tee = TeeSink([first, second])
    tee.write(frame(1))
    tee.close()
    tee.discard()
    assert len(first.frames) == len(second.frames) == 1
    assert first.closed and second.closed and first.discarded and second.discarded


def test_tee_closes_and_discards_all_although_one_fails() -> None:
    class Broken(RecordingSink):
        def close(self) -> None:
            super().close()
            raise SinkError(self.word)

        def discard(self) -> None:
            super().discard()
            raise SinkError(self.word)

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

    sinks = [RecordingSink(), Broken("first"), RecordingSink(), Broken("second"), RecordingSink()]
    with pytest.raises(SinkError, match="first"):
        TeeSink(sinks).close()
    assert all(sink.closed for sink in sinks)
    with pytest.raises(SinkError, match="first"):
        TeeSink(sinks).discard()
    assert all(sink.discarded for sink in sinks)


def test_null_sink_takes_everything() -> None:
    sink = NullSink()
    sink.write(frame(1))
    sink.close()
    sink.discard()


def test_window_without_a_display_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("realtime_nst.live.window.sys.platform", "linux")
    with pytest.raises(SinkError, match="There is no display for a window.*Use --no-window, and -o FILE to record"):
        WindowSink("test", 64, 48)


def check_live_output(path: Path, *, overwrite: bool = False) -> None:
    kind_of(str(path)).check(str(path), overwrite)


def test_outputs_are_checked_before_any_work(tmp_path: Path) -> None:
    existing = tmp_path / "old.mp4"
    existing.write_bytes(b"precious")
    link = tmp_path / "link.mp4"
    link.symlink_to(existing)
    with pytest.raises(SinkError, match=r"'.*old\.mp4' exists\. Add --overwrite to replace it"):
        check_live_output(existing)
    check_live_output(existing, overwrite=True)
    for same in (existing, link):
        with pytest.raises(SinkError, match="Input and output are the same file"):
            check_output(same, sources=[existing], overwrite=True)
    with pytest.raises(SinkError, match=r"ends in '\.avi'; \.mp4, \.m4v, \.mov were expected"):
        check_live_output(tmp_path / "new.avi")
    with pytest.raises(SinkError, match="No folder '.*gone' for 'new.mp4'"):
        check_live_output(tmp_path / "gone" / "new.mp4")
    with pytest.raises(SinkError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(SinkError, match="cannot be written"):
        check_output(tmp_path / ("x" * 300 + ".png"))
    assert existing.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.mp4", "old.mp4"]
