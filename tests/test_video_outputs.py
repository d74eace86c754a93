"""`video`, what is written: containers, codecs, pictures, pipes, and styles that change on the way."""

import colorsys
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from realtime_nst.cli.main import main
from realtime_nst.errors import SinkError, StyleError
from realtime_nst.jobs import joining
from realtime_nst.media.containers import GIF, MKV, MP4, WEBM, container_of, numbered
from realtime_nst.media.encoders import choose_encoder
from realtime_nst.media.ffmpeg import produce, start
from realtime_nst.style.book import StyleBook
from realtime_nst.style.schedule import StylePath, read_path
from tests.conftest import one_line, painting_by, wait_until
from tests.readback import GATED, NUMBERED, duration, number_in, numbered_source, numbers, picture_line, read_back, sound, tracks

Clip = Callable[..., Path]
Run = Callable[..., int]

CODECS = [
    ("mp4", None, "h264"), ("mov", None, "h264"), ("mkv", None, "h264"), ("webm", None, "vp9"),
    ("mp4", "hevc", "hevc"), ("mov", "hevc", "hevc"), ("mkv", "hevc", "hevc"), ("mp4", "av1", "av1"), ("webm", "av1", "av1"),
    ("mp4", "vp9", "vp9"), ("mov", "prores", "prores"), ("mkv", "ffv1", "ffv1"),
]  # fmt: skip


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(("suffix", "codec", "found"), CODECS)
def test_every_codec_keeps_every_frame_at_its_time(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch, suffix: str, codec: str | None, found: str
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 20)
    clip = make_clip(
        "codecs.mp4", *numbered_source(96, 64, "24000/1001", 2), "-f", "lavfi", "-i", "sine=duration=2", "-pix_fmt", "yuv420p"
    )
    out = tmp_path / f"out.{suffix}"
    assert run("video", clip, "-o", out, *(["--codec", codec] if codec else [])) == 0
    assert tracks(out)[0] == f"video {found}" and len(tracks(out)) == 2
    times, images = read_back(out)
    assert [number_in(image) for image in images] == numbers(clip)
    before = read_back(clip)[0]
    assert max(abs(one - other - (times[0] - before[0])) for one, other in zip(times, before)) < 0.0011
    assert abs(times[0]) < 0.022, "Matroska cannot hold the silence before AAC, and moves everything by it"
    assert found not in ("hevc",) or suffix == "mkv" or "hvc1" in picture_line(out)


@pytest.mark.usefixtures("identity")
def test_quality_and_preset_reach_the_encoder(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    noise = "nullsrc=size=96x64:rate=25:duration=1,geq=random(1)*255:128:128"
    clip = make_clip("noise.mkv", "-f", "lavfi", "-i", noise, "-c:v", "ffv1")
    sizes = {}
    for name, flags in {"fine": ["--crf", "5"], "coarse": ["--crf", "40"], "slow": ["--preset", "slow"]}.items():
        assert run("video", clip, "-o", tmp_path / f"{name}.mp4", *flags) == 0
        sizes[name] = (tmp_path / f"{name}.mp4").stat().st_size
    assert sizes["fine"] > 3 * sizes["coarse"]
    assert b"subme=8" in (tmp_path / "slow.mp4").read_bytes() and b"subme=2" in (tmp_path / "fine.mp4").read_bytes()


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_videotoolbox", "h264_vaapi", "auto"])
def test_hardware_that_is_not_there_is_told_and_replaced(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], codec: str
) -> None:
    clip = make_clip("plain.mp4", *numbered_source(seconds=0.4), "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.mp4", "--codec", codec) == 0
    said = capsys.readouterr().err
    assert re.search(rf"{codec} does not work here \(.+\); libx26[45] is used|is encoded by|No hardware encoder works here", said)
    assert numbers(tmp_path / "out.mp4") == list(range(10))


