"""`video` and files that are broken: a clear line or a good file each, never a traceback, a hang or remains."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ffmpeg_children, wait_until
from tests.readback import numbered_source, read_back

Clip = Callable[..., Path]
Run = Callable[..., int]
LONGEST = 90.0
"""Seconds for a file: it is given up after 25 without a sign of life, in looking into it and in decoding it each."""
FORMATS = {
    "mp4": ["-c:v", "libx264", "-c:a", "aac"],
    "mkv": ["-c:v", "libx264", "-c:a", "libopus"],
    "ts": ["-c:v", "mpeg2video", "-c:a", "mp2"],
    "avi": ["-c:v", "mpeg4", "-c:a", "mp3"],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    "mov": ["-c:v", "mjpeg", "-c:a", "pcm_s16le"],
}

pytestmark = pytest.mark.usefixtures("identity")


def good_files(make_clip: Clip) -> list[Path]:
    return [
        make_clip(
            f"good.{suffix}", *numbered_source(seconds=1), "-f", "lavfi", "-i", "sine=duration=1", *codecs, "-pix_fmt",
            "yuvj420p" if suffix == "mov" else "yuv420p",
        )
        for suffix, codecs in FORMATS.items()
    ]  # fmt: skip


def damaged(good: Path, kind: int, rng: np.random.Generator) -> tuple[str, bytes]:
    """A damaged version of a file: its ending and its bytes."""
    data = bytearray(good.read_bytes())
    suffix = good.suffix
    if kind == 0:  # single bits, anywhere
        for place in rng.integers(0, len(data), 40):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:  # bits of the header
        for place in rng.integers(0, min(len(data), 900), 6):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:  # cut short
        del data[int(rng.integers(1, len(data))) :]
    elif kind == 3:  # its beginning is missing
        del data[: int(rng.integers(1, len(data) // 2))]
    elif kind == 4:  # a hole of zeros
        begin = int(rng.integers(0, len(data)))
        data[begin : begin + 4000] = bytes(min(4000, len(data) - begin))
    elif kind == 5:  # another ending than it should have
        suffix = str(rng.choice([".mp4", ".mkv", ".avi", ".gif", ".webm", ".ts"]))
    elif kind == 6:  # bytes, no video
        data = bytearray(rng.bytes(int(rng.integers(1, 30_000))))
    elif kind == 8:  # nothing at all
        data.clear()
    elif kind == 7:  # a piece of it twice
        begin = int(rng.integers(0, len(data)))
        data[begin:begin] = data[begin : begin + 3000]
    return suffix, bytes(data)


def paint_damaged(run: Run, folder: Path, good: list[Path], capsys: pytest.CaptureFixture[str], seeds: range) -> tuple[int, int]:
    painted = refused = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        suffix, data = damaged(good[seed % len(good)], seed // len(good) % 9, rng)
        bad = folder / f"bad{seed}{suffix}"
        bad.write_bytes(data)
        out = folder / f"out.{'mkv' if seed % 5 == 0 else 'mp4'}"
        children = set(ffmpeg_children())
        started = time.monotonic()
        code = run("video", bad, "-o", out, "--quiet")
        elapsed = time.monotonic() - started
        said = capsys.readouterr().err
        assert elapsed < LONGEST, (seed, elapsed)
        assert "Traceback" not in said and code in (0, 1), (seed, said)
        assert wait_until(lambda children=children: set(ffmpeg_children()) <= children), f"{seed}: a process was left"  # type: ignore[misc]
        assert bad.read_bytes() == data, f"{seed}: the input was touched"
        if code:
            refused += 1
            assert said.startswith("realtime-nst: ") and len(said.strip().splitlines()) == 1, (seed, said)
            assert sorted(path.name for path in folder.iterdir()) == [bad.name], seed
        else:
            painted += 1
            times, images = read_back(out)
            assert len(images) and times == sorted(set(times)), seed
            out.unlink()
            assert [path.name for path in folder.iterdir()] == [bad.name], seed
        bad.unlink()
    return painted, refused


def test_damaged_files(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    painted, refused = paint_damaged(run, tmp_path, good_files(make_clip), capsys, range(0, 54, 3))
    assert painted and refused


@pytest.mark.slow
def test_two_hundred_damaged_files(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    painted, refused = paint_damaged(run, tmp_path, good_files(make_clip), capsys, range(1000, 1200))
    assert painted > 40 and refused > 40


def test_damage_is_told(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    good = good_files(make_clip)[1].read_bytes()
    (tmp_path / "cut.mkv").write_bytes(good[: len(good) * 6 // 10])
    assert run("video", tmp_path / "cut.mkv", "-o", tmp_path / "out.mp4") == 0
    said = capsys.readouterr().err
    assert re.search(r"ended early: its picture lasts 0\.\d of 1\.0 seconds\. It may be cut short", said)
    assert 5 < len(read_back(tmp_path / "out.mp4")[0]) < 25


@pytest.mark.parametrize("place", ["The Missing.mp4", "truncated/Error 404 [warning].mp4"])
def test_words_in_names_and_remarks_are_no_damage(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    remarks = ["-metadata", "title=Reign of Terror", "-metadata", "comment=[error] invalid, corrupt, damaged"]
    good = make_clip("good-remarks.mp4", *numbered_source(seconds=0.4), "-pix_fmt", "yuv420p", *remarks)
    clip = tmp_path / place
    clip.parent.mkdir(exist_ok=True)
    clip.write_bytes(good.read_bytes())
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "damaged" not in capsys.readouterr().err


def test_damage_in_the_middle_is_told(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    good = make_clip("long.ts", *numbered_source(seconds=2), "-c:v", "mpeg2video", "-q:v", "2", "-f", "mpegts")
    data = bytearray(good.read_bytes())
    for place in np.random.default_rng(0).integers(len(data) // 3, len(data), 40):
        data[place] ^= 255
    (tmp_path / "bad.ts").write_bytes(data)
    assert run("video", tmp_path / "bad.ts", "-o", tmp_path / "out.mp4") == 0
    assert re.search(r"is damaged in places; ffmpeg complained \d+ times", capsys.readouterr().err)
    assert len(read_back(tmp_path / "out.mp4")[0]) > 30


def test_decoder_that_hangs_is_given_up(
    run: Run, tmp_path: Path, talkie: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import os
    import signal

    from realtime_nst.media import decoding

    monkeypatch.setattr(decoding, "STALL_TIMEOUT", 1.0)
    usual = decoding.start

    def stopped(arguments: list[str], **pipes: object) -> object:
        process = usual(arguments, **pipes)
        os.kill(process.pid, signal.SIGSTOP)
        return process

    monkeypatch.setattr(decoding, "start", stopped)
    started = time.monotonic()
    assert run("video", talkie, "-o", tmp_path / "out.mp4", "--quiet") == 1
    assert time.monotonic() - started < LONGEST
    assert "gave no frame for 1 seconds after frame 0" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
