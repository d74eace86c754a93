"""`video` of files with edit lists: what is played of them is painted and heard, and nothing else."""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.media.containers import MKV, MP4, plan_tracks
from realtime_nst.media.edits import edited
from realtime_nst.media.probing import probe
from tests.readback import digest, duration, number_in, numbered_source, read_back, sound, tracks
from tests.test_video_resume import finish, gate, kill_after  # noqa: F401
from tests.test_video_tracks import piped

Clip = Callable[..., Path]
Run = Callable[..., int]
Pieces = Sequence[tuple[float, float]]

CUTS = [(0.5, 1), (3.2, 1), (5.2, 0.8)]
TRIM = [(3.3, 2)]
STEPS = "aevalsrc='0.3*sin(2*PI*(300+200*floor(t))*t)':s=48000:d=6"
"""A tone that rises by 200 Hz every second."""
FOLDERS = (b"moov", b"trak", b"mdia")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        size, kind = struct.unpack(">I4s", data[:8])
        yield kind, data[8:size]
        data = data[size:]


def within(data: bytes, *path: bytes) -> bytes:
    """The contents of a box inside of others."""
    for kind in path:
        data = dict(boxes(data))[kind]
    return data


def played(clip: Path, out: Path, pieces: Pieces, only: Sequence[int] | None = None) -> Path:
    """A file that has all of another, and plays pieces of it: where each begins, and how long it lasts, in seconds.

    Args:
        clip: From ffmpeg, with its index at its end.
        out: The file.
        pieces: They may begin at -1: nothing is played then.
        only: Numbers of the tracks that are cut.
    """
    parts = list(boxes(clip.read_bytes()))
    assert parts[-1][0] == b"moov", "what is before it keeps its place"
    (ticks,) = struct.unpack(">I", within(parts[-1][1], b"mvhd")[12:16])

    def cut(track: bytes) -> bytes:
        (own,) = struct.unpack(">I", within(track, b"mdia", b"mdhd")[12:16])
        parts = dict(boxes(track))
        before = struct.unpack(">i", within(track, b"edts", b"elst")[12:16])[0] if b"edts" in parts else 0
        entries = [(round(length * ticks), -1 if begin < 0 else before + round(begin * own)) for begin, length in pieces]
        table = b"".join(struct.pack(">IiI", *entry, 1 << 16) for entry in entries)
        parts[b"edts"] = box(b"elst", struct.pack(">II", 0, len(entries)) + table)
        order = [b"tkhd", b"edts", *(kind for kind in parts if kind not in (b"tkhd", b"edts"))]
        return b"".join(box(kind, parts[kind]) for kind in order)

    number, index = -1, b""
    for kind, content in boxes(parts.pop()[1]):
        number += kind == b"trak"
        index += box(kind, cut(content) if kind == b"trak" and (only is None or number in only) else content)
    out.write_bytes(b"".join(box(*part) for part in parts) + box(b"moov", index))
    return out


def whole(make_clip: Clip, *codecs: str) -> Path:
    """Six seconds of numbered pictures with B-frames between, and a track of sound for each codec."""
    maps = [argument for number, codec in enumerate(codecs) for argument in ("-map", "1:a", f"-c:a:{number}", codec)]
    return make_clip(
        "whole.mov", *numbered_source(seconds=6), "-f", "lavfi", "-i", STEPS, "-map", "0:v", *maps, "-g", "50", "-bf", "2",
        "-pix_fmt", "yuv420p",
    )  # fmt: skip


def step(samples: np.ndarray, moment: float) -> int:
    """Which second of the original is heard around a moment."""
    around = samples[round(moment * 48000) - 3000 : round(moment * 48000) + 3000]
    assert len(around) == 6000, "it ends before"
    pitch = np.argmax(np.abs(np.fft.rfft(around * np.hanning(6000), 48000)))
    return round((pitch - 300) / 200)


