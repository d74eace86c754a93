"""Video files in and out, read back with ffmpeg."""

import io
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.media import ffmpeg
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.ffmpeg import executable, last_words, messages
from realtime_nst.media.probing import probe
from tests.conftest import frames_of, wait_until

Clip = Callable[..., Path]


def about(path: Path) -> str:
    """What ffmpeg says about a file."""
    return subprocess.run([executable(), "-hide_banner", "-i", str(path)], capture_output=True, text=True).stderr


def test_probe_tells_size_rate_duration_and_sound(talkie: Path) -> None:
    info = probe(str(talkie))
    assert (info.width, info.height, info.rate) == (96, 64, Fraction(25))
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert [(track.kind, track.codec) for track in info.tracks if track.kind != "video"] == [("audio", "aac")]


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "25/2", "60"])
def test_rates_are_exact(make_clip: Clip, rate: str) -> None:
    clip = make_clip(f"rate{rate.replace('/', '_')}.mp4", "-f", "lavfi", "-i", f"testsrc=size=32x32:rate={rate}:duration=1")
    assert probe(str(clip)).rate == Fraction(rate)


def test_rotated_clip_has_the_size_that_one_sees(make_clip: Clip, talkie: Path) -> None:
    clip = make_clip("turned.mp4", "-display_rotation", "90", "-i", str(talkie), "-c", "copy")
    info = probe(str(clip))
    assert (info.width, info.height) == (64, 96)
    assert frames_of(clip)[0].shape == (96, 64, 3)


def test_frames_come_in_order_and_in_full(make_clip: Clip) -> None:
    grey = "nullsrc=size=32x16:rate=10:duration=2,format=gray,geq=lum='10*N'"
    clip = make_clip("count.mkv", "-f", "lavfi", "-i", grey, "-c:v", "ffv1")
    frames = frames_of(clip)
    assert [round(float(frame.mean()) / 10) for frame in frames] == list(range(20))


@pytest.mark.parametrize(("name", "count"), [("webcam_book.mkv", 109), ("bunny_360p_audio.mp4", 240), ("face_male.gif", 62)])
def test_real_clips_give_every_frame(clips: Path, name: str, count: int) -> None:
    assert len(frames_of(clips / name)) == count


def test_written_file_has_the_frames_the_size_and_the_colours(tmp_path: Path) -> None:
    colours = [(220, 30, 30), (30, 200, 40), (40, 60, 210), (128, 128, 128)]
    writer = FrameWriter(tmp_path / "out.mp4", 64, 48, Fraction(30000, 1001))
    for colour in colours * 5:
        writer.write(np.full((48, 64, 3), colour, np.uint8))
    writer.close()
    writer.close()
    frames = frames_of(tmp_path / "out.mp4")
    assert len(frames) == 20
    for frame, colour in zip(frames, colours * 5):
        assert np.abs(frame.astype(int) - colour).max() <= 12
    assert probe(str(tmp_path / "out.mp4")).rate == Fraction(30000, 1001)
    assert "h264" in about(tmp_path / "out.mp4") and "yuv420p(tv, bt709" in about(tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (33, 31)])
