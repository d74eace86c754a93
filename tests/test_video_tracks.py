"""`video`, everything that is not the painted picture: sound, subtitles, chapters, remarks, cover, attachments."""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from realtime_nst.media.containers import MP4, plan_tracks
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.probing import VideoInfo, probe
from realtime_nst.media.protection import locked_tracks
from tests.conftest import one_line
from tests.readback import about, begins, digest, duration, lag, numbered_source, numbers, sound, tracks

Clip = Callable[..., Path]
Run = Callable[..., int]

pytestmark = pytest.mark.usefixtures("identity")

SUBTITLES = "1\n00:00:00,200 --> 00:00:01,000\nFirst words\n\n2\n00:00:01,200 --> 00:00:01,800\nLast <i>words</i>\n"
CHAPTERS = (
    ";FFMETADATA1\ntitle=A title\nartist=Somebody\ncomment=Two lines\\\nof it\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=Opening\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=900\nEND=2000\ntitle=Ending = end\n"
)


@pytest.fixture
def extras(tmp_path: Path) -> Path:
    """Subtitles, chapters, a cover and a font to put into clips."""
    folder = tmp_path / "extras"
    folder.mkdir()
    (folder / "words.srt").write_text(SUBTITLES, "utf-8")
    (folder / "chapters.txt").write_text(CHAPTERS, "utf-8")
    Image.new("RGB", (40, 40), (200, 30, 30)).save(folder / "cover.jpg")
    (folder / "font.ttf").write_bytes(b"\x00\x01\x00\x00 a font" * 50)
    return folder


def rich(make_clip: Clip, extras: Path, name: str) -> Path:
    """A film with two languages of sound and of subtitles, chapters and remarks."""
    mkv = name.endswith("mkv")
    arguments = [
        *numbered_source(),
        *("-f", "lavfi", "-i", "sine=frequency=440:duration=2"),
        *("-f", "lavfi", "-i", "sine=frequency=880:duration=2"),
        *("-i", str(extras / "words.srt"), "-i", str(extras / "words.srt"), "-i", str(extras / "chapters.txt")),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3", "-map", "4", "-map_metadata", "5", "-map_chapters", "5"),
        *("-c:a:0", "aac", "-c:a:1", "ac3", "-c:s", "ass" if mkv else "mov_text", "-pix_fmt", "yuv420p"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fra"),
    ]
    if mkv:
        arguments += ["-attach", str(extras / "font.ttf"), "-metadata:s:t:0", "mimetype=application/x-truetype-font"]
    return make_clip(name, *arguments)


def chapters_of(path: Path) -> list[tuple[str, str, str]]:
    found = re.findall(r"Chapter #0:\d+: start ([\d.]+), end ([\d.]+)\n(?:\s+Metadata:\n\s+title +: (.*))?", about(path))
    return [(f"{float(begin):.2f}", f"{float(end):.2f}", title) for begin, end, title in found]


@pytest.mark.parametrize(("name", "suffix"), [("rich.mp4", "mp4"), ("rich.mp4", "mov"), ("rich.mkv", "mkv")])
def test_all_tracks_travel_untouched(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, capsys: pytest.CaptureFixture[str], name: str, suffix: str
) -> None:
    clip, out = rich(make_clip, extras, name), tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out, "--quiet") == 0
    assert capsys.readouterr().err == "", "nothing was lost, so nothing is told"
    expected = [track.replace("deu", "ger") if suffix == "mov" else track for track in tracks(clip)]
    assert tracks(out) == expected
    kept = ("a:0", "a:1", "s:0", "s:1", *(("t:0",) if suffix == "mkv" else ()))
    assert [digest(out, stream) for stream in kept] == [digest(clip, stream) for stream in kept], "bit by bit"
    assert chapters_of(out) == chapters_of(clip) == [("0.00", "0.90", "Opening"), ("0.90", "2.00", "Ending = end")]
    for remark in ("A title", "Somebody", "Two lines"):
        assert remark in about(out)
    assert duration(out) == pytest.approx(duration(clip), abs=0.05)


