"""`video`, subtitles that are not UTF-8: no line of them is lost without a word."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from realtime_nst.files.ffmpeg import executable
from tests.readback import digest, number_in, numbered_source, read_back, tracks
from tests.test_video_tracks import piped

Clip = Callable[..., Path]
Run = Callable[..., int]

WESTERN = ["plain one", "grüße aus köln", "plain two", "ça va très bien"]
NOTICE = "Left out, because they are not UTF-8: lines of subtitle {}. A file of the original's kind keeps them."


def film(make_clip: Clip, folder: Path, charset: str, lines: Sequence[str] = WESTERN, language: str = "ger", *more: str) -> Path:
    """A Matroska film of two seconds with a line of subtitles each 0.4 seconds, as bytes that Matroska holds for UTF-8."""
    text = "".join(
        f"{number + 1}\n00:00:0{number * 4 / 10:.3f} --> 00:00:0{number * 4 / 10 + 0.3:.3f}\n{line}\n\n".replace(".", ",")
        for number, line in enumerate(lines)
    )
    (folder / "words.srt").write_bytes(text.encode(charset))
    clip = make_clip(
        f"{charset}-{language}-{len(lines)}.mkv", *numbered_source(), "-f", "srt", "-i", str(folder / "words.srt"), "-map", "0",
        "-map", "1", "-c:s", "copy", "-metadata:s:s:0", f"language={language}", "-pix_fmt", "yuv420p", *more,
    )  # fmt: skip
    (folder / "words.srt").unlink()
    return clip


def lines_of(path: Path, track: int = 0) -> list[str]:
    """What the subtitles of a file say, read as UTF-8."""
    command = [executable(), "-v", "error", "-i", str(path), "-map", f"0:s:{track}", "-f", "srt", "-"]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return [block.split("\n", 2)[2] for block in text.strip().split("\n\n") if block]


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "mov", "webm"])
@pytest.mark.parametrize(
    ("charset", "lines", "language"),
    [("latin-1", WESTERN, "ger"), ("cp1252", [*WESTERN, "„5 €“ gut"], "und"), ("cp1251", ["plain", "Привет мир"], "rus"),
     ("cp932", ["plain", "こんにちは世界"], "jpn")],
)  # fmt: skip
def test_every_line_is_read(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], charset: str, lines: list[str], language: str,
    suffix: str,
) -> None:  # fmt: skip
    clip, out = film(make_clip, tmp_path, charset, lines, language), tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    known = "CP1252" if charset == "latin-1" else charset.upper()
    told = f"Read as {known}, because it is not UTF-8: subtitle subrip{'' if language == 'und' else f' ({language})'}."
    assert told in capsys.readouterr().err
    assert lines_of(out) == lines
    assert [number_in(image) for image in read_back(out)[1]] == list(range(50))
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


@pytest.mark.usefixtures("identity")
def test_lines_of_a_part_are_read(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = film(make_clip, tmp_path, "latin-1")
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--start", "0.39", "--end", "1", "--quiet") == 0
    assert lines_of(tmp_path / "out.mp4") == WESTERN[1:3]


@pytest.mark.usefixtures("identity")
def test_matroska_keeps_bytes_as_they_are(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    clip = film(make_clip, tmp_path, "latin-1")
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert digest(tmp_path / "out.mkv", "s:0") == digest(clip, "s:0")


@pytest.mark.usefixtures("identity")
def test_lines_in_characters_that_nobody_knows_are_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = film(make_clip, tmp_path, "cp932", ["plain", "カタカナ、テスト", "plain again"], "und")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert NOTICE.format("subrip") in capsys.readouterr().err
    assert lines_of(tmp_path / "out.mp4") == ["plain", "plain again"]


@pytest.mark.usefixtures("identity")
def test_only_the_track_that_needs_it_is_read_otherwise(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside it, one in UTF-8, and sound that is converted."""
    words = tmp_path / "utf8.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nschöne grüße\n", "utf-8")
    western = film(make_clip, tmp_path, "latin-1")
    clip = make_clip(
        "both.mkv", "-i", str(western), "-i", str(words), "-f", "lavfi", "-i", "sine=duration=2", "-map", "0", "-map", "1",
        "-map", "2", "-c", "copy", "-c:a", "pcm_s16le",
    )  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    said = capsys.readouterr().err
    assert "Read as CP1252, because it is not UTF-8: subtitle subrip (ger)." in said
    assert lines_of(tmp_path / "out.mp4", 0) == WESTERN and lines_of(tmp_path / "out.mp4", 1) == ["schöne grüße"]
    assert "audio aac" in tracks(tmp_path / "out.mp4")


@pytest.mark.usefixtures("identity")
def test_lines_in_utf_16_are_told(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    """ffmpeg makes UTF-8 of it when it writes a file, so that it is put there."""
    clip = film(make_clip, tmp_path, "utf-8", ["plain", "ABCDEFGH"])
    cut = tmp_path / "utf-16.mkv"
    cut.write_bytes(clip.read_bytes().replace(b"ABCDEFGH", "gut".encode("utf-16")))
    assert run("video", cut, "-o", tmp_path / "out.mp4") == 0
    assert NOTICE.format("subrip (ger)") in capsys.readouterr().err


@pytest.fixture
def timed_text(make_clip: Clip, tmp_path: Path) -> Path:
    """An MP4 whose subtitles have bytes that are not UTF-8 in one of two lines."""
    (tmp_path / "words.srt").write_text(
        "1\n00:00:00,000 --> 00:00:00,500\nplain\n\n2\n00:00:00,500 --> 00:00:01,000\ngr__e\n", "utf-8"
    )
    clip = make_clip(
        "timed.mp4", *numbered_source(seconds=1), "-i", str(tmp_path / "words.srt"), "-map", "0", "-map", "1", "-c:s", "mov_text",
        "-pix_fmt", "yuv420p",
    )  # fmt: skip
    (tmp_path / "timed.mp4").write_bytes(clip.read_bytes().replace(b"gr__e", b"gr\xfc\xdfe"))
    return tmp_path / "timed.mp4"


@pytest.mark.usefixtures("identity")
def test_lines_of_mp4_that_cannot_be_read_are_told(
    run: Run, tmp_path: Path, timed_text: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("video", timed_text, "-o", tmp_path / "out.mkv") == 0
    assert NOTICE.format("mov_text") in capsys.readouterr().err
    assert NOTICE.format("mov_text") in piped(timed_text, tmp_path / "piped.mkv", weights)
    assert lines_of(tmp_path / "out.mkv") == lines_of(tmp_path / "piped.mkv") == ["plain"]
    assert run("video", timed_text, "-o", tmp_path / "out.mp4") == 0
    assert "UTF-8" not in capsys.readouterr().err and digest(tmp_path / "out.mp4", "s:0") == digest(timed_text, "s:0")
