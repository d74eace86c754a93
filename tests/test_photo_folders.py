"""Folders of photos: read, painted and written side by side, with nothing that differs from one after another."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.interface import Engine
from realtime_nst.media.photos import read_photo
from realtime_nst.media.picturefile import LARGEST_PHOTO, WITHOUT_WARNINGS, pixels_of
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.style.style import Body

Run = Callable[..., int]
SIZES = [(96, 64), (64, 96), (40, 40), (96, 64), (64, 96), (40, 40), (96, 64), (200, 120), (40, 40), (64, 96), (96, 64), (64, 96)]


def make_photos(folder: Path) -> list[str]:
    """Photos of several sizes and formats in an order in which more than two sizes are wanted again."""
    folder.mkdir()
    suffixes = (".png", ".jpg", ".webp", ".bmp")
    for index, size in enumerate(SIZES):
        Image.effect_noise(size, 60).convert("RGB").save(folder / f"{index:02}{suffixes[index % 4]}")
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many cores a machine is said to have."""
    return lambda count: monkeypatch.setattr("realtime_nst.cli.image.cores", lambda: count)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes that networks were compiled for."""
    sizes = list[tuple[int, int]]()

    def build(body: Body, width: int, height: int, **more: object) -> Engine:
        sizes.append((width, height))
        return build_engine(body, width, height, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("realtime_nst.painting.serving.build_engine", build)
    return sizes


def test_a_folder_comes_out_as_photo_by_photo_and_compiles_no_more(
    run: Run, tmp_path: Path, threads: Callable[[int], None], built: list[tuple[int, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = make_photos(tmp_path / "in")
    said = dict[int, str]()
    compiled = dict[int, list[tuple[int, int]]]()
    for count in (1, 4):
        threads(count)
        assert run("image", tmp_path / "in", "-o", tmp_path / str(count)) == 0
        said[count] = capsys.readouterr().err.replace(f"{tmp_path / str(count)}", "OUT")
        compiled[count], built[:] = list(built), []
    assert said[4] == said[1]
    told = [line for line in said[4].splitlines() if line.startswith("Wrote")]
    assert [line.split("/")[1][:2] for line in told] == [name[:2] for name in names], "in their order"
    assert compiled[4] == compiled[1]
    alone, several = ({path.name: path.read_bytes() for path in (tmp_path / count).iterdir()} for count in ("1", "4"))
    assert len(alone) == len(names) and several == alone, "to the last byte of each file"
    assert not np.array_equal(read_photo(tmp_path / "4" / "00.png"), read_photo(tmp_path / "in" / "00.png"))


def test_bad_photos_and_what_is_said_of_good_ones_come_in_their_turn(
    run: Run, tmp_path: Path, threads: Callable[[int], None], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    noise = [Image.effect_noise((400, 300), 60).convert("RGB") for _ in range(3)]
    noise[0].save(tmp_path / "in" / "a.png")  # slow to write
    noise[0].resize((16, 16)).save(tmp_path / "in" / "b.gif", save_all=True, append_images=[noise[1].resize((16, 16))])
    (tmp_path / "in" / "c.png").write_text("no picture")
    noise[1].save(tmp_path / "in" / "d.jpg")
    (tmp_path / "in" / "e.jpg").write_bytes((tmp_path / "in" / "d.jpg").read_bytes()[:9_000])
    noise[2].save(tmp_path / "in" / "f.webp")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f.webp").write_bytes(b"already there")
    Image.new("RGBA", (16, 16), (200, 0, 0, 90)).save(tmp_path / "in" / "g.png")
    threads(4)
    assert run("image", tmp_path / "in", "-o", tmp_path / "out") == 1
    said = [line.replace(str(tmp_path), "") for line in capfd.readouterr().err.splitlines()]
    words = ["Wrote '/out/a.png'", "Wrote '/out/b.png'", "'/in/c.png' is not a picture", "Wrote '/out/d.jpg'"]
    words += ["'/in/e.jpg' is cut short", "'/out/f.webp' exists", "Wrote '/out/g.png'", "4 painted, 0 skipped, 3 failed."]
    assert len(said) == len(words) and all(word in line for word, line in zip(words, said, strict=True)), said
    assert [message.partition(" is ")[2][:12] for message in caplog.messages] == ["an animation"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "d.jpg", "f.webp", "g.png"]
    assert (tmp_path / "out" / "f.webp").read_bytes() == b"already there"
    with Image.open(tmp_path / "out" / "g.png") as file:
        assert file.mode == "RGBA" and file.getpixel((8, 8))[3] == 90


def test_what_is_said_of_a_photo_comes_right_before_its_end(
    run: Run, tmp_path: Path, threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Animations, and what is said of each in one list."""
    (tmp_path / "in").mkdir()
    rng, said = np.random.default_rng(0), list[str]()
    for index in range(8):
        frames = [Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)) for _ in range(2)]
        frames[0].save(tmp_path / "in" / f"{index}.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setattr("realtime_nst.cli.image.log.warning", lambda words, *more: said.append(words % more))
    monkeypatch.setattr("realtime_nst.cli.console.say", said.append)
    threads(4)
    assert run("image", tmp_path / "in", "-o", tmp_path / "out") == 0
    each = ("in/{0}.gif' is an animation", f"Wrote '{tmp_path}/out/{{0}}.png'")
    expected = [words.format(index) for index in range(8) for words in each]
    assert all(word in line for word, line in zip(expected, said[:-1], strict=True)), said


def test_ctrl_c_keeps_what_is_painted_and_leaves_no_half_file(
    run: Run, tmp_path: Path, threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for index in range(12):
        Image.effect_noise((300, 200), 60).convert("RGB").save(tmp_path / "in" / f"{index:02}.png")
    paint, painted = PicturePainter.paint, list[int]()

    def interrupted(*given: object) -> np.ndarray:
        painted.append(1)
        if len(painted) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return paint(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(PicturePainter, "paint", interrupted)
    before = signal.getsignal(signal.SIGINT)
    threads(3)
    assert run("image", tmp_path / "in", "-o", tmp_path / "out") == 130
    assert signal.getsignal(signal.SIGINT) is before and len(painted) == 5
    *told, last = capsys.readouterr().err.splitlines()
    assert last == "realtime-nst: interrupted."
    assert told == [f"Wrote '{tmp_path}/out/{index:02}.png'." for index in range(5)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{index:02}.png" for index in range(5)]
    for path in (tmp_path / "out").iterdir():
        assert read_photo(path).shape == (200, 300, 3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("in-flight")]


def test_photos_are_held_by_their_pixels(
    run: Run, tmp_path: Path, threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for two large ones, no third one is read before the first is written; of small ones there are more."""
    (tmp_path / "in").mkdir()
    for index in range(12):
        size = (200, 100) if index < 6 else (20, 10)
        Image.effect_noise(size, 60).convert("RGB").save(tmp_path / "in" / f"{index:02}.png")
    from realtime_nst.cli import image as module

    read, write, lock = module.read_layers, module.write_photo, threading.Lock()
    held, most = set[str](), {True: 0, False: 0}

    def reading(path: Path, *more: object) -> object:
        with lock:
            held.add(path.name)
            large = {name for name in held if name < "06"}
            most[True], most[False] = max(most[True], len(large)), max(most[False], len(held - large))
        return read(path, *more)  # type: ignore[arg-type]

    def writing(path: Path, *given: object, **more: object) -> None:
        time.sleep(0.02)  # slower than what gives it something to do
        write(path, *given, **more)  # type: ignore[arg-type]
        with lock:
            held.discard(path.name)

    monkeypatch.setattr(module, "read_layers", reading)
    monkeypatch.setattr(module, "write_photo", writing)
    monkeypatch.setattr(module, "PIXELS_EACH", 12_500)
    threads(4)
    assert run("image", tmp_path / "in", "-o", tmp_path / "out") == 0
    assert most[True] == 2 and 2 < most[False] <= 9, most


def test_pixels_are_told_before_a_photo_is_read(tmp_path: Path) -> None:
    Image.new("1", (10_000, 6_000)).save(tmp_path / "huge.png")
    (tmp_path / "none.png").write_text("no picture")
    assert pixels_of(tmp_path / "huge.png") == 60_000_000
    assert pixels_of(tmp_path / "none.png") == pixels_of(tmp_path / "gone.png") == pixels_of(tmp_path) == LARGEST_PHOTO


def test_warnings_are_left_out_as_long_as_any_thread_wants_it_and_come_back() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with WITHOUT_WARNINGS:
            inside.set()
            assert leave.wait(30)

    thread = threading.Thread(target=stay)
    with WITHOUT_WARNINGS:
        thread.start()
        assert inside.wait(30)
    warnings.warn("of a file", stacklevel=1)  # the other thread is still inside
    leave.set()
    thread.join()
    assert warnings.filters == before
    with pytest.raises(UserWarning, match="of a file"):
        warnings.warn("of a file", stacklevel=1)