def test_subtitles_change_form_where_they_must(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, episode = rich(make_clip, extras, "rich.mp4"), rich(make_clip, extras, "rich.mkv")
    for clip, suffix, subtitle in ((film, "mkv", "subrip"), (episode, "mp4", "mov_text"), (film, "webm", "webvtt")):
        out = tmp_path / f"{clip.suffix[1:]}.{suffix}"
        assert run("video", clip, "-o", out) == 0
        said = capsys.readouterr().err
        assert f"Converted, because {suffix} cannot hold it:" in said and f"becomes {subtitle}" in said
        assert [track for track in tracks(out) if track.startswith("subtitle")] == [
            f"subtitle {subtitle} eng",
            f"subtitle {subtitle} fra",
        ]
        assert chapters_of(out) == chapters_of(clip)
    assert "audio opus eng" in tracks(tmp_path / "mp4.webm") and "audio opus deu" in tracks(tmp_path / "mp4.webm")
    assert lag(sound(film), sound(tmp_path / "mp4.webm")) == pytest.approx(0, abs=0.003)


def test_what_cannot_come_along_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = rich(make_clip, extras, "rich.mkv")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "Left out, because mp4 cannot hold it: attachment ttf" in capsys.readouterr().err
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    said = capsys.readouterr().err
    assert "Left out, because gif cannot hold it: audio aac (eng), audio ac3 (deu), subtitle ass" in said
    assert "chapters and remarks" in said
    assert tracks(tmp_path / "out.gif") == ["video gif"]


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("webm", "opus")])
def test_sound_that_does_not_fit_is_converted(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], suffix: str, codec: str
) -> None:
    beep = "aevalsrc='if(between(t,1,1.1),sin(2*PI*700*t),0)':s=48000:d=2"
    clip = make_clip("pcm.mkv", *numbered_source(), "-f", "lavfi", "-i", beep, "-c:a", "pcm_s16le", "-pix_fmt", "yuv420p")
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    assert f"audio pcm_s16le becomes {codec}" in capsys.readouterr().err
    assert f"audio {codec}" in tracks(out)
    assert lag(sound(clip), sound(out)) == pytest.approx(0, abs=0.003)
    assert run("video", clip, "-o", tmp_path / "out.mov") == 0
    assert digest(tmp_path / "out.mov", "a:0") == digest(clip, "a:0"), "QuickTime holds it as it is"


@pytest.mark.parametrize("layout", ["5.1(side)", "2.1", "4.1"])
def test_speakers_that_opus_does_not_know_are_placed_where_it_does(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], layout: str
) -> None:
    tone = f"sine=440:d=2,aformat=channel_layouts={layout}"
    name = f"around{layout[0]}{layout[2]}.mkv"
    clip = make_clip(name, *numbered_source(), "-f", "lavfi", "-i", tone, "-c:a", "ac3", "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.webm") == 0
    said = capsys.readouterr().err
    assert "audio ac3 becomes opus" in said and "Left out" not in said
    assert "audio opus" in tracks(tmp_path / "out.webm") and abs(sound(tmp_path / "out.webm")).max() > 0.01


