"""What files are by their first bytes, and what the commands say when they are given another kind than they paint."""

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.cli.main import main
from realtime_nst.errors import SourceError
from realtime_nst.inputs.sources import open_source
from realtime_nst.media.filekinds import check_file, check_film, kind_of
from realtime_nst.media.probing import probe
from tests.conftest import one_line
from tests.readback import COLOURS, numbered_source, read_back

Clip = Callable[..., Path]
Run = Callable[..., int]

PHOTOS = ("jpg", "png", "webp", "bmp", "tif", "avif", "ppm", "tga", "pcx", "jp2", "ico", "gif")
FORMATS = {
    "mp4": [], "mkv": [], "mov": ["-c:v", "mjpeg"], "avi": ["-c:v", "mpeg4"], "flv": [], "ts": [], "m2ts": [], "webm": [],
    "mpg": [], "m2v": [], "wmv": [], "ogv": ["-c:v", "libtheora"], "mxf": [], "y4m": [], "gif": [], "ivf": ["-c:v", "libvpx"],
    "mjpeg": [],
}  # fmt: skip
TEXTS = {
    "list.m3u": ("#EXTM3U\n#EXTINF:3,a\na.mp4\n", "playlist"),
    "plain.m3u": ("a.mp4\nb.mp4\n", "playlist"),
    "list.pls": ("[playlist]\nFile1=a.mp4\n", "playlist"),
    "list.xspf": ("<?xml version='1.0'?>\n<playlist version='1'/>", "playlist"),
    "live.m3u8": ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n", "film"),
    "parts.txt": ("ffconcat version 1.0\nfile a.mp4\n", "film"),
    "notes.txt": ("Get free films, naïvely.\n" * 999, "text"),
    "page.mp4": ("<!DOCTYPE html>\n<html>", "web page"),
}


@pytest.fixture
def still(tmp_path: Path) -> Callable[[str], Path]:
    """Make a photo of a gradient, or one of several pictures."""

    def make(name: str, pictures: int = 1) -> Path:
        colours = [np.full((64, 96, 3), colour, np.uint8) for colour in list(COLOURS.values())[:pictures]]
        first, *others = (Image.fromarray(colour) for colour in colours)
        options = {"save_all": True, "append_images": others, "duration": 200} if others else {}
        first.save(tmp_path / name, **options)
        return tmp_path / name

    return make


@pytest.mark.parametrize("suffix", PHOTOS)
def test_photos_are_known_whatever_they_are_called(still: Callable[[str], Path], suffix: str) -> None:
    photo = still(f"still.{suffix}")
    assert kind_of(photo) == ("video" if suffix == "gif" else "photo"), "a GIF may have one picture or more"
    if suffix not in ("gif", "tga", "pcx"):
        with pytest.raises(SourceError, match=r"film.mp4' is a photo, and a video was expected. `realtime-nst image` paints"):
            check_film(photo.rename(photo.with_name("film.mp4")))


@pytest.mark.parametrize("suffix", FORMATS)
def test_videos_are_known_whatever_they_are_called(make_clip: Clip, tmp_path: Path, suffix: str) -> None:
    size = (176, 144) if suffix == "mxf" else (96, 64)
    clip = make_clip(f"kind.{suffix}", *numbered_source(*size, seconds=0.4), "-pix_fmt", "yuv420p", *FORMATS[suffix])
    check_film(clip)
    assert kind_of(clip) == "video"
    if suffix != "mjpeg":  # nothing but photos, by its first bytes
        (tmp_path / "film.xyz").write_bytes(clip.read_bytes())
        assert kind_of(tmp_path / "film.xyz") == "video"