def assert_sound_of(out: Path, pieces: Pieces, track: int = 0) -> None:
    """All pieces are heard, each at its time, and no more."""
    heard, begins = sound(out, track), 0.0
    for begin, length in pieces:
        for moment in (0.1, length / 2, length - 0.1):
            if abs((begin + moment) % 1 - 0.5) < 0.4:  # not where the pitch changes
                assert step(heard, begins + moment) == int(begin + moment), (out.name, begin, moment)
        begins += length
    assert len(heard) / 48000 == pytest.approx(begins, abs=0.05)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("codec", "suffix", "becomes"),
    [("aac", "mp4", "aac"), ("aac", "mov", "aac"), ("aac", "mkv", "flac"), ("aac", "webm", "opus"), ("pcm_s16le", "mp4", "aac"),
     ("pcm_s16le", "mov", "pcm_s16le"), ("pcm_s16le", "mkv", "pcm_s16le"), ("alac", "mov", "alac"), ("ac3", "mp4", "aac")],
)  # fmt: skip
def test_pieces_are_heard_and_nothing_between_them(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], codec: str, suffix: str, becomes: str
) -> None:
    clip = played(whole(make_clip, codec), tmp_path / "cuts.mov", CUTS)
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    said = capsys.readouterr().err
    kept = (codec, suffix) not in (("pcm_s16le", "mp4"), ("aac", "webm"))
    reason = "an edit list leaves out parts of it" if kept else f"{suffix} cannot hold it"
    words = "is encoded anew" if becomes == codec else f"becomes {becomes}"
    assert f"Converted, because {reason}: audio {codec} {words}." in said
    assert tracks(out)[1:] == [f"audio {becomes}"]
    assert_sound_of(out, CUTS)
    assert duration(out) == pytest.approx(2.8, abs=0.05)
    before, after = read_back(clip), read_back(out)
    assert [number_in(image) for image in after[1]] == [number_in(image) for image in before[1]]
    assert max(abs(one - other) for one, other in zip(before[0], after[0])) < 0.002


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_part_of_pieces(run: Run, tmp_path: Path, make_clip: Clip, suffix: str) -> None:
    clip = played(whole(make_clip, "aac", "pcm_s16le"), tmp_path / "cuts.mov", CUTS)
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out, "--start", "0.6", "--end", "2.5", "--quiet") == 0
    for track in (0, 1):
        assert_sound_of(out, [(1.1, 0.4), (3.2, 1), (5.2, 0.5)], track)