@pytest.mark.parametrize(
    ("container", "choice", "words"),
    [
        (MP4, {"codec": "theora"}, r"No codec 'theora'\. Expected: auto, h264, hevc"),
        (MP4, {"codec": "h264_magic"}, r"No codec 'h264_magic'"),
        (MP4, {"codec": "png"}, r"No codec 'png'"),
        (GIF, {"codec": "h264"}, r"gif takes no --codec: there is only one way to write it"),
        (WEBM, {"codec": "h264"}, r"webm cannot hold h264; it holds vp9, av1"),
        (MP4, {"crf": 52}, r"--crf 52 is not for libx264: 0 \(best\) to 51 were expected; usual is 18"),
        (MP4, {"crf": 52, "codec": "auto"}, r"--crf 52 is not for libx264: 0"),
        (MP4, {"crf": 0, "codec": "h264_nvenc"}, r"--crf 0 is not for h264_nvenc: 1"),
        (MP4, {"codec": "hevc", "height": 34}, r"libx265 cannot encode 64x34; at least 64x64 was expected\. Choose another"),
        (WEBM, {"codec": "av1", "width": 8, "height": 8}, r"libsvtav1 cannot encode 8x8; at least 64x64 was expected"),
        (MP4, {"preset": "quick"}, r"--preset quick is not for libx264: ultrafast, .* were expected"),
        (MKV, {"codec": "ffv1", "crf": 3}, r"ffv1 takes neither --crf nor --preset"),
    ],
)
def test_wrong_choices_are_told(container: object, choice: dict[str, object], words: str) -> None:
    with pytest.raises(SinkError, match=words):
        choose_encoder(container, **{"width": 64, "height": 64, **choice})  # type: ignore[arg-type]


def test_auto_takes_software_where_hardware_has_no_such_quality() -> None:
    for container, crf, name in ((MP4, 0, "libx264"), (WEBM, 60, "libvpx-vp9")):
        encoder, notices = choose_encoder(container, 64, 64, codec="auto", crf=crf)
        assert encoder.name == name and str(crf) in encoder.arguments
        assert notices == [f"No hardware encoder works here; {name} is used."]
    assert choose_encoder(GIF, 64, 64, codec="auto")[1] == [], "there is no choice"


