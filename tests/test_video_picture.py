"""`video`, the picture: size, orientation, shape of pixels, formats and colours, read back from the output."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import one_line
from tests.readback import COLOURS, CORNERS, about, corner_colours, picture_line, psnr, read_back, views

Clip = Callable[..., Path]
Run = Callable[..., int]
UPRIGHT = ["red", "lime", "blue", "white"]

pytestmark = pytest.mark.usefixtures("identity")


def corners(make_clip: Clip, name: str, width: int, height: int, *arguments: str) -> Path:
    """Five frames of four coloured quarters, with tags unless the arguments have filters of their own."""
    tagged = "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p,setparams=colorspace=bt709:range=tv"
    filters = [] if "-vf" in arguments else ["-vf", tagged]
    return make_clip(name, "-f", "lavfi", "-i", CORNERS.format(w=width, h=height), "-frames:v", "5", *filters, *arguments)


@pytest.mark.parametrize(("width", "height"), [(96, 64), (64, 96), (98, 54), (97, 64), (96, 63), (65, 33), (1080, 1920), (8, 8)])
def test_any_size_stays_exactly_what_it_is(run: Run, tmp_path: Path, make_clip: Clip, width: int, height: int) -> None:
    clip = corners(make_clip, f"size{width}x{height}.mkv", width, height, "-c:v", "ffv1", "-pix_fmt", "yuv444p")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    before, after = read_back(clip)[1], read_back(tmp_path / "out.mp4")[1]
    assert after.shape == before.shape == (5, height, width, 3)
    assert corner_colours(after[2]) == UPRIGHT
    for edge in (np.s_[:, :, 0], np.s_[:, :, -1], np.s_[:, 0], np.s_[:, -1]):  # no green, black or shifted edge
        assert np.abs(before[edge].mean(-1) - after[edge].mean(-1)).mean() < 8
    assert psnr(before.mean(3), after.mean(3)) > 28, "the colours of the middle line are shared by two columns"


@pytest.mark.parametrize("suffix", ["webm", "mkv", "mov", "gif"])
def test_odd_sizes_stay_in_every_container(run: Run, tmp_path: Path, make_clip: Clip, suffix: str) -> None:
    clip = corners(make_clip, "odd.mkv", 65, 33, "-c:v", "ffv1", "-pix_fmt", "yuv444p")
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    _, after = read_back(out)
    assert after.shape[1:] == (33, 65, 3) and corner_colours(after[2]) == UPRIGHT


TURNED = {
    0: UPRIGHT,
    90: ["lime", "white", "red", "blue"],
    180: ["white", "blue", "lime", "red"],
    270: ["blue", "red", "white", "lime"],
}


@pytest.mark.parametrize("angle", TURNED)
@pytest.mark.parametrize("flip", [False, True])
def test_rotation_is_applied_once(run: Run, tmp_path: Path, make_clip: Clip, angle: int, flip: bool) -> None:
    flat = corners(make_clip, "flat.mp4", 96, 64, "-pix_fmt", "yuv420p")
    flags = ["-display_hflip"] if flip else []
    clip = make_clip(f"turned{angle}{flip}.mp4", "-display_rotation", str(angle), *flags, "-i", str(flat), "-c", "copy")
    seen = read_back(clip)[1][2]
    assert flip or corner_colours(seen) == TURNED[angle]
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    after = read_back(tmp_path / "out.mp4")[1][2]
    assert after.shape == seen.shape and corner_colours(after) == corner_colours(seen)
    assert "rotation of" not in about(tmp_path / "out.mp4"), "it would be turned twice"


@pytest.mark.parametrize("angle", [5, 45])
def test_a_picture_turned_by_an_odd_angle_is_painted_as_players_show_it(
    run: Run, tmp_path: Path, make_clip: Clip, angle: int
) -> None:
    """ffmpeg warns of it in a line without an end, so that what it says next is on the same one."""
    straight = make_clip("straight.mp4", "-f", "lavfi", "-i", "testsrc=size=96x64:rate=25:duration=0.4", "-pix_fmt", "yuv420p")
    clip = make_clip(f"tilted{angle}.mp4", "-display_rotation", str(angle), "-i", str(straight), "-c", "copy")
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--codec", "ffv1") == 0
    turned = read_back(clip, filters="format=yuv420p")  # in which it is turned
    (times, before), (painted, after) = turned, read_back(tmp_path / "out.mkv")
    assert painted == times and len(times) == 10
    assert psnr(before, after) > 35 and psnr(read_back(straight)[1], after) < 20, "turned, and once"
    assert run("video", clip, "-o", tmp_path / "part.mkv", "--codec", "ffv1", "--start", "0.2") == 0
    assert psnr(before[5:], read_back(tmp_path / "part.mkv")[1]) > 35


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_picture_that_both_file_and_codec_turn_is_painted(run: Run, tmp_path: Path, make_clip: Clip, suffix: str) -> None:
    straight = corners(make_clip, "straight.mp4", 96, 64, "-c:v", "libx264", "-pix_fmt", "yuv444p")
    inside = ("-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")
    said = make_clip("said.mp4", "-i", str(straight), "-c", "copy", *inside)
    clip = make_clip(f"twice.{suffix}", "-display_rotation", "90", "-i", str(said), "-c", "copy")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert corner_colours(read_back(tmp_path / "out.mp4")[1][2]) == TURNED[90]


SIDE_BY_SIDE = "testsrc2=size=48x64:rate=25:duration=0.4,split[a][b];[a][b]hstack"
PACKED = bytes([0x4E, 0x01, 45, 6, 0x81, 0x81, 0x00, 0x00, 0x00, 0xC0, 0x80])
"""A unit of HEVC that says that two views lie side by side, for all that follows."""


def two_views(make_clip: Clip, codec: str, suffix: str, *marked: str) -> Path:
    """3D of which the codec tells, and with arguments the file as well."""
    source = ("-f", "lavfi", "-i", SIDE_BY_SIDE, "-pix_fmt", "yuv420p", "-bf", "0")
    if codec == "h264":
        clip = make_clip("views.mp4", *source, "-x264-params", "frame-packing=3")
    else:
        data = make_clip("views.h265", *source, "-c:v", "libx265", "-x265-params", "log-level=error").read_bytes()
        starts = [match.end() for match in re.finditer(b"\0\0\1", data)]
        first = next(start for start in starts if data[start] >> 1 < 32)  # of a picture, after the parameters
        clip = make_clip("views.h265", *source, "-c:v", "libx265", "-x265-params", "log-level=error:annexb=1")
        clip.write_bytes(data[:first] + PACKED + b"\0\0\1" + data[first:])
    return make_clip(f"{codec}.{suffix}", "-fflags", "+genpts", "-r", "25", "-i", str(clip), "-c", "copy", *marked)


MARKED = ("-metadata:s:v:0", "stereo_mode=left_right")


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_3d_that_both_file_and_codec_tell_of_is_painted_and_stays_3d(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], codec: str
) -> None:
    clip = two_views(make_clip, codec, "mkv", *MARKED)
    plain = read_back(two_views(make_clip, codec, "mp4"))[1]
    for suffix in ("mkv", "mp4", "mov", "webm"):
        out = tmp_path / f"out.{suffix}"
        assert run("video", clip, "-o", out) == 0
        after = read_back(out)[1]
        assert after.shape == plain.shape and psnr(plain, after) > 28
        assert views(out) == "side by side", suffix
    assert "3D" not in capsys.readouterr().err, "nothing is lost"


@pytest.mark.parametrize(
    ("mode", "words"),
    [("top_bottom", "top and bottom"), ("right_left", "side by side (inverted)"), ("row_interleaved_lr", "interleaved lines"),
     ("col_interleaved_lr", "interleaved columns"), ("checkerboard_lr", "checkerboard"), ("anaglyph_cyan_red", "")],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4"])
def test_3d_stays_where_the_file_can_say_it_and_is_told_where_not(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], mode: str, words: str, suffix: str
) -> None:
    source = ("-f", "lavfi", "-i", SIDE_BY_SIDE, "-pix_fmt", "yuv420p")
    clip, out = make_clip("views.mkv", *source, "-metadata:s:v:0", f"stereo_mode={mode}"), tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out) == 0
    said = capsys.readouterr().err
    can = {"mkv": True, "webm": mode in ("top_bottom", "right_left"), "mp4": mode not in ("right_left", "anaglyph_cyan_red")}
    if can[suffix]:
        assert views(out) == words and "3D" not in said
        assert suffix == "mp4" or re.search(f"stereo_mode +: {mode}", about(out))
    else:
        codec = "vp9" if suffix == "webm" else "h264"
        plain = words.replace(" (inverted)", ", the right view first") or mode.replace("_", " ")
        assert f"It is 3D ({plain}); {suffix} with {codec} cannot say that" in said
        assert views(out) == "" and "stereo_mode" not in about(out)


def test_3d_that_is_encoded_otherwise_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = two_views(make_clip, "h264", "mp4")
    for name, flags, what in (("a.mp4", ["--codec", "hevc"], "mp4 with hevc"), ("a.gif", [], "a GIF")):
        assert run("video", clip, "-o", tmp_path / name, *flags) == 0
        assert f"It is 3D (side by side); {what} cannot say that" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["phone_rot90_3frames.mov", "phone_rot180_3frames.mov", "bunny_rot90_51audio.mp4"])
def test_real_phone_clips_stand_upright(run: Run, tmp_path: Path, clips: Path, name: str) -> None:
    assert run("video", clips / name, "-o", tmp_path / "out.mp4") == 0
    before, after = read_back(clips / name)[1], read_back(tmp_path / "out.mp4")[1]
    assert before.shape == after.shape and psnr(before, after) > 32


@pytest.mark.parametrize("aspect", ["4/3", "8/9", "2/3"])
def test_pixels_that_are_not_square_keep_their_shape(run: Run, tmp_path: Path, make_clip: Clip, aspect: str) -> None:
    clip = corners(make_clip, f"sar{aspect.replace('/', '_')}.mp4", 96, 64, "-vf", f"setsar={aspect}", "-pix_fmt", "yuv420p")
    for out in (tmp_path / "out.mp4", tmp_path / "out.mkv"):
        assert run("video", clip, "-o", out) == 0
        assert "96x64" in picture_line(out) and f"SAR {aspect.replace('/', ':')}" in picture_line(out)


def test_turned_pixels_that_are_not_square(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    flat = corners(make_clip, "flatsar.mp4", 96, 64, "-vf", "setsar=4/3", "-pix_fmt", "yuv420p")
    clip = make_clip("turnedsar.mp4", "-display_rotation", "90", "-i", str(flat), "-c", "copy")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "64x96" in picture_line(tmp_path / "out.mp4") and "SAR 3:4" in picture_line(tmp_path / "out.mp4")


FORMATS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le", "yuvj420p", "gbrp", "gray"]


def half(images: np.ndarray) -> np.ndarray:
    """Pictures of half the size: as fine as the colours of 4:2:0 are."""
    count, height, width, _ = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, 3).mean((2, 4))


@pytest.mark.parametrize("pixels", FORMATS)
def test_pixel_formats_come_out_as_they_look(run: Run, tmp_path: Path, make_clip: Clip, pixels: str) -> None:
    clip = make_clip(f"{pixels}.mkv", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=0.4", "-pix_fmt", pixels,
                     "-c:v", "libx264rgb" if pixels == "gbrp" else "libx264", "-qp", "1")  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--crf", "4") == 0
    before, after = half(read_back(clip)[1]), half(read_back(tmp_path / "out.mp4")[1])
    assert len(before) == len(after) == 10
    assert psnr(before, after) > 33, psnr(before, after)
    assert np.abs(before.mean((0, 1, 2)) - after.mean((0, 1, 2))).max() < 2, "a tint"


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le", "yuv422p10le", "yuv420p12le", "yuv444p10le"])
def test_grey_of_any_depth_stays_as_light_as_it_is(run: Run, tmp_path: Path, make_clip: Clip, pixels: str) -> None:
    exactly = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int"
    source = f"color=0xC0C0C0:size=96x64:rate=25:duration=0.12,format=gbrp,{exactly},format={pixels}"
    clip = make_clip(f"grey{pixels}.mkv", "-f", "lavfi", "-i", source, "-c:v", "ffv1")
    assert run("video", clip, "-o", tmp_path / "out-%d.png") == 0
    assert np.abs(np.asarray(Image.open(tmp_path / "out-2.png")).astype(int) - 192).max() <= 1


TAGS = {
    "bt709": ("bt709", "bt709", "bt709", "tv, bt709"),
    "bt601-525": ("smpte170m", "smpte170m", "smpte170m", "tv, smpte170m"),
    "bt601-625": ("bt470bg", "bt470bg", "smpte170m", "tv, bt470bg/bt470bg/smpte170m"),
    "bt2020": ("bt2020nc", "bt2020", "bt2020-10", "tv, bt2020nc/bt2020/bt2020-10"),
}


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("name", TAGS)
@pytest.mark.parametrize("full", [False, True])
def test_colour_tags_are_read_and_written(run: Run, tmp_path: Path, make_clip: Clip, name: str, full: bool, suffix: str) -> None:
    matrix, primaries, transfer, expected = TAGS[name]
    span = "pc" if full else "tv"
    clip = corners(
        make_clip, f"{name}{full}.mkv", 96, 64,
        "-vf", f"scale=out_color_matrix={matrix}:out_range={span},format=yuv420p,"
        f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}:range={span}",
        "-c:v", "libx264", "-qp", "4",
    )  # fmt: skip
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out, "--crf", "4") == 0
    assert f"({expected}" in picture_line(out), picture_line(out)
    image = read_back(out)[1][2]
    for (y, x), colour in zip(((16, 24), (16, 72), (48, 24), (48, 72)), UPRIGHT):
        assert np.abs(image[y, x].astype(int) - COLOURS[colour]).max() <= 5, (name, image[y, x], colour)


@pytest.mark.parametrize(("width", "height", "matrix"), [(96, 64, "smpte170m"), (1280, 720, "bt709")])
def test_untagged_video_gets_the_matrix_that_players_assume(
    run: Run, tmp_path: Path, make_clip: Clip, width: int, height: int, matrix: str
) -> None:
    made = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,setparams=colorspace=unknown:range=unknown"
    clip = corners(make_clip, f"untagged{width}.mp4", width, height, "-vf", made)
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert f"tv, {matrix}" in picture_line(tmp_path / "out.mp4")
    image = read_back(tmp_path / "out.mp4")[1][2]
    assert np.abs(image[height // 4, width // 4].astype(int) - (255, 0, 0)).max() <= 6
    other = (1280, 720) if width < 1280 else (96, 64)  # players take that size for the other matrix
    assert run("video", clip, "-o", tmp_path / "sized.mp4", "--size", "{}x{}".format(*other)) == 0
    assert f"tv, {matrix}" in picture_line(tmp_path / "sized.mp4"), "the tag says how it was written"
    image = read_back(tmp_path / "sized.mp4")[1][2]
    assert np.abs(image[other[1] // 4, other[0] // 4].astype(int) - (255, 0, 0)).max() <= 6


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_tone_mapped_and_says_so(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], transfer: str
) -> None:
    grey = "color=gray:size=96x64:rate=25:duration=0.2,format=gbrpf32le,setparams=color_primaries=bt709:color_trc=bt709:range=pc"
    clip = make_clip(
        f"hdr-{transfer}.mkv", "-f", "lavfi", "-i", grey,
        "-vf", f"zscale=transfer=linear:npl=203,zscale=primaries=bt2020:transfer={transfer}:matrix=bt2020nc:range=tv,"
        "format=yuv420p10le", "-c:v", "libx265", "-x265-params", "log-level=error",
    )  # fmt: skip
    assert transfer in picture_line(clip)
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    said = capsys.readouterr().err
    assert re.search(r"(PQ \(HDR10\)|HLG) is tone-mapped", said)
    assert "yuv420p(tv, bt709" in picture_line(tmp_path / "out.mp4")
    colour = read_back(tmp_path / "out.mp4")[1][2].mean((0, 1))
    assert np.ptp(colour) < 6 and 60 < colour.mean() < 200, f"grey came out as {colour}"


def test_interlaced_video_is_deinterlaced_and_says_so(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = "nullsrc=size=128x96:rate=50:duration=1,format=gray,geq=lum='255*lt(mod(X-8*N,64),32)',format=yuv420p"
    moving = f"{bars},tinterlace=interleave_top,setfield=tff"
    clip = make_clip("interlaced.mkv", "-f", "lavfi", "-i", moving, "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-b:v", "5M")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "Interlaced; it is deinterlaced" in capsys.readouterr().err
    times, after = read_back(tmp_path / "out.mp4")
    before_times, before = read_back(clip)
    assert len(after) == len(before) and times == before_times, "as many frames as before"

    def combs(images: np.ndarray) -> float:
        rows = images.astype(int)
        return float(np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]).mean())

    assert combs(after) < 0.6 * combs(before)
    assert "progressive" in picture_line(tmp_path / "out.mp4")


SEEN_THROUGH = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,W/4),0,if(lt(X,W/2),128,255))'"
TAGGED = "scale=out_color_matrix={0}:out_range=tv,setparams=colorspace={0}:range=tv"
TRANSPARENT = {
    "prores.mov": ["-vf", TAGGED.format("bt709"), "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"],
    "vp9.webm": ["-vf", TAGGED.format("bt709"), "-c:v", "libvpx-vp9", "-crf", "4", "-b:v", "0", "-pix_fmt", "yuva420p"],
    "vp8.webm": ["-vf", TAGGED.format("smpte170m"), "-c:v", "libvpx", "-auto-alt-ref", "0", "-crf", "4", "-pix_fmt", "yuva420p"],
    "animation.mov": ["-c:v", "qtrle"],
    "png.mov": ["-c:v", "png"],
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparency_becomes_white_and_says_so(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    source = f"{CORNERS.format(w=96, h=64)},{SEEN_THROUGH}"
    clip = make_clip(name, "-f", "lavfi", "-i", source, "-frames:v", "12", *TRANSPARENT[name])
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--crf", "4") == 0
    assert capsys.readouterr().err.count("Transparent in places; that becomes white") == 1
    times, images = read_back(tmp_path / "out.mp4")
    assert times == [count / 25 for count in map(Fraction, range(12))]
    for x, wanted in ((12, (255, 255, 255)), (36, (255, 127, 127)), (72, (0, 255, 0))):
        assert np.abs(images[8][16, x].astype(int) - wanted).max() <= 8, (x, images[8][16, x])


def test_pictures_that_could_be_transparent_and_are_not_are_left_alone(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip("opaque.mkv", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.4,format=bgra,setparams=range=pc",
                     "-c:v", "ffv1")  # fmt: skip
    assert "bgra" in picture_line(clip)
    assert run("video", clip, "-o", tmp_path / "out.mkv", "--codec", "ffv1") == 0
    assert "ransparent" not in capsys.readouterr().err
    assert np.array_equal(read_back(clip)[1], read_back(tmp_path / "out.mkv")[1])


def test_size_is_what_was_asked_for_and_the_picture_keeps_its_shape(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = corners(make_clip, "wide.mp4", 128, 64, "-pix_fmt", "yuv420p")
    for size, aspect in (("64x32", "SAR 1:1"), ("64x64", "SAR 2:1"), ("256x128", "SAR 1:1")):
        out = tmp_path / f"{size}.mp4"
        assert run("video", clip, "-o", out, "--size", size) == 0
        assert size in picture_line(out) and aspect in picture_line(out)
        assert corner_colours(read_back(out)[1][2]) == UPRIGHT


@pytest.mark.parametrize("suffix", ["gif", "png"])
@pytest.mark.parametrize(("aspect", "size"), [("4/3", (128, 64)), ("2/3", (96, 96))])
def test_kinds_with_square_pixels_only_keep_the_shape(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], suffix: str, aspect: str, size: tuple[int, int]
) -> None:
    clip = corners(make_clip, f"sar{aspect.replace('/', '_')}.mp4", 96, 64, "-vf", f"setsar={aspect}", "-pix_fmt", "yuv420p")
    name = "out.gif" if suffix == "gif" else "out-%d.png"
    assert run("video", clip, "-o", tmp_path / name) == 0
    said = capsys.readouterr().err
    assert f"{suffix} has square pixels only; 96x64 becomes {size[0]}x{size[1]}." in said
    image = read_back(tmp_path / name.replace("%d", "1"))[1][0]
    assert image.shape == (size[1], size[0], 3) and corner_colours(image) == UPRIGHT


def test_real_clip_with_wide_pixels_keeps_their_shape(run: Run, tmp_path: Path, clips: Path) -> None:
    clip = clips / "testpattern_sar2by3_audio.mp4"
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--end", "0.5") == 0
    assert re.search(r"\d+x\d+ \[SAR \S+ DAR \S+\]", picture_line(clip))
    for words in (r"\d{2,}x\d{2,}", r"SAR \S+", r"DAR [\d:]+"):
        assert re.search(words, picture_line(clip))[0] == re.search(words, picture_line(tmp_path / "out.mp4"))[0]  # type: ignore[index]


def test_interlaced_frames_after_others_are_deinterlaced_and_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second of whole frames, then interlaced ones, in one stream."""
    bars = "nullsrc=size=128x96:rate=50:duration=1,format=gray,geq=lum='255*lt(mod(X-8*N,64),32)',format=yuv420p"
    codec = ["-c:v", "mpeg2video", "-b:v", "5M", "-bf", "0", "-f", "mpegts"]
    whole = make_clip("whole.ts", "-f", "lavfi", "-i", f"{bars},fps=25", *codec)
    halves = f"{bars},tinterlace=interleave_top,setfield=tff"
    combed = make_clip("combed.ts", "-f", "lavfi", "-i", halves, "-flags", "+ildct+ilme", *codec)
    clip = tmp_path / "both.ts"
    clip.write_bytes(whole.read_bytes() + combed.read_bytes())
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert capsys.readouterr().err.count("Interlaced in places; these are deinterlaced") == 1
    before, after = read_back(clip)[1], read_back(tmp_path / "out.mp4")[1]
    assert len(before) == len(after)

    def combs(images: np.ndarray) -> float:
        rows = images.astype(int)
        return float(np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]).mean())

    assert combs(after[-20:]) < 0.6 * combs(before[-20:]) and psnr(before[:20], after[:20]) > 30, "whole frames are left alone"