def test_odd_sizes_stay_what_they_are(tmp_path: Path, width: int, height: int) -> None:
    writer = FrameWriter(tmp_path / "odd.mp4", width, height, Fraction(25))
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = 255
    for _ in range(3):
        writer.write(image)
    writer.close()
    frame = frames_of(tmp_path / "odd.mp4")[0].astype(int)
    assert frame.shape == (height, width, 3)
    assert frame[:, : width // 2 - 2].max() < 30 and frame[:, width // 2 + 2 :].min() > 225


def test_existing_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"precious")
    writer = FrameWriter(path, 64, 48, Fraction(25))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    assert path.read_bytes() == b"precious"
    writer.discard()
    assert path.read_bytes() == b"precious" and [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_ffmpeg_that_dies_is_told_with_its_words(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "out.mp4", 64, 48, Fraction(25))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer._process.kill()
    with pytest.raises(SinkError, match=r"ffmpeg stopped while writing '.*out\.mp4' \(frame \d+\)\. It said: "):
        for _ in range(1000):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No folder .* for 'out.mp4'. Create it"):
        FrameWriter(tmp_path / "gone" / "out.mp4", 64, 48, Fraction(25))


def test_what_is_no_video_is_told(tmp_path: Path, talkie: Path, make_clip: Clip) -> None:
    (tmp_path / "text.mp4").write_text("this is no film")
    (tmp_path / "cut.mp4").write_bytes(talkie.read_bytes()[:3000])
    sound = make_clip("sound.m4a", "-f", "lavfi", "-i", "sine=duration=1")
    said = r"holds no video that can be read\. ffmpeg said: "
    only_sound = r"holds no video that can be read: it has no picture, only audio\. Choose a file with pictures\."
    for path, words in ((tmp_path / "text.mp4", said), (tmp_path / "cut.mp4", said), (sound, only_sound)):
        with pytest.raises(SourceError, match=words):
            probe(str(path))


def test_reader_closes_while_another_thread_waits_for_frames(make_clip: Clip, talkie: Path) -> None:
    import threading

    reader = FrameReader(str(talkie), probe(str(talkie)), live=True)
    taken: list[int] = []

    def take() -> None:
        while reader.read() is not None:
            taken.append(1)

    thread = threading.Thread(target=take)
    thread.start()
    assert wait_until(lambda: bool(taken), 60)
    reader.close()
    reader.close()
    thread.join(60)
    assert not thread.is_alive()


def test_last_words_are_the_telling_ones() -> None:
    said = "[mp4 @ 0x55] Timestamps odd\n[out#0 @ 0x12] Error writing trailer: No space left on device\nConversion failed!\n"
    assert last_words(said, "x.mp4") == "Error writing trailer: No space left on device."
    assert last_words("", "x.mp4") == "nothing."
    vague = "[vost#0:0 @ 0x5] Error while opening encoder - maybe incorrect parameters\n"
    assert last_words(f"Svt[warn]: Failed to set thread priority\n{vague}", "x") == (
        "Error while opening encoder - maybe incorrect parameters."
    )
    assert last_words(f"{vague}[libx265 @ 0x55] [error] Width must be at least 16\n", "x") == "Width must be at least 16."


def test_titles_do_not_count_as_reasons() -> None:
    said = "    title           : Invalid and too large\n[mov,mp4 @ 0x5] [error] moov atom not found\n"
    assert last_words(said, "x.mp4") == "moov atom not found."


def test_messages_are_told_apart_whatever_is_in_them() -> None:
    unended = b"[warning] Odd angle.\nUpload a sample. (list@ffmpeg.org)config in time_base: 1/25, frame_rate: 25/1\n"
    long = b"[info] Input #0, mov, from '" + b"n" * (1023 - 28)  # cut off, with its line end
    log = b"[info]   Metadata:\n[info]     title           : one\n                    : Stream #0:5: Video: h264\n"
    assert messages(log + unended + long + b"[info]   Duration: 1\n[h264 @ 0x5] [error] no frame!\r\n").split("\n") == [
        "  Metadata:",
        "    title           : one                     : Stream #0:5: Video: h264",
        "[warning] Odd angle. Upload a sample. (list@ffmpeg.org)config in time_base: 1/25, frame_rate: 25/1",
        "Input #0, mov, from '" + "n" * (1023 - 28),
        "  Duration: 1",
        "[h264 @ 0x5] [error] no frame!",
    ]


@pytest.mark.parametrize("separator", ["\n", "\r", "\u2028", "\x85", "\x0b", "\x1c"])
def test_a_title_that_looks_like_a_track_is_none(make_clip: Clip, talkie: Path, separator: str) -> None:
    looks = f"A film{separator}  Duration: 09:00:00.00{separator}  Stream #0:7: Video: h264, none{separator}Stream mapping:"
    title = ("-metadata", f"title={looks}", "-metadata", f"{looks}=in its name", "-metadata:s:v", f"handler_name={looks}")
    info, plain = probe(str(make_clip("titled.mkv", "-i", str(talkie), "-c", "copy", *title))), probe(str(talkie))
    assert info.tracks == tuple(replace(track, language="") for track in plain.tracks)
    assert (info.width, info.height, info.rate, info.duration) == (96, 64, 25, pytest.approx(2.0, abs=0.05))


def test_a_path_as_long_as_the_system_allows_hides_nothing(tmp_path: Path, talkie: Path) -> None:
    folder = tmp_path.joinpath(*(["n" * 200] * 6))
    folder.mkdir(parents=True)
    clip = folder / "clip\n  Stream #0:5: Video: h264.mp4"
    clip.write_bytes(talkie.read_bytes())
    info, plain = probe(str(clip)), probe(str(talkie))
    assert (info.duration, info.tracks, info.tags) == (plain.duration, plain.tracks, plain.tags)


def test_the_time_of_a_frame_is_read_after_a_message_without_an_end(talkie: Path) -> None:
    """The times of all later frames would be those of others, if one were missed."""
    frame = "n: {n} pts: {pts} pts_time:0 duration: 1 duration_time:0 fmt:rgb24 sar:1/1 s:{size} i:P iskey:1 type:I"
    clock = "config in time_base: 1/{ticks}, frame_rate: 25/1"
    decoded, shown, odd = "[showinfo@decoded @ 0x1] [info] ", "[Parsed_showinfo_3 @ 0x2] [info] ", "[h264 @ 0x5] [warning] Odd."
    lines = [odd + clock.format(ticks=10), shown + clock.format(ticks=5)]
    for n in range(6):
        first, second = frame.format(n=n, pts=10 * n, size="96x64"), frame.format(n=n, pts=n, size="9x9")
        lines += [(odd if n in (0, 2) else decoded) + first, (odd if n in (0, 3) else shown) + second]
    reader = FrameReader(str(talkie), probe(str(talkie)))
    reader.close()
    reader.sizes.clear()
    times = list(reader._listen(io.BytesIO("\n".join(lines).encode())))
    assert times == [(Fraction(n, 5), Fraction(1, 5)) for n in range(6)]
    assert reader.sizes == {(96, 64): 0} and reader.complaints == 0


def test_a_slow_encoder_may_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty times nine seconds between two writes, where ten without one would be too long."""
    out, now, writes = tmp_path / "slow.ts", [0.0], [20]

    def wait(process: object, seconds: float) -> int | None:
        now[0] += 3
        if now[0] % 9 == 0:
            writes[0] -= 1
            out.write_bytes(b"x" * int(now[0]))
        return None if writes[0] else 0

    monkeypatch.setattr(ffmpeg, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(ffmpeg, "wait", wait)
    assert ffmpeg.watch(None, out, 10.0) == 0 and now[0] == 180  # type: ignore[arg-type]
    writes[0] = 20
    assert ffmpeg.watch(None, out, 5.0) is None  # type: ignore[arg-type]
    writes[0] = 20
    assert ffmpeg.watch(None, out, 5.0, lambda: now[0]) == 0, "frames are counted where nothing is written"  # type: ignore[arg-type]


def test_an_encoder_that_stands_still_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.media.encoding.CLOSE_TIMEOUT", 1.0)
    writer = FrameWriter(tmp_path / "out.mp4", 64, 48, Fraction(25))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    os.kill(writer._process.pid, signal.SIGSTOP)
    with pytest.raises(SinkError, match=r"out\.mp4' \(frame 1\)\. It said: No progress for 1 seconds"):
        writer.close()
    assert list(tmp_path.iterdir()) == []