@pytest.mark.usefixtures("identity")
def test_gif_has_all_frames_and_good_colours(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    clip = make_clip("gif.mp4", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1", "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    times, after = read_back(tmp_path / "out.gif")
    before = read_back(clip)[1]
    assert len(after) == 25 and [float(time) for time in times] == pytest.approx([count / 25 for count in range(25)])
    assert np.abs(before.astype(int) - after).mean() < 12


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("rate", ["60", "24002/100", "300"])
def test_gif_of_more_frames_than_it_can_show_lasts_as_long(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str], rate: str
) -> None:
    clip = make_clip(f"slow{rate[:3]}.mp4", *numbered_source(rate=rate, seconds=1), "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    said = capsys.readouterr().err
    times, _ = read_back(tmp_path / "out.gif")
    count = round(Fraction(rate))
    assert (
        f"GIF shows at most 50 frames per second; {count + 1 - len(times)} of " in said or f"; {count - len(times)} of " in said
    )
    assert 0.9 < float(times[-1]) < 1.1 and 45 <= len(times) <= 52
    assert {later - time for time, later in pairwise(times)} == {Fraction(1, 50)}


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("loop", [None, 0, 3])
def test_gif_plays_as_often_as_the_original(run: Run, tmp_path: Path, loop: int | None) -> None:
    clip = gif(tmp_path / "in.gif", [0.1, 0.6], [100, 100], **({} if loop is None else {"loop": loop}))
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    with Image.open(tmp_path / "out.gif") as file:
        assert file.info.get("loop") == loop


def gif(path: Path, hues: list[float], milliseconds: list[int], **options: object) -> Path:
    """An animated GIF whose frames have nothing in common but their size: gradients of one hue each."""
    fall, rise = np.mgrid[:64, :96] / [[[64]], [[96]]]
    light = np.stack([0.4 + 0.6 * rise, 0.4 + 0.6 * fall, 1 - 0.6 * rise], -1)
    frames = [Image.fromarray((255 * light * colorsys.hsv_to_rgb(hue, 1, 1)).astype(np.uint8)) for hue in hues]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=milliseconds, **options)
    return path


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 10])
def test_gif_of_few_frames_comes_back_with_its_times_and_colours(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    """Each frame has colours of its own, also the last; and ffmpeg takes two frames in a second for a rate of 100."""
    delays = [500, 20, 330, 1000, 40, 90, 20, 250, 700, 60][-count:]
    before = gif(tmp_path / "in.gif", [number / count for number in range(count)], delays, loop=0)
    assert run("video", before, "-o", tmp_path / "out.gif", "--strength", 0) == 0
    assert "left out" not in capsys.readouterr().err
    times, images = read_back(tmp_path / "out.gif")
    wanted, originals = read_back(before)
    assert times == wanted and duration(tmp_path / "out.gif") == duration(before)
    errors = np.abs(images.astype(int) - originals).mean(axis=(1, 2, 3))
    assert max(errors) < (2 if count < 4 else 9), "of ten frames, each may have a tenth of 256 colours"


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("suffix", "delays"),
    [("gif", [40, 100, 160]), ("gif", [40, 100]), ("gif", [30, 40, 1000]), ("gif", [500, 20]), ("gif", [70, 30, 30, 40]),
     ("mkv", [40, 100, 160])],
)  # fmt: skip
def test_times_of_a_gif_stay_and_its_frames_are_counted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, delays: list[int]
) -> None:
    """ffmpeg guesses a rate for it, which may be near to a time that is right."""
    before = gif(tmp_path / "in.gif", [number / len(delays) for number in range(len(delays))], delays, loop=0)
    flags = ["--codec", "ffv1"] if suffix == "mkv" else []
    assert run("video", before, "-o", tmp_path / f"out.{suffix}", *flags, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["frames"] for event in events if event["event"] == "begin"] == [len(delays)]
    times, _ = read_back(tmp_path / f"out.{suffix}")
    assert [float(time) for time in times] == pytest.approx([sum(delays[:end]) / 1000 for end in range(len(delays))], abs=0.0051)
    if suffix == "gif":
        with Image.open(tmp_path / "out.gif") as file:
            assert [frame.info["duration"] for frame in ImageSequence.Iterator(file)] == delays


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_gif_of_a_video_of_few_frames(run: Run, tmp_path: Path, make_clip: Clip, count: int) -> None:
    hues = "nullsrc=size=96x64:rate=25,format=gbrp,geq=r='200*eq(N,0)+X/2':g='200*eq(N,1)+Y/2':b='200*eq(N,2)+X/2'"
    clip = make_clip(f"few{count}.mkv", "-f", "lavfi", "-i", hues, "-frames:v", str(count), "-c:v", "ffv1")
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    times, images = read_back(tmp_path / "out.gif")
    assert [float(time) for time in times] == [0, 0.04, 0.08][:count]
    assert np.abs(images.astype(int) - read_back(clip)[1]).mean(axis=(1, 2, 3)).max() < 4


