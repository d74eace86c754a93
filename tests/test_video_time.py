"""`video`, time: every frame once and at its moment, sound in step, parts of a file; read back from the output."""

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.errors import DiskFullError
from realtime_nst.media import decoding
from realtime_nst.media.decoding import FrameReader
from realtime_nst.media.probing import probe
from realtime_nst.media.timing import FrameClock, later_timecode, ticks_per_second
from tests.conftest import painting_by
from tests.readback import NUMBERED, about, duration, lag, number_in, numbered_source, numbers, picture_line, read_back, sound

Clip = Callable[..., Path]
Run = Callable[..., int]
RATES = ["24000/1001", "30000/1001", "60000/1001", "25", "50", "12.5", "15", "120", "1", "29.83"]
BEEPS = "aevalsrc='if(lt(mod(t,1),0.05),sin(2*PI*(600+200*floor(t))*t),0)':s=48000:d={seconds}"


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("rate", RATES)
def test_constant_rates_are_exact(run: Run, tmp_path: Path, make_clip: Clip, rate: str, suffix: str) -> None:
    clip = make_clip(
        f"r{rate.replace('/', '_')}.{suffix}",
        *numbered_source(rate=rate, seconds=1 if Fraction(rate) > 10 else 8),
        "-pix_fmt",
        "yuv420p",
    )
    out = tmp_path / "out.mp4"
    assert run("video", clip, "-o", out) == 0
    times, images = read_back(out)
    exact = Fraction(rate)
    assert times == [count / exact for count in range(len(times))], "a multiple of the rate, to the last digit"
    assert [number_in(image) for image in images] == list(range(len(read_back(clip)[0])))


@pytest.mark.usefixtures("identity")
def test_two_hours_of_film_end_in_step(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    """Two hours at 24000/1001: a rate rounded to two decimals would be a second off; sound is checked at the end."""
    beep = "sine=frequency=500:sample_rate=8000:duration=7200,volume='between(t,7195,7195.2)':eval=frame"
    part = make_clip(
        "part.mov", "-f", "lavfi", "-i", "color=gray:size=16x16:rate=24000/1001", "-frames:v", "2000",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "2000", "-bf", "0",
    )  # fmt: skip
    clip = make_clip(
        "film.mp4", "-stream_loop", "-1", "-i", str(part), "-f", "lavfi", "-i", beep,
        "-t", "7200", "-c:v", "copy", "-c:a", "pcm_s16le", "-f", "mov",
    )  # fmt: skip
    out = tmp_path / "out.mov"
    assert run("video", clip, "-o", out, "--start", "1:59:30") == 0
    times, _ = read_back(out)
    first = next(number for number in range(171_000, 173_000) if number * Fraction(1001, 24000) >= 7170 - Fraction(1, 2000))
    assert len(times) == 172_628 - first
    assert abs(times[0] - (first * Fraction(1001, 24000) - 7170)) < Fraction(1, 20_000)
    assert all(after - before == Fraction(1001, 24000) for before, after in pairwise(times))
    samples = sound(out, rate=8000)
    begins = np.flatnonzero(np.abs(samples) > 0.02)[0] / 8000
    assert begins == pytest.approx(25.0, abs=0.03)


@pytest.mark.slow
@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_two_whole_hours_of_film_have_every_frame_and_sound_in_step(
    run: Run, tmp_path: Path, make_clip: Clip, suffix: str
) -> None:
    """All of two hours, in ninety segments, at a tenth of NTSC's rate, so that it takes a minute."""
    rate, moments = Fraction(3000, 1001), (10, 3600, 7195)
    beeps = "+".join(f"between(t,{moment},{moment}.2)" for moment in moments)
    beep = f"sine=frequency=500:sample_rate=8000:duration=7200,volume='{beeps}':eval=frame"
    clip = make_clip(
        "hours.mov", "-f", "lavfi", "-i", f"nullsrc=size=96x16:rate={rate}:duration=7200,format=yuv444p,{NUMBERED}",
        "-f", "lavfi", "-i", beep, "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-crf", "30", "-c:a", "pcm_s16le",
    )  # fmt: skip
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out, "--quiet") == 0
    before, after = read_back(clip)[0], read_back(out)
    assert len(before) == len(after[0]) == 21_579
    grain = Fraction(1, 1000) if suffix == "mkv" else 0
    assert max(abs(time - count / rate) for count, time in enumerate(after[0])) <= grain
    assert [number_in(image) for image in after[1]] == [count % 4096 for count in range(21_579)]
    assert duration(out) == pytest.approx(7200, abs=0.4)
    loud = [np.abs(sound(path, rate=8000)) > 0.02 for path in (clip, out)]
    for moment in moments:
        near = slice((moment - 5) * 8000, (moment + 4) * 8000)
        begins = [np.flatnonzero(samples[near])[0] / 8000 for samples in loud]
        assert begins[0] == pytest.approx(5, abs=0.2) and begins[1] == pytest.approx(begins[0], abs=0.03)