@pytest.mark.parametrize("kind", ["font/ttf", "application/octet-stream"])
def test_attachments_of_any_kind_stay_in_matroska(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    attached = ("-attach", str(extras / "font.ttf"), "-metadata:s:t", f"mimetype={kind}", "-pix_fmt", "yuv420p")
    clip = make_clip(f"attached{len(kind)}.mkv", *numbered_source(), *attached)
    assert run("video", clip, "-o", tmp_path / "out.mkv") == 0
    assert "Left out" not in capsys.readouterr().err
    dump = tmp_path / "dumped"
    command = [executable(), "-v", "error", "-dump_attachment:t:0", str(dump), "-i", str(tmp_path / "out.mkv")]
    subprocess.run([*command, "-f", "null", "-t", "0", "-"], capture_output=True)
    assert dump.read_bytes() == (extras / "font.ttf").read_bytes()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_cover_stays_the_cover(run: Run, tmp_path: Path, make_clip: Clip, extras: Path, suffix: str) -> None:
    clip = make_clip(
        "covered.mp4", *numbered_source(), "-i", str(extras / "cover.jpg"), "-map", "0", "-map", "1", "-c:v:1", "mjpeg",
        "-disposition:v:1", "attached_pic", "-pix_fmt", "yuv420p", "-metadata", "title=With a cover",
    )  # fmt: skip
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    assert "cover mjpeg" in tracks(out) and tracks(out)[0] == "video h264"
    assert digest(out, "v:1") == digest(clip, "v:1")
    assert "With a cover" in about(out)


def test_remarks_of_phones_stay(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = make_clip(
        "phone.mov", *numbered_source(), "-pix_fmt", "yuv420p", "-movflags", "+use_metadata_tags",
        "-metadata", "com.apple.quicktime.make=Maker", "-metadata", "com.apple.quicktime.location.ISO6709=+48.0+011.0/",
        "-metadata", "creation_time=2024-05-06T07:08:09Z",
    )  # fmt: skip
    for suffix in ("mov", "mp4"):
        out = tmp_path / f"out.{suffix}"
        assert run("video", clip, "-o", out) == 0
        for remark in ("Maker", "+48.0+011.0/", "2024-05-06T07:08:09"):
            assert remark in about(out), (suffix, remark)


def test_a_part_takes_its_chapters_and_words_along(run: Run, tmp_path: Path, make_clip: Clip, extras: Path) -> None:
    clip = rich(make_clip, extras, "rich.mkv")
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--start", "1", "--end", "1.9") == 0
    assert [(begin, title) for begin, _, title in chapters_of(tmp_path / "out.mkv")] == [("0.00", "Ending = end")]
    assert tracks(tmp_path / "out.mkv") == tracks(clip)


def words_of(path: Path) -> list[tuple[str, str, str]]:
    """Of the first subtitles: when each is shown, until when, and the words without their form."""
    command = [executable(), "-v", "error", "-i", str(path), "-map", "0:s:0", "-c:s", "srt", "-f", "srt", "-"]
    text = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    found = re.findall(r"00:00:(\d\d),(\d\d)\d --> 00:00:(\d\d),(\d\d)\d\n(.*)", text)
    return [(f"{a}.{b}", f"{c}.{d}", re.sub(r"<[^>]*>|\{[^}]*\}", "", words)) for a, b, c, d, words in found]


@pytest.mark.parametrize("name", ["rich.mkv", "rich.mp4"])
@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm", "pipe"])
def test_words_and_chapters_of_a_part_begin_and_end_with_it(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, weights: Path, name: str, suffix: str
) -> None:
    clip, out = rich(make_clip, extras, name), tmp_path / f"out.{suffix}"
    if suffix == "pipe":
        piped(clip, out, weights, "--start", "0.5", "--end", "1.5")
    else:
        assert run("video", clip, "-o", out, "--start", "0.5", "--end", "1.5") == 0
    assert words_of(out) == [("00.00", "00.50", "First words"), ("00.70", "01.00", "Last words")]
    assert chapters_of(out) == [("0.00", "0.40", "Opening"), ("0.40", "1.00", "Ending = end")]
    assert duration(out) == pytest.approx(1.0, abs=0.06)
    assert len(sound(out)) / 48000 == pytest.approx(1.0, abs=0.06)


def test_real_film_keeps_its_six_channels(run: Run, tmp_path: Path, clips: Path) -> None:
    assert run("video", clips / "bunny_rot90_51audio.mp4", "-o", tmp_path / "out.mp4", "--end", "0.5") == 0
    assert "5.1" in about(tmp_path / "out.mp4")


def piped(clip: Path, out: Path, weights: Path, *flags: str) -> str:
    """Paint into a pipe; what went to the user."""
    command = [sys.executable, "-m", "realtime_nst", "video", str(clip), "-o", "-", "--weights", str(weights), *flags]
    with out.open("wb") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    return done.stderr.decode()


@pytest.fixture
def mixed(make_clip: Clip, extras: Path) -> Path:
    """A film with two kinds of sound, one of which Matroska refuses, and with subtitles."""
    return make_clip(
        "mixed.mov", *numbered_source(), "-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-f", "lavfi", "-i",
        "sine=frequency=880:duration=2", "-i", str(extras / "words.srt"), "-map", "0", "-map", "1", "-map", "2", "-map", "3",
        "-c:a:0", "aac", "-c:a:1", "adpcm_ima_qt", "-c:s", "mov_text", "-pix_fmt", "yuv420p",
    )  # fmt: skip


def test_a_track_that_is_refused_is_converted_and_the_others_stay(
    run: Run, tmp_path: Path, mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mkv"
    assert run("video", mixed, "-o", out) == 0
    said = capsys.readouterr().err
    assert "Left out" not in said and "audio adpcm_ima_qt becomes flac" in said
    assert tracks(out) == ["video h264", "audio aac", "audio flac", "subtitle subrip"]
    assert digest(out, "a:0") == digest(mixed, "a:0")
    assert lag(sound(mixed, 1), sound(out, 1)) == pytest.approx(0, abs=0.003)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extras", "out.mkv"]


def test_a_pipe_converts_what_would_be_refused(tmp_path: Path, mixed: Path, weights: Path) -> None:
    said = piped(mixed, tmp_path / "out.mkv", weights)
    assert "audio adpcm_ima_qt becomes flac" in said and said.strip().splitlines()[-1].startswith("Painted 50 frames")
    assert tracks(tmp_path / "out.mkv") == ["video h264", "audio aac", "audio flac", "subtitle subrip"]


def test_sound_that_begins_late_comes_along(run: Run, tmp_path: Path, make_clip: Clip, weights: Path) -> None:
    """A television recording whose sound begins after 13 seconds: ffmpeg looks for five, unless told otherwise."""
    clip = make_clip(
        "late.ts", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=16", "-itsoffset", "13", "-f", "lavfi", "-i",
        "sine=duration=2", "-map", "0", "-map", "1", "-c:v", "mpeg2video", "-c:a", "mp2", "-muxdelay", "0", "-f", "mpegts",
    )  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--quiet") == 0
    piped(clip, tmp_path / "piped.mkv", weights, "--quiet")
    for out in (tmp_path / "out.mp4", tmp_path / "piped.mkv"):
        assert [track.split()[0] for track in tracks(out)] == ["video", "audio"]
        assert begins(out, "a:0") - begins(out, "v:0") == pytest.approx(13, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "made", "suffix"),
    [("mp2", "mkv", "mp4"), ("dca", "mkv", "mp4"), ("mp2", "mkv", "mov"), ("pcm_mulaw", "mkv", "mov"), ("pcm_alaw", "mkv", "mov"),
     ("adpcm_ima_qt", "mov", "mov")],
)  # fmt: skip
def test_old_kinds_of_sound_are_not_converted(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], codec: str, made: str, suffix: str
) -> None:
    clip = make_clip(
        f"{codec}.{made}", *numbered_source(seconds=1), "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000", "-ac", "2",
        "-c:a", codec, "-strict", "-2", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    assert "onverted" not in capsys.readouterr().err
    assert digest(out, "a:0") == digest(clip, "a:0"), "bit by bit"


def test_what_a_cover_displaces_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, extras: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MP4 has either a cover or remarks of one's own; a pipe has no cover."""
    clip = make_clip(
        "own.mkv", *numbered_source(), "-attach", str(extras / "cover.jpg"), "-metadata:s:t", "mimetype=image/jpeg",
        "-metadata:s:t", "filename=cover.jpg", "-metadata", "CUSTOM=mine", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "Left out, because mp4 cannot hold it beside a cover: CUSTOM." in capsys.readouterr().err
    assert "cover mjpeg" in tracks(tmp_path / "out.mp4")
    assert run("video", clip, "-o", tmp_path / "out.mkv") == 0
    assert "Left out" not in capsys.readouterr().err
    assert "cover mjpeg" in tracks(tmp_path / "out.mkv") and "mine" in about(tmp_path / "out.mkv")
    assert "Left out, because mkv cannot hold it: cover mjpeg" in piped(clip, tmp_path / "piped.mkv", weights)
    assert tracks(tmp_path / "piped.mkv") == ["video h264"]


def test_captions_inside_the_picture_are_told() -> None:
    info = VideoInfo(width=96, height=64, rate=Fraction(25), captions=True)
    assert plan_tracks(info, MP4).notices == ("Left out, because it is hidden inside the picture: closed captions.",)


def test_a_track_that_two_programs_share_comes_along_once(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = make_clip(
        "programs.ts", *numbered_source(), "-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-map", "0:v", "-map", "0:v",
        "-map", "1:a", "-c:v", "mpeg2video", "-c:a", "mp2", "-program", "title=a:st=0:st=2", "-program", "title=b:st=1:st=2",
    )  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mkv") == 0
    assert sorted(tracks(tmp_path / "out.mkv")) == ["audio mp2", "video h264", "video mpeg2video"]


def test_a_picture_of_all_directions_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """ffmpeg cannot write its mark into MP4, so that it is put there: boxes inside of that of the codec."""
    data = bytearray(make_clip("flat.mp4", *numbered_source(), "-pix_fmt", "yuv420p").read_bytes())
    layout = box(b"proj", box(b"prhd", bytes(16)) + box(b"equi", bytes(20)))
    put_inside(data, b"avc1", box(b"sv3d", box(b"svhd", bytes(4) + b"x\0") + layout))
    (tmp_path / "round.mp4").write_bytes(data)
    assert run("video", tmp_path / "round.mp4", "-o", tmp_path / "out.mp4") == 0
    assert "It shows all directions (equirectangular); the painted file does not say so" in capsys.readouterr().err


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def put_inside(data: bytearray, codec: bytes, mark: bytes) -> None:
    """Put a box into that of a track's codec, in an MP4 file whose header is at its end."""
    place = data.rindex(codec, data.index(b"moov"))
    end = place - 4 + int.from_bytes(data[place - 4 : place], "big")
    data[end:end] = mark
    around = [data.rindex(kind, 0, place) for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")]
    for start in [*around, place]:
        data[start - 4 : start] = struct.pack(">I", int.from_bytes(data[start - 4 : start], "big") + len(mark))


STILL = ("-f", "lavfi", "-i", "color=red:size=80x48:rate=1:duration=1")
TONE = ("-f", "lavfi", "-i", "sine=d=2")


def dispositions(marked: str) -> list[str]:
    """Arguments that mark some of two video tracks, by number, as the ones to be played."""
    return [word for number in "01" for word in (f"-disposition:v:{number}", "default" if number in marked else "0")]


def with_preview(make_clip: Clip, suffix: str, marked: str) -> Path:
    """A film of two seconds behind a single picture that nobody marked as a cover; which of them is the default, by number."""
    film = make_clip(
        f"preview{marked}.mkv", *STILL, *numbered_source(), *TONE, "-map", "0:v", "-map", "1:v", "-map", "2:a",
        "-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p", "-c:a", "aac",
        *dispositions(marked),
    )  # fmt: skip
    return make_clip(f"preview{marked}.{suffix}", "-i", str(film), "-map", "0", "-c", "copy")


@pytest.mark.parametrize(
    ("suffix", "marked"), [("mkv", "1"), ("mkv", "0"), ("mkv", ""), ("mp4", "1"), ("mp4", "01"), ("mov", "1")]
)
def test_the_film_is_painted_not_the_preview_before_it(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], suffix: str, marked: str
) -> None:
    clip = with_preview(make_clip, suffix, marked)
    assert run("video", clip, "-o", tmp_path / "out.mkv") == 0
    said = capsys.readouterr().err
    assert "Of its 2 video tracks, number 2 is painted (h264, 96x64): no other holds more than a single picture." in said
    assert tracks(tmp_path / "out.mkv") == ["video h264", "video mjpeg", "audio aac"], "the preview comes along"
    assert numbers(tmp_path / "out.mkv") == list(range(50))
    assert [line.endswith("(default)") for line in about(tmp_path / "out.mkv").splitlines() if ": Video: " in line] == [
        True,
        False,
    ]
    assert run("video", clip, "-o", tmp_path / "part.mp4", "--start", "1", "--preview", tmp_path / "look.png", "--json") == 0
    assert numbers(tmp_path / "part.mp4") == list(range(25, 50))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["text"] for event in events if event["event"] == "notice" and "number 2 is painted" in event["text"]]
    with Image.open(tmp_path / "look.png") as picture:
        assert picture.size == (96, 64)


def test_an_animated_avif_is_painted_in_full(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    """Its first track is a still picture of it for those who show no animations."""
    clip = make_clip("moving.avif", *numbered_source(seconds=0.4), "-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert numbers(tmp_path / "out.mp4") == list(range(10))


@pytest.mark.parametrize(
    ("first", "second", "marked", "chosen", "why"),
    [(2, 2, "", 0, "it is the first"), (2, 2, "1", 1, "it is marked as the default"), (2, 1.8, "01", 0, "it is the first"),
     (0.2, 2, "", 1, "it lasts longer"), (0.2, 2, "0", 0, "it is marked as the default")],
)  # fmt: skip
def test_of_two_films_the_default_or_else_the_longer_one_is_painted(
    make_clip: Clip, first: float, second: float, marked: str, chosen: int, why: str
) -> None:
    clip = make_clip(
        "two.mkv", "-f", "lavfi", "-i", f"testsrc=size=64x48:rate=25:duration={first}", *numbered_source(seconds=second),
        "-map", "0", "-map", "1", "-pix_fmt", "yuv420p", *dispositions(marked),
    )  # fmt: skip
    info = probe(str(clip))
    assert (info.picture, info.width) == (chosen, (64, 96)[chosen])
    assert info.choice.endswith(f"): {why}.")


def test_a_cover_is_no_choice(make_clip: Clip) -> None:
    cover = ("-c:v:0", "mjpeg", "-disposition:v:0", "attached_pic", "-pix_fmt", "yuvj420p")
    clip = make_clip("cover-first.mp4", *STILL, *numbered_source(), "-map", "0", "-map", "1", *cover)
    info = probe(str(clip))
    assert info.choice == "" and info.width == 96


@pytest.mark.parametrize("programs", [[], ["-program", "title=a:st=0", "-program", "title=b:st=1:st=2"]])
@pytest.mark.parametrize("missing", [{0x100}, {0x102}, {0x100, 0x102}])
def test_a_track_of_a_broadcast_that_carries_nothing_is_passed_over(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], programs: list[str], missing: set[int]
) -> None:
    """A transport stream announces tracks; whether anything comes on them is another matter."""
    full = make_clip(
        "full.ts", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=2", *numbered_source(), *TONE, "-map", "0", "-map",
        "1", "-map", "2", "-c:v", "mpeg2video", "-c:a", "mp2", *programs,
    )  # fmt: skip
    data = full.read_bytes()
    packets = [data[place : place + 188] for place in range(0, len(data), 188)]
    clip, out = tmp_path / "partly.ts", tmp_path / "out.mkv"
    clip.write_bytes(b"".join(packet for packet in packets if int.from_bytes(packet[1:3], "big") & 0x1FFF not in missing))
    assert run("video", clip, "-o", out) == 0
    said = capsys.readouterr().err
    assert "Left out, because nothing is in it: " in said and "cut short" not in said
    if 0x100 in missing:
        assert "Of its 2 video tracks, number 2 is painted (mpeg2video, 96x64): no other carries pictures." in said
        assert numbers(out) == list(range(50))
    assert ("audio mp2" in tracks(out)) == (0x102 not in missing)


KEY = "00112233445566778899aabbccddeeff"
LOCK = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY)


@pytest.mark.parametrize("kind", ["encv", "drmi"])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_an_encrypted_film_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], kind: str, suffix: str
) -> None:
    arguments = (*numbered_source(), *TONE, "-pix_fmt", "yuv420p", "-c:a", "aac", *LOCK)
    clip = tmp_path / f"locked.{suffix}"
    clip.write_bytes(make_clip("locked.mp4", *arguments).read_bytes().replace(b"encv", kind.encode()))
    assert locked_tracks(clip) == {1, 2}
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 1
    assert re.search(rf"locked\.{suffix}' is encrypted: only a player that has its key can show it\. Paint a", one_line(capsys))
    assert [path.name for path in tmp_path.iterdir()] == [clip.name]


def test_an_encrypted_film_in_fragments_is_told(
    tmp_path: Path, run: Run, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces = ("-movflags", "+frag_keyframe+empty_moov")
    clip = make_clip("pieces.mp4", *numbered_source(), "-pix_fmt", "yuv420p", *pieces, *LOCK)
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 1
    assert "is encrypted" in one_line(capsys)


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_encrypted_matroska_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """What says so takes the place of a title as long."""

    def element(name: str, content: bytes) -> bytes:
        return bytes.fromhex(name) + bytes([0x80 | len(content)]) + content

    key = element("5035", element("47E1", b"\5") + element("47E2", bytes(16)))  # AES, and its name
    mark = element("6D80", element("6240", element("5031", b"\0") + element("5032", b"\1") + element("5033", b"\1") + key))
    title = "t" * (len(mark) - 3)
    named = (f"-metadata:s:{kind[0]}", f"title={title}")
    data = make_clip(f"titled-{kind}.mkv", *numbered_source(), *TONE, "-pix_fmt", "yuv420p", *named).read_bytes()
    clip = tmp_path / "locked.mkv"
    assert data.count(element("536E", title.encode())) == 1
    clip.write_bytes(data.replace(element("536E", title.encode()), mark))
    code = run("video", clip, "-o", tmp_path / "out.mkv")
    said = capsys.readouterr().err
    if kind == "video":
        assert code == 1 and "locked.mkv' is encrypted: " in said
    else:
        assert code == 0 and "Left out, because it is encrypted: audio vorbis." in said
        assert tracks(tmp_path / "out.mkv") == ["video h264"]


def test_encrypted_sound_is_left_out_and_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """Noise where AAC should be, which ffmpeg complains of while it looks for what is in the file."""
    noise = make_clip("locked.m4a", *TONE, "-c:a", "aac", *LOCK)
    data = bytearray(
        make_clip("mixed.mp4", *numbered_source(), "-i", str(noise), "-c:a", "copy", "-pix_fmt", "yuv420p").read_bytes()
    )
    scheme = box(b"schm", bytes(4) + b"cenc\0\1\0\0") + box(b"schi", box(b"tenc", bytes(6) + b"\1\x08" + bytes(16)))
    put_inside(data, b"mp4a", box(b"sinf", box(b"frma", b"mp4a") + scheme))
    place = data.rindex(b"mp4a", 0, data.rindex(b"frma"))
    data[place : place + 4] = b"enca"
    (tmp_path / "mute.mp4").write_bytes(data)
    assert locked_tracks(tmp_path / "mute.mp4") == {2}
    for suffix in ("mp4", "mkv"):
        assert run("video", tmp_path / "mute.mp4", "-o", tmp_path / f"out.{suffix}") == 0
        said = capsys.readouterr().err
        assert "Left out, because it is encrypted: audio aac." in said and "damaged" not in said
        assert tracks(tmp_path / f"out.{suffix}") == ["video h264"]
    assert numbers(tmp_path / "out.mp4") == list(range(50))