@pytest.mark.usefixtures("identity")
def test_many_pieces_stay_in_step_with_the_picture(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    """Each is a little longer than it should be, because packets are whole; that must not add up."""
    pieces = [(0.13 + 0.27 * number, 0.13) for number in range(20)]
    clip = played(whole(make_clip, "aac", "pcm_s16le"), tmp_path / "cuts.mov", pieces)
    for suffix in ("mp4", "mov", "mkv"):
        out = tmp_path / f"out.{suffix}"
        assert run("video", clip, "-o", out, "--quiet") == 0
        for track in (0, 1):
            assert len(sound(out, track)) / 48000 == pytest.approx(20 * 0.13, abs=0.05)
            assert step(sound(out, track), 2.5) == 5


@pytest.mark.usefixtures("identity")
def test_tracks_that_are_played_whole_are_copied(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = played(whole(make_clip, "aac", "aac"), tmp_path / "one.mov", CUTS, only=[1])
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--quiet") == 0
    assert digest(tmp_path / "out.mp4", "a:1") == digest(clip, "a:1"), "bit by bit"
    assert len(sound(tmp_path / "out.mp4", 0)) / 48000 == pytest.approx(2.8, abs=0.05)
    assert step(sound(tmp_path / "out.mp4", 0), 1.5) == 3 and step(sound(tmp_path / "out.mp4", 1), 4.5) == 4


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_that_begins_late_in_its_track_is_copied_where_it_can_be_hidden(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], codec: str
) -> None:
    clip = played(whole(make_clip, codec), tmp_path / "trim.mov", TRIM)
    assert run("video", clip, "-o", tmp_path / "out.mov") == 0
    assert "onverted" not in capsys.readouterr().err
    assert digest(tmp_path / "out.mov", "a:0") == digest(clip, "a:0"), "bit by bit"
    assert run("video", clip, "-o", tmp_path / "out.mkv") == 0
    words = "becomes flac" if codec == "aac" else "is encoded anew"
    assert f"an edit list leaves out parts of it: audio {codec} {words}" in capsys.readouterr().err
    for suffix in ("mov", "mkv"):
        assert_sound_of(tmp_path / f"out.{suffix}", TRIM)
        assert duration(tmp_path / f"out.{suffix}") == pytest.approx(2, abs=0.05)
        assert run("video", clip, "-o", tmp_path / f"part.{suffix}", "--start", "0.9", "--quiet") == 0
        assert_sound_of(tmp_path / f"part.{suffix}", [(4.2, 1.1)])


@pytest.mark.usefixtures("identity")
def test_sound_that_begins_after_a_pause_is_copied(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = played(whole(make_clip, "aac"), tmp_path / "late.mov", [(-1, 0.7), (0, 3)], only=[1])
    for suffix in ("mp4", "mkv"):
        out = tmp_path / f"out.{suffix}"
        assert run("video", clip, "-o", out, "--quiet") == 0
        assert digest(out, "a:0") == digest(clip, "a:0")
        assert step(sound(out), 0.7 + 1.5) == 1 and abs(sound(out)[:24000]).max() == 0


def test_pieces_go_through_a_pipe(tmp_path: Path, make_clip: Clip, weights: Path) -> None:
    clip = played(whole(make_clip, "aac"), tmp_path / "cuts.mov", CUTS)
    assert "an edit list leaves out parts of it: audio aac becomes flac" in piped(clip, tmp_path / "out.mkv", weights)
    assert_sound_of(tmp_path / "out.mkv", CUTS)


def test_pieces_of_a_resumed_film(tmp_path: Path, make_clip: Clip, weights: Path, gate: Path) -> None:  # noqa: F811
    clip = played(whole(make_clip, "aac"), tmp_path / "cuts.mov", CUTS)
    kill_after(20, gate, tmp_path / "out.mp4", clip, "--weights", weights)
    assert finish("video", clip, "-o", tmp_path / "out.mp4", "--weights", weights)[0] == 0
    assert_sound_of(tmp_path / "out.mp4", CUTS)


def test_words_and_chapters_that_an_edit_list_moves_are_told(tmp_path: Path, make_clip: Clip) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nA line\n", "utf-8")
    (tmp_path / "chapters.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n", "utf-8")
    extras = ("-i", str(tmp_path / "words.srt"), "-i", str(tmp_path / "chapters.txt"), "-map_chapters", "2", "-c:s", "mov_text")
    clip = make_clip("words.mov", *numbered_source(), *extras, "-map", "0", "-map", "1", "-pix_fmt", "yuv420p")
    moved = "Perhaps at other times than before, because an edit list leaves out parts of it: subtitle mov_text, chapters."
    for pieces in ([(0, 0.5), (1, 0.5)], [(0.7, 1)]):
        cut = played(clip, tmp_path / "cuts.mov", pieces)
        assert plan_tracks(edited(str(cut), probe(str(cut))), MP4).notices == (moved,)
    assert plan_tracks(edited(str(clip), probe(str(clip))), MP4).notices == ()


@pytest.mark.usefixtures("identity")
def test_two_frames_of_one_moment_are_no_damage(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """ffmpeg has such frames where pieces meet."""
    clip = played(whole(make_clip, "aac"), tmp_path / "cuts.mov", [(0.13 + 0.5 * number, 0.2) for number in range(12)])
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "damaged" not in capsys.readouterr().err
    assert [number_in(image) for image in read_back(tmp_path / "out.mp4")[1]] == [
        number_in(image) for image in read_back(clip)[1]
    ]


def test_second_picture_in_pieces_is_left_out_and_told(tmp_path: Path, make_clip: Clip) -> None:
    both = make_clip("both.mov", *numbered_source(), "-map", "0", "-map", "0", "-pix_fmt", "yuv420p")
    clip = played(both, tmp_path / "cuts.mov", [(0, 0.5), (1, 0.5)])
    for container in (MP4, MKV):
        assert plan_tracks(edited(str(clip), probe(str(clip))), container).notices == (
            "Left out, because an edit list leaves out parts of it: video h264.",
        )
