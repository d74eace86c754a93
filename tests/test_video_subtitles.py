"""`video`, subtitles that are not UTF-8: no line of them is lost without a word."""

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from realtime_nst.media.ffmpeg import executable
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


def times_of(path: Path) -> list[float]:
    """When each line of a file comes."""
    command = [executable(), "-v", "error", "-i", str(path), "-map", "0:s:0", "-f", "srt", "-"]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return [60 * int(minute) + float(second.replace(",", ".")) for minute, second in re.findall(r":(\d\d):(\S+) -->", text)]


def described(path: Path) -> str:
    """What ffmpeg says of the subtitles of a file."""
    said = subprocess.run([executable(), "-i", str(path)], check=False, capture_output=True).stderr.decode()
    return next(line for line in said.splitlines() if ": Subtitle:" in line)


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


POLISH = ["zażółć gęślą", "ŁÓDŹ", "plain", "ćma"]
JAPANESE = ["こんにちは世界", "plain", "ありがとう"]


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("charset", "lines", "language", "known"),
    [("cp1250", POLISH, "eng", "CP1250"), ("cp1250", POLISH, "und", "CP1250"), ("cp932", JAPANESE, "und", "CP932"),
     ("cp932", ["plain", "カタカナ、テスト", "plain again"], "und", "CP932"),
     ("cp1251", ["Привет мир", "как дела"], "und", "CP1251"),
     ("latin-1", ["plain", "gr\x81ün", "plain"], "und", "CP1252"), ("cp1250", POLISH, "jpn", "CP1250")],
)  # fmt: skip
def test_characters_are_guessed_where_no_language_names_them(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], charset: str, lines: list[str], language: str,
    known: str,
) -> None:  # fmt: skip
    """In the end, each byte is a letter."""
    clip = film(make_clip, tmp_path, charset, lines, language)
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    said = capsys.readouterr().err
    assert f"Read as {known}, because it is not UTF-8: subtitle subrip" in said
    assert said.count("UTF-8") == 1 and "Left out" not in said
    assert lines_of(tmp_path / "out.mp4") == lines


MIXED = ["schön eins", "größe zwei", "日本 drei", "vier ü", "fünf"]


@pytest.fixture
def mixed(make_clip: Clip, tmp_path: Path) -> Path:
    """Subtitles in UTF-8 but for a byte in two of five lines; they are shown always, and no default."""
    clip = film(make_clip, tmp_path, "utf-8", [*MIXED[:3], "vier _", "fünf__"], "ger", "-disposition:s:0", "forced")
    (tmp_path / "mixed.mkv").write_bytes(clip.read_bytes().replace(b"vier _", b"vier \xfc").replace(b"nf__", b"nf\xfc\x81"))
    return tmp_path / "mixed.mkv"


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_bytes_that_are_not_utf_8_spoil_no_others(
    run: Run, tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    out = tmp_path / f"out.{suffix}"
    assert run("video", mixed, "-o", out) == 0
    assert "Read as CP1252 in 2 lines, because it is not UTF-8: subtitle subrip (ger)." in capsys.readouterr().err
    assert lines_of(out) == [*MIXED[:4], "fünfü\x81"]
    if suffix == "webm":
        assert "(ger)" in described(out) and "(forced)" in described(out) and "(default)" not in described(out)
    assert run("video", mixed, "-o", tmp_path / f"part.{suffix}", "--start", "0.5", "--end", "1.5", "--quiet") == 0
    assert lines_of(tmp_path / f"part.{suffix}") == MIXED[1:4]
    assert times_of(tmp_path / f"part.{suffix}") == pytest.approx([0, 0.3, 0.7], abs=0.002)


@pytest.mark.usefixtures("identity")
def test_ass_that_is_not_utf_8_is_read(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip("lines.mkv", "-i", str(film(make_clip, tmp_path, "utf-8", ["plain", "gr__e"])), "-c:s", "ass")
    (tmp_path / "ass.mkv").write_bytes(clip.read_bytes().replace(b"gr__e", b"gr\xfc\xdfe"))
    assert run("video", tmp_path / "ass.mkv", "-o", tmp_path / "out.mp4") == 0
    assert "Read as CP1252, because it is not UTF-8: subtitle ass (ger)." in capsys.readouterr().err
    assert lines_of(tmp_path / "out.mp4") == ["plain", "grüße"]


def test_pipe_keeps_bytes_as_they_are(tmp_path: Path, mixed: Path, weights: Path) -> None:
    """Matroska holds all subtitles but those of MP4, so that nothing is to be mended."""
    assert "UTF-8" not in piped(mixed, tmp_path / "piped.mkv", weights)
    assert digest(tmp_path / "piped.mkv", "s:0") == digest(mixed, "s:0")


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


@pytest.mark.usefixtures("identity")
def test_a_line_that_can_be_read_stays_among_many_that_cannot(
    run: Run, tmp_path: Path, make_clip: Clip, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an MP4, whose bytes are counted, so that it cannot be read otherwise."""
    lines = film(make_clip, tmp_path, "utf-8", ["plain", "gr__e 1", "gr__e 2", "gr__e 3"])
    clip = make_clip("many.mp4", "-i", str(lines), "-c:v", "copy", "-c:s", "mov_text")
    (tmp_path / "many.mp4").write_bytes(clip.read_bytes().replace(b"gr__e", b"gr\xfc\xdfe"))
    assert run("video", tmp_path / "many.mp4", "-o", tmp_path / "out.mkv") == 0
    said = capsys.readouterr().err
    assert NOTICE.format("mov_text (ger)") in said and "mkv cannot hold it: subtitle mov_text (ger) becomes" in said
    assert said.count("Left out") == 1
    assert NOTICE.format("mov_text (ger)") in piped(tmp_path / "many.mp4", tmp_path / "piped.mkv", weights)
    assert lines_of(tmp_path / "out.mkv") == lines_of(tmp_path / "piped.mkv") == ["plain"]


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