def test_other_files_are_known(make_clip: Clip, tmp_path: Path) -> None:
    for name, (text, kind) in TEXTS.items():
        (tmp_path / name).write_text(text, "utf-8")
        assert kind_of(tmp_path / name) == kind, name
    others = {"a.pdf": (b"%PDF-1.4\n%\xe2\xe3", "PDF"), "a.gz": (gzip.compress(b"x"), "archive"), "noise": (b"\x93\0\x88", "")}
    others |= {"._a.mp4": (b"\0\5\x16\7\0\2\0\0Mac OS X", "macOS"), "empty": (b"", "")}
    for name, (data, kind) in others.items():
        (tmp_path / name).write_bytes(data)
        assert kind_of(tmp_path / name) == kind, name
    for suffix in ("mp3", "wav", "flac", "ogg", "opus", "m4a", "aac"):
        assert kind_of(make_clip(f"tone.{suffix}", "-f", "lavfi", "-i", "sine=duration=0.2")) == "sound", suffix
    assert kind_of(tmp_path / "nowhere") == kind_of(tmp_path) == ""


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("name", ["anim.webp", "anim.png", "anim.gif"])
def test_animated_pictures_are_videos(run: Run, still: Callable[[str, int], Path], tmp_path: Path, name: str) -> None:
    assert kind_of(still(name, 3)) == "video"
    assert run("video", tmp_path / name, "-o", tmp_path / "out.mkv", "--codec", "ffv1") == 0
    times, images = read_back(tmp_path / "out.mkv")
    assert [float(time) for time in times] == pytest.approx([0, 0.2, 0.4], abs=0.002)
    assert np.abs(images.mean(axis=(1, 2)) - list(COLOURS.values())[:3]).max() < 6