def test_clock_of_a_two_hour_film_does_not_drift() -> None:
    """Milliseconds in, as Matroska has them; exact multiples of the rate out, two hours long."""
    rate = Fraction(24000, 1001)
    clock = FrameClock(rate, Fraction(1, 1000))
    step = ticks_per_second(rate) / rate
    for count in [*range(2000), *range(170_000, 172_628)]:
        assert clock.tick(Fraction(round(count * 1000 / rate), 1000)) == count * step


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_variable_rate_keeps_every_frames_time(run: Run, tmp_path: Path, make_clip: Clip, suffix: str) -> None:
    clip = make_clip(
        f"vfr.{suffix}", "-f", "lavfi", "-i", f"nullsrc=size=96x64:rate=60:duration=12,format=yuv444p,{NUMBERED}",
        "-vf", "select='not(mod(n,2))*lt(t,3)+between(t,3,5)*not(mod(n,7))+between(t,7.5,9)+gt(t,11.5)*not(mod(n,5))'",
        "-fps_mode", "vfr", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    before, images = read_back(clip)
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    after, painted = read_back(out)
    assert [number_in(image) for image in painted] == [number_in(image) for image in images]
    assert len(before) == len(after)
    assert max(abs(one - other) for one, other in zip(before, after)) <= Fraction(1, 1000)
    gaps = [later - earlier for earlier, later in pairwise(before)]
    assert max(gaps) > 40 * min(gaps), "the clip was not variable"


@pytest.mark.usefixtures("identity")
def test_variable_rate_over_segments_has_no_seam(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 8)
    clip = make_clip(
        "seams.mp4", "-f", "lavfi", "-i", f"nullsrc=size=96x64:rate=60:duration=8,format=yuv444p,{NUMBERED}",
        "-vf", "select='not(mod(n,1+mod(floor(n/9),13)))'", "-fps_mode", "vfr", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    before, images = read_back(clip)
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    after, painted = read_back(tmp_path / "out.mp4")
    assert [number_in(image) for image in painted] == [number_in(image) for image in images]
    assert max(abs(one - other) for one, other in zip(before, after)) <= Fraction(1, 20_000)
    assert after == sorted(set(after))


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("name", ["pancake_vfr_audio.mp4", "static_cars_audio.mp4", "bunny_360p_audio.mp4", "face_male.gif"])
def test_real_clips_keep_their_times_and_sound(run: Run, tmp_path: Path, clips: Path, name: str) -> None:
    out = tmp_path / "out.mp4"
    assert run("video", clips / name, "-o", out) == 0
    before, after = read_back(clips / name)[0], read_back(out)[0]
    assert len(before) == len(after) and max(abs(a - b) for a, b in zip(before, after)) <= Fraction(
        1, 100 if name.endswith("gif") else 900
    )
    if "audio" in name:
        assert lag(sound(clips / name), sound(out)) == 0
        assert duration(out) == pytest.approx(duration(clips / name), abs=0.05)


def beeping(make_clip: Clip, name: str, *arguments: str, seconds: int = 6, delay: str = "0") -> Path:
    """A numbered clip with a beep at each second."""
    return make_clip(
        name, *numbered_source(rate="25", seconds=seconds), "-itsoffset", delay, "-f", "lavfi", "-i",
        BEEPS.format(seconds=seconds), *arguments, "-pix_fmt", "yuv420p",
    )  # fmt: skip


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("name", "arguments", "delay"),
    [
        ("plain.mp4", [], "0"),
        ("late-sound.mp4", [], "0.7"),
        ("late-picture.mkv", [], "-0.6"),
        ("stream.ts", ["-f", "mpegts"], "0"),
        ("late-sound.ts", ["-f", "mpegts"], "0.7"),
        ("late-picture.ts", ["-f", "mpegts"], "-0.6"),
        ("late-picture.flv", ["-c:a", "mp3"], "-0.6"),
        ("old.avi", ["-c:v", "mpeg4", "-q:v", "2", "-c:a", "mp3"], "0"),
        ("pcm.mov", ["-c:a", "pcm_s16le"], "0"),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_stays_in_step(
    run: Run, tmp_path: Path, make_clip: Clip, name: str, arguments: list[str], delay: str, suffix: str
) -> None:
    clip = beeping(make_clip, name, *arguments, delay=delay)
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0

    def picture_to_sound(path: Path) -> tuple[float, float]:
        """Moment of picture 50, and of the first beep of 1000 Hz, which begins at the second second."""
        times, images = read_back(path)
        moment = next(time for time, image in zip(times, images) if number_in(image) == 50)
        samples = sound(path)
        tone = np.sin(2 * np.pi * 1000 * np.arange(2400) / 48000)
        return float(moment), lag(tone, samples)

    before, after = picture_to_sound(clip), picture_to_sound(out)
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], abs=0.003)
    assert numbers(out) == numbers(clip)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(("start", "end"), [("2", None), (None, "3"), ("1.5", "0:04"), ("0:03.52", "3.64"), ("4.98", None)])
def test_parts_of_a_file(run: Run, tmp_path: Path, make_clip: Clip, start: str | None, end: str | None, suffix: str) -> None:
    clip = beeping(make_clip, "parts.mp4", "-g", "60")
    out = tmp_path / f"out.{suffix}"
    flags = [*(["--start", start] if start else []), *(["--end", end] if end else [])]
    assert run("video", clip, "-o", out, *flags) == 0
    begin = float(start.rpartition(":")[2]) if start else 0.0
    stop = float(end.rpartition(":")[2]) if end else 6.0
    expected = [number for number in range(150) if begin - 0.0005 <= number / 25 < stop - 0.0005]
    times, images = read_back(out)
    assert [number_in(image) for image in images] == expected
    late = float(times[0]) - (expected[0] / 25 - begin)
    assert abs(late) < (0.0011 if suffix == "mp4" else 0.025), "Matroska begins with a whole packet of sound"
    assert duration(out) == pytest.approx(stop - begin, abs=0.06)
    piece = sound(clip)[round(begin * 48000) : round(stop * 48000)]
    if stop - begin > 1.5:
        assert lag(piece, sound(out)) == pytest.approx(late, abs=0.002)


@pytest.mark.usefixtures("identity")
def test_start_in_a_bare_stream_whose_times_are_made_up(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = make_clip(
        "bare.m2v", *numbered_source(seconds=8), "-c:v", "mpeg2video", "-bf", "2", "-b:v", "500k", "-pix_fmt", "yuv420p"
    )
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--start", "5", "--end", "7") == 0
    assert numbers(tmp_path / "out.mkv") == list(range(125, 175))


@pytest.mark.usefixtures("identity")
def test_a_thousand_frames_per_second_are_as_long_as_they_were(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = make_clip("fast.mkv", *numbered_source(rate="1000", seconds=0.3), "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    times, images = read_back(tmp_path / "out.mp4")
    assert [number_in(image) for image in images] == list(range(300))
    assert [float(time) for time in times] == pytest.approx([count / 1000 for count in range(300)], abs=0.0015)


@pytest.mark.usefixtures("identity")
def test_start_where_seeking_lands_late(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    """An MPEG stream with one keyframe at its beginning: the part after it can only be had by decoding all."""
    clip = make_clip("onekey.ts", *numbered_source(seconds=6), "-g", "1000", "-pix_fmt", "yuv420p", "-f", "mpegts")
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--start", "4") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(100, 150))


def test_repeated_frames_are_painted_once(
    tmp_path: Path, make_clip: Clip, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_nst.cli.main import main

    painted: list[int] = []

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        painted.append(number_in(image))
        return image

    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(paint))
    clip = make_clip("onthrees.mkv", *numbered_source(rate="8", seconds=3), "-vf", "fps=24", "-c:v", "ffv1")
    assert main(["video", str(clip), "-o", str(tmp_path / "out.mp4"), "--weights", str(weights)]) == 0
    assert len(read_back(clip)[0]) == len(read_back(tmp_path / "out.mp4")[0]) == 72
    assert painted == list(range(24))
    assert numbers(tmp_path / "out.mp4") == numbers(clip)


def test_clock_survives_missing_repeated_and_absurd_times() -> None:
    clock = FrameClock(Fraction(25), Fraction(1, 1000), duration=10.0)
    step = clock.step
    times = [Fraction(0), None, Fraction(2, 25), Fraction(2, 25), Fraction(3, 25), Fraction(10**9), Fraction(1, 25)]
    ticks = [clock.tick(time) for time in times]
    assert ticks[:3] == [0, step, 2 * step] and ticks[4] == 3 * step and ticks[5] == 4 * step
    assert ticks == sorted(set(ticks))
    fine = FrameClock(Fraction(25), Fraction(1, 12_800))
    seconds = [fine.tick(Fraction(time, 1000)) / fine.ticks_per_second for time in (0, 0, 0, 5)]
    assert seconds == pytest.approx([0.0, 0.001, 0.002, 0.005]), "as little apart as Matroska can tell, and nobody waits"


def test_rate_is_written_down(run: Run, tmp_path: Path, make_clip: Clip, identity: None) -> None:
    clip = make_clip("ntsc.mkv", *numbered_source(rate="24000/1001", seconds=2), "-pix_fmt", "yuv420p")
    for suffix in ("mp4", "mkv", "mov"):
        assert run("video", clip, "-o", tmp_path / f"out.{suffix}") == 0
        assert "23.98 fps" in picture_line(tmp_path / f"out.{suffix}")


def test_recordings_put_together_go_on_where_times_begin_anew(run: Run, tmp_path: Path, make_clip: Clip, identity: None) -> None:
    piece = make_clip("piece.ts", *numbered_source(seconds=2), "-c:v", "mpeg2video", "-q:v", "2", "-bf", "0", "-f", "mpegts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(piece.read_bytes() * 2)
    assert run("video", joined, "-o", tmp_path / "out.mp4") == 0
    times, images = read_back(tmp_path / "out.mp4")
    found = [number_in(image) for image in images]
    assert found[:50] == list(range(50)) and found[-45:] == list(range(5, 50))
    assert float(times[-1]) == pytest.approx(4, abs=0.3) and max(b - a for a, b in pairwise(times)) < Fraction(1, 5)


PAUSE = ["-f", "gif", "-final_delay", "300"]


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "gif"])
@pytest.mark.parametrize("segment", [240, 7])
def test_last_frame_is_shown_as_long_as_before(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    suffix: str, segment: int,
) -> None:  # fmt: skip
    """A GIF of one second that stands still for three more at its end."""
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", segment)
    clip = make_clip("pause.gif", *numbered_source(rate="10", seconds=1), *PAUSE)
    assert duration(clip) == pytest.approx(3.9, abs=0.02)
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    assert "ended early" not in capsys.readouterr().err
    assert len(read_back(out)[0]) == 10 and duration(out) == pytest.approx(3.9, abs=0.03)
    assert run("video", clip, "-o", tmp_path / f"cut.{suffix}", "--end", "2") == 0
    assert duration(tmp_path / f"cut.{suffix}") == pytest.approx(2, abs=0.03)


@pytest.mark.usefixtures("identity")
def test_last_frame_is_remembered_where_joining_fails(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(job: object, draft: Path) -> list[str]:
        raise DiskFullError("No space left on device")

    clip = make_clip("pause.gif", *numbered_source(rate="10", seconds=1), *PAUSE)
    with monkeypatch.context() as patch:
        patch.setattr("realtime_nst.jobs.film.join", full)
        assert run("video", clip, "-o", tmp_path / "out.mp4") == 1
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert duration(tmp_path / "out.mp4") == pytest.approx(3.9, abs=0.02)


@pytest.mark.usefixtures("identity")
def test_sound_that_is_longer_than_the_picture_is_no_damage(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip("longer.mp4", *numbered_source(seconds=1), "-f", "lavfi", "-i", "sine=duration=3", "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "ended early" not in capsys.readouterr().err
    assert duration(tmp_path / "out.mp4") == pytest.approx(3, abs=0.06) and numbers(tmp_path / "out.mp4") == list(range(25))


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("start", "end", "shown", "times"),
    [
        ("3", "6", [10], [0]),
        ("3", "9.5", [10, 90, 91, 92, 93, 94], [0, 6, 6.1, 6.2, 6.3, 6.4]),
        ("9.4", None, [94, 95, 96, 97, 98, 99], [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ("9.93", "9.96", [99], [0]),
    ],
)
def test_part_of_a_still_begins_with_what_is_shown_there(
    run: Run, tmp_path: Path, make_clip: Clip, start: str, end: str | None, shown: list[int], times: list[float]
) -> None:
    """Pictures 0 to 10, then nothing new from second 1 to 9, then 90 to 99."""
    clip = make_clip(
        "still.mp4", *numbered_source(rate="10", seconds=10), "-vf", "select='lte(n,10)+gte(n,90)'", "-fps_mode", "vfr",
        "-pix_fmt", "yuv420p",
    )  # fmt: skip
    out = tmp_path / "out.mp4"
    assert run("video", clip, "-o", out, "--start", start, *(["--end", end] if end else [])) == 0
    found, images = read_back(out)
    assert [number_in(image) for image in images] == shown
    assert [float(time) for time in found] == pytest.approx(times, abs=0.0011)
    assert duration(out) == pytest.approx(float(end or 10) - float(start), abs=0.03)


@pytest.mark.usefixtures("identity")
def test_film_with_one_keyframe_is_looked_through_however_long_it_takes(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that needs four seconds to the place to begin at, where none may stand still for two and a half."""
    clip = make_clip("onekey.mp4", *numbered_source(seconds=7), "-g", "1000", "-pix_fmt", "yuv420p")
    usual = decoding.start

    def slow(arguments: list[str], **pipes: object) -> object:
        told = f"{decoding.DECODED}=checksum=0,"
        return usual([argument.replace(told, f"{told}realtime,") for argument in arguments], **pipes)

    monkeypatch.setattr(decoding, "STALL_TIMEOUT", 2.5)
    monkeypatch.setattr(decoding, "start", slow)
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--start", "6") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(150, 175))


def test_times_that_are_heard_late_stay_with_their_frames(talkie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = FrameReader._listen

    def late(reader: FrameReader, pipe: object) -> Iterator[object]:
        for number, moment in enumerate(usual(reader, pipe)):
            if number == 5:
                time.sleep(1.3)  # longer than one would wait
            yield moment

    monkeypatch.setattr(FrameReader, "_listen", late)
    reader = FrameReader(str(talkie), probe(str(talkie)))
    times = []
    while reader.read() is not None:
        times.append(reader.time)
    reader.close()
    assert times == [Fraction(count, 25) for count in range(50)]


@pytest.mark.usefixtures("identity")
def test_lengths_in_remarks_are_no_lengths(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    remark = "Duration: 00:00:01.00, bitrate: 1 kb/s"
    clip = make_clip("remark.mkv", *numbered_source(seconds=2), "-c:v", "ffv1", "-metadata", f"comment={remark}",
                     "-metadata", "title=Stream mapping: none")  # fmt: skip
    assert probe(str(clip)).duration == pytest.approx(2, abs=0.05)
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--start", "1.5") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(38, 50))


# Time codes, and times that jump.


@pytest.mark.parametrize(
    ("timecode", "rate", "frames", "later"),
    [
        ("01:00:00:00", "25", 50, "01:00:02:00"),
        ("23:59:59:24", "25", 1, "00:00:00:00"),
        ("00:00:59:29", "30", 1, "00:01:00:00"),
        ("00:00:59;29", "30000/1001", 1, "00:01:00;02"),
        ("00:09:59;29", "30000/1001", 1, "00:10:00;00"),
        ("00:00:00;00", "30000/1001", 107_892, "01:00:00;00"),
        ("00:01:59;59", "60000/1001", 1, "00:02:00;04"),
        ("no time", "25", 1, ""),
    ],
)
def test_time_codes_go_on(timecode: str, rate: str, frames: int, later: str) -> None:
    assert later_timecode(timecode, Fraction(rate), frames) == later


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv"])
def test_part_has_the_time_code_of_its_first_frame(run: Run, tmp_path: Path, make_clip: Clip, suffix: str) -> None:
    clip, out = make_clip("tc.mov", *numbered_source(), "-timecode", "01:00:00:00", "-pix_fmt", "yuv420p"), f"out.{suffix}"
    assert run("video", clip, "-o", tmp_path / out, "--start", "1") == 0
    assert "01:00:01:00" in about(tmp_path / out) and "01:00:00:00" not in about(tmp_path / out)
    assert run("video", clip, "-o", tmp_path / f"whole.{suffix}") == 0
    assert "01:00:00:00" in about(tmp_path / f"whole.{suffix}")


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("gap", [5, 20])
def test_sound_keeps_a_gap_between_two_recordings_as_the_picture_does(
    run: Run, tmp_path: Path, make_clip: Clip, gap: int
) -> None:
    sound_of = ("-f", "lavfi", "-i", BEEPS.format(seconds=2))
    codec = ("-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2", "-f", "mpegts")
    first, second = (
        make_clip(f"{begin}.ts", *numbered_source(), *sound_of, *codec, "-output_ts_offset", str(begin)) for begin in (0, 2 + gap)
    )
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    assert run("video", tmp_path / "both.ts", "-o", tmp_path / "out.mp4") == 0
    times, _ = read_back(tmp_path / "out.mp4")
    after = next(time for before, time in pairwise(times) if time - before > 1)
    heard = np.abs(sound(tmp_path / "out.mp4"))
    beep = round(float(after) * 48000)
    assert heard[beep : beep + 4800].max() > 0.3, "the second recording begins with a beep"
    assert heard[round(2.2 * 48000) : beep - 4800].max() < 0.05, "and there is nothing in the gap"