def test_size_that_changes_on_the_way_keeps_the_shape_and_is_told(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    """320x240, then 160x240, as a call that is turned: the second fits into the first, with black at both sides."""
    codec = ["-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-q:v", "2", "-bf", "0", "-f", "mpegts"]
    wide, high = (corners(make_clip, f"{width}.ts", width, 240, *codec) for width in (320, 160))
    clip = tmp_path / "turned.ts"
    clip.write_bytes(wide.read_bytes() + high.read_bytes())
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert re.search(r"160x240 instead of 320x240 from \d\.\d seconds on; it is fitted", capsys.readouterr().err)
    images = read_back(tmp_path / "out.mp4")[1]
    assert images.shape[1:] == (240, 320, 3) and corner_colours(images[2]) == UPRIGHT
    last = images[-2]
    assert corner_colours(last[:, 80:240]) == UPRIGHT and last[:, :76].max() < 40 and last[:, 244:].max() < 40
    assert run("video", clip, "-o", tmp_path / "small.mp4", "--size", "160x60") == 0
    small = read_back(tmp_path / "small.mp4")[1]
    assert (
        corner_colours(small[2]) == UPRIGHT and corner_colours(small[-2][:, 40:120]) == UPRIGHT and small[-2][:, :36].max() < 40
    )


@pytest.mark.parametrize(("width", "height"), [(97, 63), (65, 33)])
def test_hdr_of_odd_size(run: Run, tmp_path: Path, make_clip: Clip, width: int, height: int) -> None:
    clip = make_clip(
        f"odd{width}.mkv", "-f", "lavfi", "-i", f"color=gray:size={width}x{height}:rate=25:duration=0.2",
        "-vf", "format=yuv420p10le,setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084:range=tv",
        "-c:v", "ffv1",
    )  # fmt: skip
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    images = read_back(tmp_path / "out.mp4")[1]
    assert images.shape == (5, height, width, 3) and np.ptp(images[2].mean((0, 1))) < 6


@pytest.mark.parametrize("matrix", ["ycgco", "bt2020c"])
@pytest.mark.parametrize(("width", "height"), [(96, 64), (65, 33)])
def test_rare_matrices_are_read(run: Run, tmp_path: Path, make_clip: Clip, matrix: str, width: int, height: int) -> None:
    """Corners, written by `zscale` and tagged, come out in their colours, tagged as BT.709."""
    source = CORNERS.format(w=width, h=height)
    tags = "setparams=color_primaries=bt2020:color_trc=bt2020-10:range=pc"
    clip = make_clip(
        f"{matrix}{width}.mkv", "-f", "lavfi", "-i", source, "-frames:v", "5",
        "-vf", f"{tags},zscale=matrix={matrix.replace('bt2020c', '2020_cl')}:range=tv,format=yuv444p", "-c:v", "ffv1",
    )  # fmt: skip
    assert f", {matrix}" in picture_line(clip)
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--crf", "4") == 0
    assert "tv, bt709" in picture_line(tmp_path / "out.mp4")
    image = read_back(tmp_path / "out.mp4")[1][2]
    assert corner_colours(image) == UPRIGHT
    for y, x, colour in ((height // 4, width // 4, "red"), (3 * height // 4, width // 4, "blue")):
        assert np.abs(image[y, x].astype(int) - COLOURS[colour]).max() <= 14, "constant luminance is coarse in blue"


def test_unknown_matrix_is_told(run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    clip = corners(
        make_clip, "strange.mkv", 96, 64, "-vf", "format=yuv444p,setparams=colorspace=smpte2085:range=tv", "-c:v", "ffv1"
    )
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    assert "The colour matrix smpte2085 is not known here; its colours may be off." in capsys.readouterr().err
    assert len(read_back(tmp_path / "out.mp4")[1]) == 5


def test_size_that_does_not_fit_into_memory_is_refused(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("video", talkie, "-o", tmp_path / "out.mp4", "--size", "16384x16384") == 1
    assert "16384x16384 is too large: at most 40 megapixels fit into memory" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []
