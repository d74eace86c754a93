"""Live shows with several outputs, as the command makes them: what arrives, what is told, and what one failure does."""

import os
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.frames import Frame
from realtime_nst.live.controls import NOTICE_SECONDS, Controls
from realtime_nst.live.settings import Settings, read_settings, settings_file, write_settings
from realtime_nst.media.photos import read_photo
from realtime_nst.media.results import check_output
from realtime_nst.outputs.recording import LiveFileSink
from realtime_nst.outputs.registry import KINDS, Kind
from realtime_nst.style.book import StyleBook
from tests.conftest import FakeSource, Plain, RecordingSink, one_line, painting_by
from tests.readback import disc_in, disc_source, duration, read_back
from tests.test_outputs import Receiver

Run = Callable[..., int]
PATTERN = ("webcam", "--camera", "pattern", "--size", "64x48")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where keys save and record."""
    monkeypatch.chdir(tmp_path)


class FakeCamera(types.ModuleType):
    """Stands in for the package pyvirtualcam.

    Args:
        lasts: Frames that its camera takes before it is gone.
    """

    class PixelFormat:
        RGB = "rgb"

    def __init__(self, lasts: float = float("inf")) -> None:
        super().__init__("pyvirtualcam")
        self.sent: list[np.ndarray] = []
        outer = self

        class Camera:
            device = "/dev/video9"

            def __init__(self, width: int, height: int, fps: float, fmt: str, print_fps: bool) -> None:
                pass

            def send(self, image: np.ndarray) -> None:
                if len(outer.sent) >= lasts:
                    raise RuntimeError("gone")
                outer.sent.append(image)

            def close(self) -> None:
                pass

        self.Camera = Camera


class FakeWindow(RecordingSink):
    """Shows nothing, is always seen, and presses keys.

    Args:
        press: Asked at each look at the keyboard.
    """

    watched = True

    def __init__(self, press: Callable[["FakeWindow"], str | None]) -> None:
        super().__init__()
        self._press = press

    def poll_key(self, timeout: float) -> str | None:
        super().poll_key(timeout)
        return self._press(self)


class Breaking(FakeSource):
    """A camera that breaks after its last frame."""

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        raise SourceError("The camera broke.")


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeCamera]]:
    def plug(*lasts: float) -> FakeCamera:
        module = FakeCamera(*lasts)
        monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
        return module

    yield plug


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeWindow]]:
    def open_window(press: Callable[[FakeWindow], str | None]) -> FakeWindow:
        fake = FakeWindow(press)
        monkeypatch.setattr("realtime_nst.live.show.WindowSink", lambda *arguments: fake)
        return fake

    yield open_window


@pytest.mark.usefixtures("identity")
def test_file_stream_and_virtual_camera_all_get_the_picture(
    run: Run, tmp_path: Path, camera: Callable[..., FakeCamera], capsys: pytest.CaptureFixture[str]
) -> None:
    module, receiver = camera(), Receiver(tmp_path / "caught.ts")
    outputs = ("-o", "show.mp4", "-o", receiver.address, "--virtual-camera")
    assert run(*PATTERN, "--no-window", "--frames", 40, "--fps", 30, *outputs) == 0
    assert "The virtual camera is '/dev/video9'." in capsys.readouterr().err
    pictures = [read_back(path)[1][0] for path in (Path("show.mp4"), receiver.finish())]
    for picture in (*pictures, module.sent[0]):
        assert picture.shape == (48, 64, 3) and picture.std() > 20


class Colours:
    """A new kind of output: a line of text for each frame, with its mean colour."""

    def __init__(self, output: str, width: int, height: int, rate: Fraction) -> None:
        self._file = Path(output).open("w")

    def write(self, frame: Frame) -> None:
        print(*frame.image.mean(axis=(0, 1)).round(), file=self._file)

    def close(self) -> None:
        self._file.close()

    discard = close


@pytest.mark.usefixtures("identity")
def test_a_new_kind_of_output_is_a_class_and_a_line_of_the_table(
    run: Run, make_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = Kind(lambda output, overwrite: check_output(Path(output), overwrite=overwrite), Colours, endless=False)
    monkeypatch.setitem(KINDS, ".txt", kind)
    red = make_clip("red.mp4", "-f", "lavfi", "-i", "color=red:size=64x48:rate=30:duration=1")
    flags = ("webcam", "--camera", red, "--no-window", "--frames", 9, "-o")
    assert run(*flags, "colours.txt") == 0
    lines = [[float(value) for value in line.split()] for line in Path("colours.txt").read_text().splitlines()]
    assert len(lines) == 9 and all(line[0] > 240 and max(line[1:]) < 12 for line in lines)
    capsys.readouterr()
    assert run(*flags, "colours.txt") == 1
    assert "'colours.txt' exists. Add --overwrite" in one_line(capsys)
    assert run(*flags, "colours.csv") == 1
    assert "ends in '.csv'; .mp4, .m4v, .mov, .txt were expected" in one_line(capsys)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_circle_is_round_in_the_window_and_in_all_that_comes_out(
    run: Run,
    tmp_path: Path,
    make_clip: Callable[..., Path],
    camera: Callable[..., FakeCamera],
    window: Callable[..., FakeWindow],
    scale: float,
) -> None:
    module, receiver = camera(), Receiver(tmp_path / "caught.ts")
    keys = iter("s")
    fake = window(lambda fake: next(keys, "q" if len(fake.frames) > 20 else None) if len(fake.frames) > 2 else None)
    clip = make_clip("disc.mp4", *disc_source(90, 72, "64/45"))
    outputs = ("-o", "show.mp4", "-o", receiver.address, "--virtual-camera", "--scale", scale)
    assert run("webcam", "--camera", clip, *outputs) == 0
    (picture,) = Path().glob("*.png")
    pictures = [read_back(path)[1][0] for path in (Path("show.mp4"), receiver.finish())]
    for image in (*pictures, read_photo(picture), module.sent[0], fake.frames[0].image):
        width, height = disc_in(image)
        assert image.shape == (72, 128, 3) and abs(width - height) <= 1 and height > 40


@pytest.mark.usefixtures("identity")
def test_one_output_that_fails_is_told_and_the_others_go_on(
    run: Run, tmp_path: Path, camera: Callable[..., FakeCamera], capsys: pytest.CaptureFixture[str]
) -> None:
    camera(2)
    receiver = Receiver(tmp_path / "caught.ts")
    outputs = ("--virtual-camera", "-o", "show.mp4", "-o", receiver.address)
    assert run(*PATTERN, "--no-window", "--frames", 40, *outputs) == 1
    said = capsys.readouterr().err
    assert "realtime-nst: The virtual camera '/dev/video9' takes no more frames: gone. Start again.\n" in said
    assert "Recorded 'show.mp4'." in said and "40 frames" in said and "Traceback" not in said
    assert len(read_back(Path("show.mp4"))[0]) >= 8 and len(read_back(receiver.finish())[0]) >= 4


@pytest.mark.usefixtures("identity")
def test_a_recording_that_fails_keeps_what_it_has_and_the_show_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, camera: Callable[..., FakeCamera], capsys: pytest.CaptureFixture[str]
) -> None:
    module = camera()
    write = LiveFileSink.write

    def fail_late(self: LiveFileSink, frame: Frame) -> None:
        write(self, frame)
        if self._writer.frames == 4:
            self._writer.end()  # so that they are in the file, however slow the encoder
            self._writer._process.wait()
            raise SinkError("ffmpeg stopped while writing 'show.mp4' (frame 4).")

    monkeypatch.setattr(LiveFileSink, "write", fail_late)
    assert run(*PATTERN, "--no-window", "--frames", 60, "--virtual-camera", "-o", "show.mp4") == 1
    said = capsys.readouterr().err
    assert "ffmpeg stopped while writing 'show.mp4'" in said and "'show.mp4' has what was recorded until then." in said
    assert len(read_back(Path("show.mp4"))[0]) == 4 and len(module.sent) > 4


@pytest.mark.usefixtures("identity")
def test_when_all_outputs_have_failed_nobody_is_painted_for(
    run: Run, camera: Callable[..., FakeCamera], capsys: pytest.CaptureFixture[str]
) -> None:
    camera(2)
    assert run(*PATTERN, "--no-window", "--virtual-camera", "--frames", 600) == 1
    said = capsys.readouterr().err
    assert "takes no more frames" in said and "600 frames" not in said


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("drawn", [False, True])
def test_figures_are_in_outputs_recordings_and_pictures_only_where_that_is_wanted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: Callable[..., FakeWindow], drawn: bool
) -> None:
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda *what: Plain(0, 320, 240))
    monkeypatch.setattr("realtime_nst.live.show.draw_overlay", lambda image, *what: np.full_like(image, 255))
    keys = iter("sr")

    def press(fake: FakeWindow) -> str | None:
        if len(fake.frames) < 3:
            return None
        return next(keys, "q" if len(fake.frames) > 30 else None)

    window(press)
    assert run("webcam", "-o", "show.mp4", *(["--display-in-output"] if drawn else [])) == 0
    (picture,), recordings = Path().glob("*.png"), list(Path().glob("*.mp4"))
    assert len(recordings) == 2
    assert (read_photo(picture).min() == 255) == drawn
    for path in recordings:
        shades = read_back(path)[1].mean((1, 2, 3))
        assert (shades.min() > 240) if drawn else (shades.max() < 200)


@pytest.mark.usefixtures("identity")
def test_streams_and_the_virtual_camera_are_not_cut_off_by_a_pause(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    camera: Callable[..., FakeCamera],
    window: Callable[..., FakeWindow],
) -> None:
    monkeypatch.setattr("realtime_nst.live.show.REPEAT", 0.02)
    module, receiver = camera(), Receiver(tmp_path / "caught.ts")
    before: list[int] = []

    def press(fake: FakeWindow) -> str | None:
        if len(fake.frames) < 3:
            return None
        if not before:
            before.append(len(module.sent))
            return "space"
        return "q" if len(module.sent) > before[0] + 20 or fake.polls > 12_000 else None  # more than were on their way

    window(press)
    assert run(*PATTERN, "-o", receiver.address, "--virtual-camera") == 0
    assert len(module.sent) > before[0] + 20 and (module.sent[-1] == module.sent[-2]).all()
    assert len(read_back(receiver.finish())[0]) > 3


@pytest.mark.usefixtures("identity")
def test_a_show_without_a_frame_says_so_and_leaves_the_old_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("show.mp4").write_bytes(b"precious")
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda *what: FakeSource(0, live=True))
    assert run("webcam", "--no-window", "-o", "show.mp4", "--overwrite") == 0
    said = capsys.readouterr().err
    assert "No frame came; 'show.mp4' was not written." in said and "Recorded" not in said
    assert Path("show.mp4").read_bytes() == b"precious" and [path.name for path in Path().iterdir()] == ["show.mp4"]


@pytest.mark.usefixtures("identity")
def test_what_a_crash_left_beside_an_output_gets_its_name(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "films").mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in ("old", "new"):  # the new one as when the same command is given again
        (tmp_path / "films" / f".{name}.{gone.pid}.live.part.mp4").write_bytes(b"moof")
    assert run(*PATTERN, "--no-window", "--frames", 3, "-o", "films/new.mp4") == 0
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == ["new-2.mp4", "new.mp4", "old.mp4"]
    assert (tmp_path / "films" / "new-2.mp4").read_bytes() == b"moof"
    assert f"Recorded '{Path('films/old.mp4')}'." in capsys.readouterr().err


@pytest.mark.usefixtures("identity")
def test_a_show_that_a_camera_ends_says_where_its_recording_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda *what: Breaking(5))
    assert run("webcam", "--no-window", "-o", "show.mp4") == 1
    assert capsys.readouterr().err.splitlines()[-2:] == ["Recorded 'show.mp4'.", "realtime-nst: The camera broke."]
    assert len(read_back(Path("show.mp4"))[0]) == 5


def test_outputs_that_cannot_be_are_refused_in_one_line(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, words in (
        ((), "With --no-window alone nobody would see anything. Add -o FILE, --virtual-camera, --http PORT or --frames N."),
        (("-o", "a.mp4", "-o", "./a.mp4"), "is given twice. Name each output once."),
        (("-o", tmp_path / "a.mp4", "-o", "a.mp4"), "is given twice. Name each output once."),
        (("-o", "udp://127.0.0.1:9", "-o", "udp://127.0.0.1:9"), "is given twice. Name each output once."),
    ):
        assert run(*PATTERN, "--no-window", *flags) == 1
        assert words in one_line(capsys), flags
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("identity")
def test_the_next_show_starts_with_the_mix_of_the_last_one(
    run: Run, book: StyleBook, monkeypatch: pytest.MonkeyPatch, window: Callable[..., FakeWindow]
) -> None:
    monkeypatch.setattr("realtime_nst.cli.webcam.find_all_styles", lambda options: book)
    keys = iter("2bw")
    window(lambda fake: next(keys, "q") if fake.frames else None)
    assert run(*PATTERN) == 0
    assert (read_settings().style, read_settings().wipe) == ("scream:0.75,wave:0.25", "half")
    window(lambda fake: "q" if fake.frames else None)
    assert run(*PATTERN, "--wipe", "off", "--remember") == 0
    assert (read_settings().style, read_settings().wipe) == ("scream:0.75,wave:0.25", "")


@pytest.mark.usefixtures("identity")
def test_cycle_without_seconds_goes_on_with_those_that_are_remembered(run: Run) -> None:
    write_settings(Settings(cycle=25.0))
    assert run(*PATTERN, "--no-window", "--frames", 2, "--remember", "--cycle") == 0
    assert (read_settings().cycle, read_settings().cycling) == (25.0, True)
    assert run(*PATTERN, "--no-window", "--frames", 2, "--remember", "--no-cycle") == 0
    assert (read_settings().cycle, read_settings().cycling) == (25.0, False)


FLAGS = (
    "--style",
    "scream",
    "--strength",
    0,
    "--keep-colours",
    "--texture",
    0.25,
    "--no-follow-camera",
    "--stability",
    16,
    "--scale",
    0.75,
    "--fade",
    0,
)
FLAGS += ("--cycle", 5, "--wipe", "half", "--mirror", "--display")


@pytest.mark.usefixtures("identity")
def test_a_show_without_a_window_neither_reads_nor_writes_what_is_remembered(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class LightToTheRight(FakeSource):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                image = np.zeros_like(frame.image)
                image[:, self.width // 2 :] = 255
                yield frame.with_image(image)

    assert run(*PATTERN, "--no-window", "--frames", 2, *FLAGS) == 0
    assert not settings_file().exists(), "flags hold for one show"
    write_settings(Settings(style="gone", strength=0.0, mirror=True))
    before = settings_file().read_bytes()
    capsys.readouterr()
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda *what: LightToTheRight(3, width=64, height=48))
    for name, flags, left in (("plain.mp4", (), 0), ("mirrored.mp4", ("--mirror",), 255)):
        assert run("webcam", "--no-window", "-o", name, *flags) == 0
        assert abs(read_back(Path(name))[1][:, :, :24].mean() - left) < 4, "only a flag mirrors"
    assert "an earlier show" not in capsys.readouterr().err and settings_file().read_bytes() == before
    assert run(*PATTERN, "--no-window", "--frames", 2, "--reset") == 0
    assert not settings_file().exists(), "unless it is to forget"


def test_without_a_window_remember_starts_with_what_is_kept_and_keeps_the_flags(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(Settings(cycle=25.0, mirror=True))
    assert run(*PATTERN, "--no-window", "--frames", 2, "--remember", "--strength", 0.5, "--style", "Scream") == 0
    assert "Kept from an earlier show: mirrored." in capsys.readouterr().err
    assert read_settings() == Settings(style="scream", strength=0.5, cycle=25.0, mirror=True)
    assert run(*PATTERN, "--no-window", "--frames", 2, "--remember", *FLAGS) == 0
    assert read_settings() == Settings("scream", 0.0, True, 0.25, False, 16, 0.75, 0.0, 5.0, True, True, True, "half")
    assert run(*PATTERN, "--no-window", "--frames", 2, "--remember", "--reset", "--wipe", "moving") == 0
    assert read_settings() == Settings(wipe="moving")


def keys_in_turn(keys: str) -> Callable[[FakeWindow], str | None]:
    """Press one key after another when the first frame is there, then quit."""
    rest = iter(keys)
    return lambda fake: next(rest, "q") if fake.frames else None


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ("", {}),
        ("m", {"mirror": False}),
        ("-", {}),
        ("+", {"strength": 0.25}),
        ("+-", {"strength": 0.0}),
        ("t", {"texture": 0.5}),
        ("g", {"texture": 0.0}),
        ("v", {"follow_camera": True}),
        ("c.", {"colours": False, "scale": 0.875}),
        ("jd", {"stability": 8, "fade": 1.0}),
        ("wi", {"wipe": "moving", "display": False}),
        ("1", {"style": "mosaic"}),
        ("2", {"style": "scream"}),
        ("9", {}),
        ("a", {"style": "scream", "cycling": False}),
        ("hfs", {}),
    ],
)
def test_what_keys_set_is_remembered_and_no_flag_beside_it(
    run: Run,
    book: StyleBook,
    monkeypatch: pytest.MonkeyPatch,
    window: Callable[..., FakeWindow],
    keys: str,
    chosen: dict[str, Any],
) -> None:
    monkeypatch.setattr("realtime_nst.cli.webcam.find_all_styles", lambda options: book)
    earlier = Settings(strength=0.75, cycle=25.0, cycling=True)
    write_settings(earlier)
    window(keys_in_turn(keys))
    assert run(*PATTERN, *FLAGS) == 0
    assert read_settings() == earlier.with_flags(chosen)


@pytest.mark.usefixtures("identity")
def test_in_a_window_remember_keeps_the_flags_and_a_key_wins_over_them(run: Run, window: Callable[..., FakeWindow]) -> None:
    window(keys_in_turn("w"))
    assert run(*PATTERN, "--remember", "--mirror", "--wipe", "half") == 0
    assert read_settings() == Settings(mirror=True, wipe="moving")


@pytest.mark.usefixtures("identity")
def test_two_shows_at_once_keep_what_each_has_set(run: Run, window: Callable[..., FakeWindow]) -> None:
    write_settings(Settings(fade=0.0))
    keys = keys_in_turn("m")

    def press(fake: FakeWindow) -> str | None:
        if len(fake.frames) == 1:  # another show ends while this one runs
            write_settings(Settings(fade=0.0, wipe="half"))
        return keys(fake)

    window(press)
    assert run(*PATTERN) == 0
    assert read_settings() == Settings(fade=0.0, wipe="half", mirror=True)
    assert [path.name for path in settings_file().parent.iterdir()] == [settings_file().name]


@pytest.mark.usefixtures("identity")
def test_what_keys_set_is_remembered_whatever_ends_the_show(
    run: Run, monkeypatch: pytest.MonkeyPatch, window: Callable[..., FakeWindow]
) -> None:
    camera, keys = Breaking(None, pause=0.005), iter("m")
    monkeypatch.setattr("realtime_nst.cli.webcam.open_source", lambda *what: camera)

    def press(fake: FakeWindow) -> str | None:
        if not fake.frames:
            return None
        key = next(keys, None)
        if key is None:
            camera.close()  # no more frames: it breaks
        return key

    window(press)
    assert run("webcam") == 1
    assert read_settings() == Settings(mirror=True)


@pytest.mark.usefixtures("identity")
def test_what_is_kept_from_an_earlier_show_is_seen_in_the_window(
    run: Run, monkeypatch: pytest.MonkeyPatch, window: Callable[..., FakeWindow]
) -> None:
    said: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Controls, "say", lambda self, *what: said.append(what))
    for flags in ((), ("--no-mirror", "--strength", 1)):
        write_settings(Settings(strength=0.0, mirror=True))
        window(keys_in_turn(""))
        assert run(*PATTERN, *flags) == 0
    (kept, seconds), (plain,) = said
    assert kept.endswith("   h shows the keys   kept from an earlier show: strength 0%, mirrored") and seconds > NOTICE_SECONDS
    assert plain.endswith("   h shows the keys")


def test_a_recording_lasts_as_long_as_life_however_unevenly_it_was_painted(
    run: Run, monkeypatch: pytest.MonkeyPatch, window: Callable[..., FakeWindow]
) -> None:
    pauses = iter(np.random.default_rng(0).uniform(0.0, 0.2, 30).tolist())
    waited: list[float] = []

    def uneven(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
        waited.append(next(pauses, 0.0))
        threading.Event().wait(waited[-1])
        return image

    monkeypatch.setattr("realtime_nst.painting.serving.load_stylizer", lambda backend: painting_by(uneven))
    written: list[float] = []
    write = LiveFileSink.write

    def note(self: LiveFileSink, frame: Frame) -> None:
        written.append(frame.captured_at)
        write(self, frame)

    monkeypatch.setattr(LiveFileSink, "write", note)
    assert run(*PATTERN, "--no-window", "--frames", 25, "-o", "show.mp4") == 0
    times = [float(moment) for moment in read_back(Path("show.mp4"))[0]]
    assert times == pytest.approx([at - written[0] for at in written], abs=0.001)
    assert duration(Path("show.mp4")) == pytest.approx(written[-1] - written[0], abs=1 / 30)
    assert len(written) < 25 or times[-1] > sum(waited[3:22]), "painting takes time, and so does the film"


def test_flags_of_outputs_go_together(run: Run) -> None:
    arguments: dict[str, Any] = {"--cycle": 2, "--fade": 0.1, "--fps": 30, "--scale": 0.5, "--stability": 8, "--wipe": "moving"}
    flags = [word for pair in arguments.items() for word in pair]
    assert run(*PATTERN, "--no-window", "--frames", 5, "-o", "a.mp4", "-o", "b.m4v", "--display-in-output", *flags) == 0
    assert sorted(os.listdir()) == ["a.mp4", "b.m4v"]  # noqa: PTH208


class ClosedTerminal:
    """Where messages go once the terminal is gone."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        """Nothing waits."""


def test_a_terminal_that_was_closed_neither_ends_the_show_nor_forgets_what_was_set(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", ClosedTerminal())
    assert run(*PATTERN, "--no-window", "--frames", 3, "-o", tmp_path / "a.mp4", "--stability", 24, "--remember") == 0
    assert read_settings().stability == 24 and (tmp_path / "a.mp4").exists()


def test_the_first_frame_that_an_output_misses_is_told_without_a_window_too(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, may = LiveFileSink.write, threading.Event()

    def slow(sink: LiveFileSink, frame: Frame) -> None:
        if frame.index > 60:
            may.set()
        may.wait(0.5)
        usual(sink, frame)

    monkeypatch.setattr(LiveFileSink, "write", slow)
    assert run(*PATTERN, "--no-window", "--frames", 80, "-o", tmp_path / "a.mp4") == 0
    assert "is too slow: it misses frames." in capsys.readouterr().err
