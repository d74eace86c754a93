"""Commands end to end, as a user runs them, with results read back."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.cli.main import build_parser, main
from realtime_nst.inputs.devices import Device
from realtime_nst.live.settings import Settings, write_settings
from realtime_nst.media.photos import read_photo
from realtime_nst.media.probing import probe
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.style.style import Style
from tests.conftest import frames_of, one_line
from tests.readback import tracks

ROOT = Path(__file__).parents[1]
Clip = Callable[..., Path]
Run = Callable[..., int]


def test_help_and_version_need_nothing_heavy() -> None:
    code = (
        "import sys; from realtime_nst.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'cv2', 'keras', 'tensorflow', 'openvino', 'h5py', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    "command", ["webcam", "video", "image", "styles", "cameras", "doctor", "bench", "train", "evaluate", "optimize"]
)
def test_each_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0 and command in capsys.readouterr().out


def test_readme_names_every_command_and_no_page_an_unknown_flag() -> None:
    readme, *pages = (page.read_text("utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))
    parser = build_parser()
    commands = next(action for action in parser._actions if action.metavar == "COMMAND").choices
    assert isinstance(commands, dict)
    for name in commands:
        assert f"realtime-nst {name}" in readme, name
    for name, flags in re.findall(r"realtime-nst (\w+)([^\n`]*)", "\n".join([readme, *pages])):
        if name in commands:
            known = set(commands[name]._option_string_actions)
            for flag in re.findall(r"(?<=\s)--?[a-z][a-z-]*", flags):
                assert flag in known, f"{name} {flag}"


@pytest.mark.usefixtures("identity")
def test_video_keeps_frames_size_time_sound_and_colours(run: Run, tmp_path: Path, make_clip: Clip) -> None:
    quarters = "color=red:size=48x32:rate=25:duration=1[a];color=lime:size=48x32:rate=25:duration=1[b];[a][b]hstack"
    clip = make_clip("red.mp4", "-f", "lavfi", "-i", quarters, "-f", "lavfi", "-i", "sine=duration=1", "-pix_fmt", "yuv420p")
    assert run("video", clip, "-o", tmp_path / "out.mp4") == 0
    before, after = probe(str(clip)), probe(str(tmp_path / "out.mp4"))
    assert (after.width, after.height, after.rate) == (96, 32, before.rate)
    assert before.duration is not None and after.duration == pytest.approx(before.duration, abs=0.04)
    assert [track for track in tracks(tmp_path / "out.mp4") if track.startswith("audio")] == ["audio aac"]
    frames = frames_of(tmp_path / "out.mp4")
    assert len(frames) == 25
    left, right = frames[12][8:24, 8:40].mean((0, 1)), frames[12][8:24, 56:88].mean((0, 1))
    assert left[0] > 230 and left[1:].max() < 25, f"red came out as {left}"
    assert right[1] > 230 and max(right[0], right[2]) < 25, f"green came out as {right}"


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    ("name", "frames"), [("webcam_book.mkv", 109), ("bunny_360p_audio.mp4", 240), ("phone_rot90_3frames.mov", 3)]
)
def test_real_videos_keep_frames_and_duration(run: Run, tmp_path: Path, clips: Path, name: str, frames: int) -> None:
    assert run("video", clips / name, "-o", tmp_path / "out.mp4") == 0
    before, after = probe(str(clips / name)), probe(str(tmp_path / "out.mp4"))
    assert (after.width, after.height) == (before.width, before.height)
    was, now = ([track for track in tracks(path) if track.startswith("audio")] for path in (clips / name, tmp_path / "out.mp4"))
    assert len(was) == len(now)
    assert len(frames_of(tmp_path / "out.mp4")) == frames
    assert after.duration == pytest.approx(before.duration, abs=1 / float(before.rate) + 0.01)


def test_video_is_painted(run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("video", talkie, "-o", tmp_path / "out.mp4", "--style", "wave:0.5,scream:0.5") == 0
    before, after = frames_of(talkie), frames_of(tmp_path / "out.mp4")
    assert len(before) == len(after) == 50
    assert np.abs(before[0].astype(int) - after[0]).mean() > 10
    assert "100%" in capsys.readouterr().err


def test_photos_of_any_size_and_format(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name, size in (("a.jpg", (61, 43)), ("b.png", (40, 90)), ("c.webp", (33, 33)), ("d.bmp", (8, 8))):
        Image.effect_noise(size, 60).convert("RGB").save(tmp_path / name)
    assert run("image", *sorted(tmp_path.glob("*.*")), "-o", tmp_path / "out") == 0
    sizes = {path.name: read_photo(path).shape[1::-1] for path in (tmp_path / "out").iterdir()}
    assert sizes == {"a.jpg": (61, 43), "b.png": (40, 90), "c.webp": (33, 33), "d.png": (8, 8)}
    assert run("image", tmp_path / "a.jpg", "-o", tmp_path / "one.png") == 0
    with Image.open(tmp_path / "one.png") as file:
        assert file.info["Style"] == "wave"


def test_one_bad_photo_does_not_stop_the_rest(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    for name in ("a.png", "c.png"):
        Image.effect_noise((16, 16), 60).save(tmp_path / name)
    (tmp_path / "b.png").write_text("no picture")
    assert run("image", *(tmp_path / f"{name}.png" for name in "abc"), "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    said = capsys.readouterr().err
    assert "b.png' is not a picture that can be read" in said and "Traceback" not in said


def test_photo_too_large_for_memory_is_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("1", (10_000, 6_000)).save(tmp_path / "huge.png")
    assert run("image", tmp_path / "huge.png", "-o", tmp_path / "out.png") == 1
    assert "has 60 megapixels; at most 50 fit into memory" in one_line(capsys)


@pytest.mark.parametrize(
    ("width", "height", "said"),
    [(14_000, 14_000, "has more than 179 megapixels"), (30_000_000, 1, "has 480 megapixels")],  # the thin one is padded
)
def test_photo_far_too_large_or_thin_is_told_alike(
    width: int, height: int, said: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("1", (width, height)).save(tmp_path / "huge.png")
    assert run("image", tmp_path / "huge.png", "-o", tmp_path / "out.png") == 1
    assert f"{said}; at most 50 fit into memory" in one_line(capsys)


def test_photo_for_which_memory_does_not_suffice_does_not_stop_the_others(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = PicturePainter.paint

    def short_of_memory(picture_painter: PicturePainter, image: np.ndarray, style: Style, polish: object) -> np.ndarray:
        if image.shape[1] == 48:
            raise RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223:\nstd::bad_alloc")
        return paint(picture_painter, image, style, polish)

    monkeypatch.setattr(PicturePainter, "paint", short_of_memory)
    (tmp_path / "out").mkdir()
    for name, width in (("a", 32), ("b", 48), ("c", 32)):
        Image.effect_noise((width, 32), 60).save(tmp_path / f"{name}.png")
    assert run("image", *(tmp_path / f"{name}.png" for name in "abc"), "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    said = capsys.readouterr().err
    assert "b.png' needs more memory than there is" in said and "Traceback" not in said


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")])
def test_too_little_memory_is_one_line_in_any_command(
    error: Exception, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(options: object) -> int:
        raise error

    monkeypatch.setattr("realtime_nst.cli.styles.styles", fail)
    assert run("styles") == 1
    assert "the memory is not enough" in one_line(capsys)


def test_any_other_mistake_of_ours_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.cli.styles.styles", lambda options: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run("styles")


def test_terminal_that_cannot_write_a_title_shows_the_rest() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "realtime_nst", "styles"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "Gustave Dor?" in done.stdout, done.stderr


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("name", ["10:30.mp4", "concat:a.mp4", "-a b'\"%d.mp4", "ü.mp4"])
def test_odd_file_names_are_only_names(weights: Path, tmp_path: Path, talkie: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(talkie.read_bytes())
    before = Path.cwd()
    os.chdir(tmp_path / "in")
    try:
        assert main(["video", "--weights", str(weights), "-o", f"../{name}", "--", name]) == 0
    finally:
        os.chdir(before)
    assert len(frames_of(tmp_path / name)) == 50


@pytest.mark.usefixtures("first_start")
def test_telemetry_of_the_engine_stays_off(weights: Path) -> None:
    code = (
        "import sys; from realtime_nst.cli.main import main\n"
        "flags = '--camera pattern --size 64x48 --no-window --frames 2 --weights'.split()\n"
        f"assert main(['webcam', *flags, {str(weights)!r}]) == 0\n"
        "assert 'openvino' in sys.modules and sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_styles_are_listed_with_their_paintings(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("styles") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["style", "painting", "artist", "year", "body", "trained"]
    assert any(re.match(r"wave +Wave +Nobody +2000 +narrow", line) for line in lines)


def test_cameras_are_listed_with_size_rate_and_formats(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from realtime_nst.inputs.trying import CameraReport

    monkeypatch.setattr("realtime_nst.cli.checks.all_cameras", lambda: [])
    assert main(["cameras"]) == 0
    assert "try `realtime-nst webcam --camera pattern`" in capsys.readouterr().err
    fine, locked = Device(0, "Fine Camera"), Device(2, "Locked")
    reports = {
        fine: CameraReport(fine, 640, 480, 29.97, np.full((48, 64, 3), 90, np.uint8)),
        locked: CameraReport(locked, problem="Camera 2 ('Locked') is in use by zoom (12)."),
    }
    monkeypatch.setattr("realtime_nst.cli.checks.all_cameras", lambda: list(reports))
    monkeypatch.setattr("realtime_nst.cli.checks.try_camera", reports.get)
    monkeypatch.setattr("realtime_nst.cli.checks.list_formats", lambda device: ["mjpeg 1920x1080"] if device is fine else [])
    assert main(["cameras", "--preview", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0  Fine Camera  640x480  30.0 frames/s  mjpeg 1920x1080",
        "2  Locked  Camera 2 ('Locked') is in use by zoom (12).",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["camera-0.png"]
    assert main(["cameras", "--preview", str(tmp_path / "gone")]) == 1
    assert "No folder" in one_line(capsys)


def test_live_run_with_a_file_as_the_camera_records_it(run: Run, tmp_path: Path, talkie: Path) -> None:
    arguments = ("--camera", talkie, "--no-window", "--frames", 60, "-o", tmp_path / "rec.mp4")
    started = time.monotonic()
    assert run("webcam", *arguments) == 0
    elapsed = time.monotonic() - started
    info = probe(str(tmp_path / "rec.mp4"))
    assert (info.width, info.height) == (96, 64)
    assert 2 <= len(frames_of(tmp_path / "rec.mp4")) <= 25 * elapsed + 2, "no longer than life"


def test_camera_that_is_unplugged_in_mid_show_goes_on_and_the_recording_has_both_parts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from realtime_nst.inputs.cameras import CameraSource
    from tests.test_cameras import FakeDevice, Port

    plugged = FakeDevice([np.full((48, 64, 3), 20, np.uint8)] * 4, pause=0.01)
    port = Port(plugged, FakeDevice(opens=False), endless=True)
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda name, size, fps: CameraSource(0, capture=port, fps=fps))
    assert run("webcam", "--no-window", "-o", tmp_path / "rec.mp4", "--frames", 15, "--fps", 24) == 0
    assert 24 in [value for _, value in plugged.asked], "the camera is asked for the rate"
    assert "gives no pictures any more. Plug it in" in caplog.text
    assert len(port.opened) >= 3 and frames_of(tmp_path / "rec.mp4")


def test_a_live_show_that_cannot_be_is_told_in_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.inputs.cameras.list_devices", lambda: [Device(2, "Fine Camera")])
    out = tmp_path / "out.mp4"
    for flags, words in (
        (["--camera", "nobody"], "No camera and no file is named 'nobody'. Cameras found: 2 'Fine Camera'."),
        (["--camera", tmp_path / "gone.mp4"], "No file at"),
        (["--camera", tmp_path], "is a folder"),
        (["--camera", "pattern", "-o", out, "-o", out], "is given twice. Name each output once."),
        (["--camera", "pattern", "-o", tmp_path / "out.avi"], "were expected"),
        (["--camera", "pattern", "-o", "http://server/live"], "is no address for a stream"),
        (["--camera", "pattern", "--snapshots", tmp_path / "gone"], "Create it, or choose another with --snapshots."),
    ):
        assert run("webcam", "--no-window", "--frames", 1, *flags) == 1
        assert words in one_line(capsys), flags
    assert list(tmp_path.iterdir()) == []


BAD = {
    "no such style": (
        "--style wve",
        r"No style named 'wve'\. Did you mean 'wave'\? Styles: .*mosaic, .*wave, .* There is no",
    ),
    "bad weight": ("--style wave:x", r"'wave:x' has no usable weight"),
    "no such backend precision": ("--backend openvino --precision float16", r"OpenVINO computes in float32 or bfloat16"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("command", ["video", "image", "webcam"])
def test_bad_choices_are_one_line_and_leave_nothing(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str], command: str, case: str
) -> None:
    flags, words = BAD[case]
    Image.effect_noise((16, 16), 60).save(tmp_path / "photo.png")
    output = tmp_path / ("out.png" if command == "image" else "out.mp4")
    given = {"video": [talkie], "image": [tmp_path / "photo.png"], "webcam": ["--camera", "pattern", "--no-window"]}
    assert run(command, *given[command], "-o", output, *flags.split()) == 1
    assert re.search(words, one_line(capsys))
    assert not output.exists()


def make_bad_inputs(folder: Path, good: Path) -> dict[str, tuple[Path, str]]:
    """Files that are no videos, with the words that they must cause."""
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("this is no film\n" * 50)
    (folder / "cut.mp4").write_bytes(good.read_bytes()[:4000])
    return {
        "missing": (folder / "gone.mp4", "No file at"),
        "empty": (folder / "empty.mp4", "is empty"),
        "text": (folder / "text.mp4", "holds no video that can be read"),
        "truncated": (folder / "cut.mp4", "holds no video that can be read"),
        "folder": (folder, "is a folder"),
    }


@pytest.mark.parametrize("case", ["missing", "empty", "text", "truncated", "folder"])
def test_bad_videos_are_one_line_and_leave_nothing(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    (tmp_path / "in").mkdir()
    path, words = make_bad_inputs(tmp_path / "in", talkie)[case]
    for arguments in (("video", path, "-o", tmp_path / "out.mp4"), ("webcam", "--camera", path, "--no-window", "--frames", 1)):
        if arguments[0] == "webcam" and case == "folder":
            continue
        assert run(*arguments) == 1
        assert words in one_line(capsys)
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def test_outputs_that_would_lose_something_are_refused(
    run: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "in.mp4"
    copy.write_bytes(talkie.read_bytes())
    for output, words in (
        (copy, "Input and output are the same file"),
        (tmp_path / "gone" / "out.mp4", "No folder"),
        (tmp_path / "out.txt", "ends in '.txt'"),
    ):
        assert run("video", copy, "-o", output, "--overwrite") == 1
        assert words in one_line(capsys)
    assert copy.read_bytes() == talkie.read_bytes()
    (tmp_path / "old.mp4").write_bytes(b"precious")
    assert run("video", copy, "-o", tmp_path / "old.mp4") == 1
    assert "Add --overwrite" in one_line(capsys) and (tmp_path / "old.mp4").read_bytes() == b"precious"


def test_photo_outputs_that_would_lose_something_are_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.effect_noise((16, 16), 60).save(tmp_path / folder / "a.png")
    x, y = tmp_path / "x" / "a.png", tmp_path / "y" / "a.png"
    before = x.read_bytes()
    for arguments, words in (
        ((x, y, "-o", tmp_path / "one.png"), "2 photos need a folder"),
        ((x, "-o", x), "Input and output are the same file"),
        ((x, "-o", tmp_path / "a.gif"), "ends in '.gif'"),
        ((tmp_path / "gone.png", "-o", tmp_path / "one.png"), "No file at"),
    ):
        assert run("image", *arguments) == 1
        assert words in one_line(capsys)
    assert x.read_bytes() == before and not (tmp_path / "one.png").exists()


def test_weights_that_cannot_be_used_are_one_line(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in weights.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "torn.weights.h5").write_bytes((weights / "wave.weights.h5").read_bytes()[:500])
    (broken / "text.weights.h5").write_text("not HDF5")
    for style, words in (("torn", "may be cut short"), ("text", "not a readable weight file")):
        show = ["webcam", "--camera", "pattern", "--no-window", "--frames", "1"]
        assert main([*show, "--weights", str(broken), "--style", style]) == 1
        assert words in capsys.readouterr().err.splitlines()[-1]
    assert main(["styles", "--weights", str(tmp_path / "gone")]) == 1
    assert "No folder of styles at" in one_line(capsys)


@pytest.mark.parametrize(
    "flags",
    [
        ["paint"],
        ["video", "in.mp4"],
        ["webcam", "--size", "large"],
        ["webcam", "--frames", "0"],
        ["webcam", "--frames", "many"],
        ["bench", "--frames", "1"],
        ["webcam", "--backend", "caffe"],
        ["image", "-o", "out.png"],
        ["train", "picture.jpg"],
        ["evaluate"],
        ["evaluate", "--photos", "a", "--size", "250"],
        ["optimize", "photo.jpg", "-o", "out.png"],
        ["optimize", "photo.jpg", "painting.jpg", "-o", "out.png", "--start", "middle"],
    ],
)
def test_wrong_flags_exit_with_two(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(flags)
    assert end.value.code == 2
    assert re.search(r"\. `realtime-nst.* --help` explains the flags\.$", one_line(capsys))


def test_no_command_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert "webcam" in said.err and "video" in said.err and not said.out


def test_a_flag_that_nobody_knows_is_told_by_its_command_with_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    for flags, meant in ((["--styel", "wave"], "no flag --styel. Did you mean --style?"), (["--xyz"], "no flag --xyz.")):
        with pytest.raises(SystemExit) as end:
            main(["video", "in.mp4", "-o", "out.mp4", *flags])
        assert end.value.code == 2
        assert one_line(capsys) == f"{meant} `realtime-nst video --help` explains the flags."
    assert build_parser().parse_args(["image", "a.png", "-o", "b.png", "--keep-colors"]).colours, "in American, too"


def test_what_a_show_takes_from_an_earlier_one_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    show = ["webcam", "--camera", "pattern", "--size", "64x48", "--no-window", "--frames", "2", "--remember"]
    write_settings(Settings(style="scream", strength=0.5, mirror=True))
    assert run(*show) == 0
    assert "Kept from an earlier show: scream, strength 50%, mirrored. --reset forgets that.\n" in capsys.readouterr().err
    assert run(*show, "--style", "mosaic", "--strength", "1", "--no-mirror") == 0
    assert "an earlier show" not in capsys.readouterr().err
    assert run(*show, "--reset") == 0 and run(*show) == 0
    assert "an earlier show" not in capsys.readouterr().err, "what everyone begins with needs no word"
    write_settings(Settings(style="gone", mirror=True))
    assert run(*show) == 0
    said = capsys.readouterr().err
    assert "The style 'gone' of an earlier show is no longer there.\nKept from an earlier show: mirrored." in said


@pytest.mark.parametrize("flags", [("--cycle", "--no-cycle"), ("--full-screen", "--no-window")])
def test_flags_of_a_show_that_contradict_each_other_are_refused(
    flags: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["webcam", "--camera", "pattern", "--frames", "2", *flags])
    assert end.value.code == 2 and "not allowed with argument" in one_line(capsys)


def test_photos_into_a_folder_that_a_slash_asks_for(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        Image.effect_noise((16, 16), 60).save(tmp_path / f"{name}.png")
    assert run("image", tmp_path / "a.png", "-o", f"{tmp_path}/one/") == 0 and (tmp_path / "one" / "a.png").is_file()
    two = [tmp_path / "a.png", tmp_path / "b.png"]
    assert run("image", tmp_path / "gone.png", "-o", f"{tmp_path}/none/") == 1 and not (tmp_path / "none").exists()
    assert "No file at" in capsys.readouterr().err
    assert run("image", *two, "-o", f"{tmp_path}/two/") == 0
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["a.png", "b.png"]


def test_module_and_script_are_the_same_command() -> None:
    for command in ([sys.executable, "-m", "realtime_nst"], [str(Path(sys.executable).with_name("realtime-nst"))]):
        if not os.access(command[0], os.X_OK):
            pytest.skip("the console script is not installed")
        done = subprocess.run([*command, "--version"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("realtime-nst ")