@pytest.mark.usefixtures("identity")
def test_what_is_no_video_is_named_and_so_is_what_paints_it(
    run: Run, still: Callable[[str], Path], make_clip: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=0.2")
    (tmp_path / "page.pdf").write_bytes(b"%PDF-1.4\n%\xe2\xe3")
    (tmp_path / "list.m3u").write_text("#EXTM3U\na.mp4\n")
    words = {
        still("a.jpg"): "a.jpg' is a photo, and a video was expected. `realtime-nst image` paints photos.",
        still("a.tga"): "a.tga' is a photo, and a video was expected.",
        make_clip("song.mp3", *tone): "song.mp3' holds no video that can be read: it is sound and no picture.",
        make_clip("sound.mp4", *tone): "sound.mp4' holds no video that can be read: it has no picture, only audio.",
        tmp_path / "page.pdf": "it is a PDF. Save its pages as pictures",
        tmp_path / "list.m3u": "it is a playlist, which only names other files. Give those.",
    }
    for path, said in words.items():
        assert run("video", path, "-o", tmp_path / "out.mp4") == 1
        assert said in one_line(capsys) and not (tmp_path / "out.mp4").exists()
        with pytest.raises(SourceError) as caught:
            open_source(str(path))
        assert said in str(caught.value)
    film = make_clip("film.mp4", *numbered_source(seconds=0.2), "-pix_fmt", "yuv420p")
    assert run("video", tmp_path / "a.jpg", film, "-o", tmp_path / "out") == 1
    assert "a.jpg' is a photo" in capsys.readouterr().err and [path.name for path in (tmp_path / "out").iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("text", ['<svg xmlns="a"/>', '<?xml version="1.0"?>\n<!-- a -->\n<svg\nwidth="10">'])
def test_drawings_are_no_texts(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "a.svg").write_text(text)
    for command, output in (("video", "out.mp4"), ("image", "out.png")):
        assert run(command, tmp_path / "a.svg", "-o", tmp_path / output) == 1
        assert "it is a drawing (SVG). Save it as a PNG" in one_line(capsys)


def test_message_about_a_missing_file_says_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".hidden").touch()
    with pytest.raises(SourceError, match=r"a\.mov'\. The folder is empty\.$"):
        check_file(tmp_path / "a.mov")
    (tmp_path / "day").mkdir()
    (tmp_path / "night").mkdir()
    with pytest.raises(SourceError, match=r"a\.mov'\. The folder holds only folders: day, night\.$"):
        check_file(tmp_path / "a.mov")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"a\.mov'\. The folder holds nothing of that kind\.$"):
        check_file(tmp_path / "a.mov")


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices here")
@pytest.mark.parametrize("name", ["/dev/null", "/dev/video987"])
def test_devices_are_named_with_what_shows_them(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    assert run("video", name, "-o", tmp_path / "out.mp4") == 1
    said = one_line(capsys)
    assert f"If it is a camera, `realtime-nst webcam --camera {name}` shows and records it." in said
    assert said.startswith("'/dev/null' is a device" if name == "/dev/null" else "No file at '/dev/video987'. If")


def test_why_there_is_no_picture_is_said_in_plain_words(make_clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    words = make_clip("words.mkv", "-i", str(tmp_path / "words.srt"))
    with pytest.raises(SourceError, match=r": it has no picture, only subtitles\. Choose a file with pictures\.$"):
        probe(str(words))
    film = make_clip("film.mp4", *numbered_source(seconds=0.2), "-pix_fmt", "yuv420p")
    (tmp_path / "cut.mp4").write_bytes(film.read_bytes()[: film.read_bytes().index(b"moov")])
    with pytest.raises(SourceError, match=r"It is cut short: its index is missing\. Copy or record it again\.$"):
        probe(str(tmp_path / "cut.mp4"))
    data = make_clip("film.ts", *numbered_source(seconds=0.2), "-pix_fmt", "yuv420p", "-bf", "0").read_bytes()
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    (tmp_path / "none.ts").write_bytes(b"".join(packet for packet in packets if packet[1] & 31 != 1))  # tables only
    with pytest.raises(SourceError, match=r"none\.ts' holds no video .*: none of its video tracks carries pictures\."):
        probe(str(tmp_path / "none.ts"))


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_address_at_which_nobody_listens_is_told(scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SourceError) as caught:
            open_source(f"{scheme}://me:secret@{host}/snapshot.jpg?key=1")
    assert (
        str(caught.value) == f"'{scheme}://...@{host}/snapshot.jpg?...' does not answer: Connection refused. Check the address."
    )


@pytest.mark.usefixtures("identity")
def test_what_is_no_photo_is_named_and_so_is_what_paints_it(
    run: Run, still: Callable[[str], Path], make_clip: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = make_clip("film.mp4", *numbered_source(seconds=0.2), "-pix_fmt", "yuv420p")
    expected = "film.mp4' is a video, and a photo was expected. `realtime-nst video` paints videos."
    assert run("image", film, "-o", tmp_path / "out.png") == 1
    assert expected in one_line(capsys)
    assert main(["optimize", str(film), str(still("a.png")), "-o", str(tmp_path / "out.png")]) == 1
    assert expected in one_line(capsys)
    (tmp_path / "notes.txt").write_text("words")
    assert run("image", tmp_path / "notes.txt", "-o", tmp_path / "out.png") == 1
    assert "notes.txt' is not a picture that can be read: it is a text." in one_line(capsys)
    assert run("image", "https://me:pw@example.org/a.jpg?key=1", "-o", tmp_path / "out.png") == 1
    assert one_line(capsys).startswith("'https://...@example.org/a.jpg?...' is an address, and a file was expected. Save it")
    (tmp_path / "shelf").mkdir()
    for name in ("a.mp4", "b.mp4", "._c.mp4"):
        (tmp_path / "shelf" / name).write_bytes(film.read_bytes())
    assert run("image", tmp_path / "shelf", "-o", tmp_path / "out.png") == 1
    assert "It holds 2 videos; `realtime-nst video` paints videos." in one_line(capsys)
    with pytest.raises(SourceError, match="shelf' is a folder; a file was expected. It holds 2 videos; `realtime-nst video`"):
        open_source(str(tmp_path / "shelf"))