@pytest.mark.usefixtures("identity")
def test_gif_keeps_times_that_no_frame_rate_has(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    uneven = f"{NUMBERED},settb=1/1000,setpts=N*60+10*mod(N*N\\,5)"
    source = ["-f", "lavfi", "-i", f"nullsrc=size=96x64:rate=25:duration=0.8,format=yuv444p,{uneven}"]
    clip = make_clip("uneven.mkv", *source, "-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-c:v", "ffv1")
    assert run("video", clip, "-o", tmp_path / "out.gif") == 0
    times, images = read_back(tmp_path / "out.gif")
    assert [round(100 * time) for time in times] == [6 * count + count * count % 5 for count in range(20)]
    assert [number_in(image) for image in images] == list(range(20))


@pytest.mark.usefixtures("identity")
def test_long_gif_may_take_its_time_for_the_palette(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The palette is written when all frames have been seen: six seconds here, where none may stand still for three."""
    usual = joining._painted
    slowly = iter(["-re"])  # at the first reading
    monkeypatch.setattr(joining, "_painted", lambda job: [*islice(slowly, 1), *usual(job)])
    monkeypatch.setattr(joining, "produce", partial(produce, timeout=3.0))
    clip = make_clip("six.mp4", *numbered_source(seconds=6), "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.gif", "--quiet") == 0
    assert numbers(tmp_path / "out.gif") == list(range(150))


def test_ffmpeg_that_stands_still_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(arguments: list[str], **pipes: object) -> object:
        process = start(arguments, **pipes)  # type: ignore[arg-type]
        os.kill(process.pid, signal.SIGSTOP)
        return process

    monkeypatch.setattr("realtime_nst.media.ffmpeg.start", stopped)
    words = produce(["-f", "lavfi", "-i", "testsrc=duration=1", "-f", "mpegts"], tmp_path / "x.ts", timeout=1.0)
    assert words == "nothing for 1 seconds." and list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("identity")
def test_pictures_are_exact_and_numbered(run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 8)
    clip = make_clip("pictures.mkv", *numbered_source(seconds=0.8), "-c:v", "libx264rgb", "-qp", "0")
    assert run("video", clip, "-o", tmp_path / "p-%03d.png") == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"p-{number:03d}.png" for number in range(1, 21)]
    before = read_back(clip)[1]
    for number, name in enumerate(names):
        assert np.array_equal(np.asarray(Image.open(tmp_path / name)), before[number])


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("name", ["10:30-%02d.png", "-d/%02d.png", "100%%/%02d.png"])
def test_pictures_go_to_names_that_look_like_something_else(
    run: Run, tmp_path: Path, make_clip: Clip, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    clip = make_clip("names.mp4", *numbered_source(seconds=0.12), "-pix_fmt", "yuv420p")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    assert run("video", clip, "-o", f"./{name}") == 0
    assert [path.name for path in sorted((tmp_path / name).parent.iterdir())] == [
        (tmp_path / name).name.replace("%02d", number) for number in ("01", "02", "03")
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.usefixtures("identity")
def test_link_that_leads_nowhere_is_told_before_any_work(
    run: Run, tmp_path: Path, make_clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip("names.mp4", *numbered_source(seconds=0.12), "-pix_fmt", "yuv420p")
    (tmp_path / "out.mp4").symlink_to(tmp_path / "gone" / "new.mp4")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 1
    assert "out.mp4' exists. Add --overwrite" in one_line(capsys)
    os.mkfifo(tmp_path / "pipe")
    assert run("video", tmp_path / "pipe", "-o", tmp_path / "other.mp4") == 1
    assert "pipe' is a pipe, which can be read only once" in one_line(capsys)


def test_names_of_pictures_need_a_number(tmp_path: Path) -> None:
    with pytest.raises(
        SinkError, match=r"is one picture; a video needs many\. Write a number into the name, as in 'out-%06d\.png'"
    ):
        container_of(tmp_path / "out.png")
    assert (
        container_of(tmp_path / "100%-%03d.png").name == "png" and numbered(tmp_path / "100%-%03d.png", 7).name == "100%-007.png"
    )
    assert numbered(tmp_path / "a%03d.png", 7).name == "a007.png" and numbered(tmp_path / "a%d.png", 7).name == "a7.png"


def test_pipe_carries_a_whole_film(tmp_path: Path, make_clip: Clip, weights: Path) -> None:
    clip = make_clip("pipe.mp4", *numbered_source(seconds=1), "-f", "lavfi", "-i", "sine=duration=1", "-pix_fmt", "yuv420p")
    command = [sys.executable, "-m", "realtime_nst", "video", str(clip), "-o", "-", "--weights", str(weights)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / "piped.mkv").write_bytes(done.stdout)
    assert tracks(tmp_path / "piped.mkv") == ["video h264", "audio aac"]
    assert len(read_back(tmp_path / "piped.mkv")[0]) == 25
    half = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert half.stdout is not None and half.stderr is not None
    half.stdout.read(100)
    half.stdout.close()  # as `| head` does
    said = half.stderr.read().decode()
    half.stderr.close()
    assert half.wait(60) in (0, 1) and "Traceback" not in said, said


def test_pipe_that_is_interrupted_ends_its_sound_with_its_picture(tmp_path: Path, make_clip: Clip, weights: Path) -> None:
    """Ctrl-C after twenty frames of half a minute: what comes out is a film of twenty frames or so, sound included."""
    clip = make_clip("minute.mp4", *numbered_source(seconds=30), "-f", "lavfi", "-i", "sine=duration=30", "-pix_fmt", "yuv420p")
    gate, out = tmp_path / "gate", tmp_path / "piped.mkv"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", GATED, "20", str(gate), "video", str(clip), "-o", "-", "--weights", str(weights)],
            stdout=file, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert wait_until(lambda: out.stat().st_size > 0, 120)
        process.send_signal(signal.SIGINT)
        gate.touch()
        said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 130 and "Interrupted after" in said and "Traceback" not in said, said
    count = len(read_back(out)[0])
    assert 1 <= count < 100 and tracks(out) == ["video h264", "audio aac"]
    assert len(sound(out)) / 48000 < count / 25 + 2


def test_styles_follow_each_other_on_a_path_between_vectors(book: StyleBook) -> None:
    path = read_path(book, "wave, scream,mosaic", 4.0)
    wave, scream, mosaic = (book[name].vector for name in ("wave", "scream", "mosaic"))
    assert np.array_equal(path.at(0).vector, wave) and np.array_equal(path.at(2.9).vector, wave)
    assert np.allclose(path.at(3.5).vector, (wave + scream) / 2, atol=1e-6)
    assert np.array_equal(path.at(4).vector, scream) and np.array_equal(path.at(8.1).vector, mosaic)
    assert np.allclose(path.at(11.75).vector, 0.25 * mosaic + 0.75 * wave, atol=1e-6), "after the last comes the first"
    assert np.array_equal(path.at(12).vector, wave)
    with pytest.raises(StyleError, match=r"--every needs several styles, and 'wave' names 1"):
        read_path(book, "wave", 2.0)
    assert StylePath([book["wave"]]).at(1e9) is book["wave"]


def test_changing_styles_reach_the_frames(
    tmp_path: Path, make_clip: Clip, weights: Path, book: StyleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, np.ndarray] = {}

    def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        seen[number_in(image)] = vector.copy()
        return image

    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(paint))
    clip = make_clip("path.mp4", *numbered_source(rate="10", seconds=5), "-pix_fmt", "yuv420p")
    flags = ["--style", "wave,scream", "--every", "2", "--start", "1", "--weights", str(weights)]
    assert main(["video", str(clip), "-o", str(tmp_path / "out.mp4"), *flags]) == 0
    wave, scream = book["wave"].vector, book["scream"].vector
    assert sorted(seen) == list(range(10, 50))
    assert np.array_equal(seen[10], wave) and np.array_equal(seen[32], scream)
    assert np.allclose(seen[25], (wave + scream) / 2, atol=1e-5), "half way between 1 s and 2 s of the part"


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--start", "9"], r"lasts [\d.]+ seconds; --start 9 is after its end"),
        (["--start", "1", "--end", "1"], r"--end 1 is not after --start 1"),
        (["--codec", "vhs"], r"No codec 'vhs'"),
        (["--preview", "look.txt"], r"'look\.txt' ends in '\.txt'"),
        (["--every", "3"], r"--every needs several styles"),
    ],
)
def test_wishes_that_cannot_be_met_are_one_line(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert run("video", talkie, "-o", tmp_path / "out.mp4", *flags) == 1
    assert re.search(words, one_line(capsys))
    assert list(tmp_path.iterdir()) == []
