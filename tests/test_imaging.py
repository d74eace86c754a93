"""Many photos at once: what goes wrong with one does not stop the rest, and folders are as `video` has them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.media.photos import read_photo

from .conftest import one_line
from .test_picturefile import HEIC, RAW

pytestmark = pytest.mark.usefixtures("identity")
Run = Callable[..., int]


def photo(path: Path, shade: int = 120) -> Path:
    """A photo that is even, by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 16), (shade, shade, shade)).save(path, "JPEG" if path.suffix in (".jfif", ".jpe") else None)
    return path


def shade(path: Path) -> int:
    """How light a photo is."""
    return round(read_photo(path).mean())


def names(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_empty_one_a_folder_and_an_output_that_exists_do_not_stop_the_rest(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [photo(tmp_path / "in" / f"{name}.png", 10 * number) for number, name in enumerate("abcd", 1)]
    given[1].write_bytes(b"")
    (tmp_path / "in" / "empty folder").mkdir()
    (tmp_path / "in" / "away.png").symlink_to(tmp_path / "gone.png")
    photo(tmp_path / "out" / "c.png", 200)
    others = [tmp_path / "in" / "empty folder", tmp_path / "in" / "away.png"]
    assert run("image", *given, *others, "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert names(tmp_path / "out") == ["a.png", "c.png", "d.png"]
    assert [shade(tmp_path / "out" / f"{name}.png") for name in "acd"] == [10, 200, 40]
    for words in ("b.png' is empty (0 bytes)", "c.png' exists. Add --overwrite", "No photo in '", "No file at '"):
        assert words in said
    assert said.endswith("\n2 painted, 0 skipped, 4 failed.\n") and "Traceback" not in said


def test_what_has_an_output_is_skipped(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [photo(tmp_path / f"{name}.png", 50) for name in "abc"]
    photo(tmp_path / "out" / "b.png", 200)
    assert run("image", *given, "-o", tmp_path / "out", "--skip-existing") == 0
    assert [shade(tmp_path / "out" / f"{name}.png") for name in "abc"] == [50, 200, 50]
    assert capsys.readouterr().err.endswith("\n2 painted, 1 skipped, 0 failed.\n")
    assert run("image", given[1], "-o", tmp_path / "out" / "b.png", "--skip-existing") == 0
    assert capsys.readouterr().err == f"'{tmp_path}/out/b.png' exists; nothing to do.\n"
    assert shade(tmp_path / "out" / "b.png") == 200


def test_folders_are_painted_without_what_is_hidden(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = tmp_path / "card"
    for name in ("a.jpg", "b.jfif", "c.JPG", "d.bmp", "e.avif", "sub/f.jpe"):
        photo(card / name)
    for name in ("._a.jpg", ".hidden.png", "notes.txt", ".trash/z.jpg"):
        (card / name).parent.mkdir(exist_ok=True)
        (card / name).write_bytes(b"\0\5\x16\7 notes of a Mac")
    (card / "g.nef").write_bytes(RAW["a.nef"])
    assert run("image", card, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["a.jpg", "b.jpg", "c.JPG", "d.png", "e.png"]
    said = capsys.readouterr().err
    assert f"Left out in '{card}': 1 .nef, which cannot be read here" in said and "5 painted, 0 skipped, 0 failed." in said
    assert run("image", card, "-o", tmp_path / "deep", "--recursive") == 0
    assert names(tmp_path / "deep") == ["a.jpg", "b.jpg", "c.JPG", "d.png", "e.png", "sub/f.jpg"]
    assert run("image", card, "-o", tmp_path / "some", "--pattern", "*.j*") == 0
    assert names(tmp_path / "some") == ["a.jpg", "b.jpg", "c.JPG"]


def test_painted_photos_below_the_folder_are_not_painted_again(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    for _ in range(2):
        assert run("image", tmp_path, "-o", tmp_path / "painted", "--recursive", "--overwrite") == 0
    assert names(tmp_path) == ["a.jpg", "painted/a.jpg"]


def test_photos_of_one_name_in_two_folders_are_both_painted(run: Run, tmp_path: Path) -> None:
    for number, name in enumerate(("one/a.jpg", "two/a.jpg", "one/b.png", "one/b.bmp"), 1):
        photo(tmp_path / name, 40 * number)
    assert run("image", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "out") == 0
    shades = sorted(shade(tmp_path / "out" / name) for name in names(tmp_path / "out"))
    assert np.abs(np.array(shades) - [40, 80, 120, 160]).max() <= 1


@pytest.mark.parametrize("output", ["out", "out.v2", "out/"])
def test_several_photos_make_a_folder_of_a_name_that_is_no_pictures(run: Run, tmp_path: Path, output: str) -> None:
    given = [photo(tmp_path / f"{name}.png") for name in "ab"]
    assert run("image", *given, "-o", f"{tmp_path}/{output}") == 0
    assert names(tmp_path / output) == ["a.png", "b.png"]


def test_names_that_mean_no_folder_are_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [photo(tmp_path / "in" / f"{name}.png") for name in "ab"]
    for inputs, flags, words in (
        (given, ["-o", tmp_path / "out.webp"], "2 photos need a folder, and '"),
        ([tmp_path / "in"], ["-o", tmp_path / "out.png"], "is a folder, and '"),
        ([given[0]], ["-o", tmp_path / "out"], "has no ending; .png, .jpg, .jpeg, .webp were expected"),
        (given, ["-o", tmp_path / "out", "--recursive"], "--pattern and --recursive choose among the photos of a folder"),
        ([tmp_path / "in"], ["-o", tmp_path / "out", "--pattern", "*.gif"], "No photo in '"),
    ):
        assert run("image", *inputs, *flags) == 1
        assert words in one_line(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_photos_are_not_painted_over_themselves(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [photo(tmp_path / f"{name}.png") for name in "ab"]
    before = [path.read_bytes() for path in given]
    assert run("image", tmp_path, "-o", tmp_path, "--overwrite", "--keep-colours") == 1
    assert capsys.readouterr().err.count("Input and output are the same file") == 2
    assert [path.read_bytes() for path in given] == before


def test_a_name_that_is_wrong_does_not_stop_the_others(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [photo(tmp_path / f"{name}.png", 60) for name in "ab"]
    wrong = [tmp_path / "gone.png", "https://example.org/c.png", tmp_path / "no" / "where"]
    assert run("image", given[0], *wrong, given[1], "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert names(tmp_path / "out") == ["a.png", "b.png"] and shade(tmp_path / "out" / "b.png") == 60
    for words in (
        "gone.png'. The folder holds: a.png, b.png",
        "c.png' is an address, and a file was expected",
        "where'. There is",
    ):
        assert words in said
    assert said.endswith("\n2 painted, 0 skipped, 3 failed.\n") and "Traceback" not in said
    for name in wrong:
        assert run("image", name, "-o", tmp_path / "other.png") == 1
        one_line(capsys)


def test_photos_of_one_name_keep_their_old_endings(run: Run, tmp_path: Path) -> None:
    given = [photo(tmp_path / name, 40 * number) for number, name in enumerate(("x/a.jpg", "y/a.jpg", "z/a.jpg", "a.bmp"), 1)]
    assert run("image", *given, "-o", tmp_path / "out") == 0
    painted = {name: shade(tmp_path / "out" / name) for name in names(tmp_path / "out")}
    assert painted == {"a.jpg": 40, "a.jpg.jpg": 80, "a-2.jpg": 120, "a.png": 160}


def test_a_photo_that_is_given_twice_is_painted_once(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card, other = tmp_path / "card", tmp_path / "b.jpg"
    again = photo(card / "a.bmp").parent / ".." / "card" / "a.bmp"
    photo(other)
    for inputs, output, expected in (
        ([card / "a.bmp", again], "out", ["a.png"]),
        ([card, again, other, card], "some", ["a.png", "b.jpg"]),
        ([other, other], "one.webp", ["one.webp"]),
        ([other, card / "a.bmp", other], "three/", ["a.png", "b.jpg"]),
    ):
        assert run("image", *inputs, "-o", f"{tmp_path}/{output}") == 0
        place = tmp_path / output
        assert (names(place) if place.is_dir() else [place.name]) == expected
        assert capsys.readouterr().err.endswith(f"\n{len(expected)} painted, 0 skipped, 0 failed.\n")
    for number in (1, 2):
        (tmp_path / f"link{number}.jpg").symlink_to(other)
    assert run("image", tmp_path / "link1.jpg", tmp_path / "link2.jpg", "-o", tmp_path / "links") == 0
    assert names(tmp_path / "links") == ["link1.jpg", "link2.jpg"]
    capsys.readouterr()
    assert run("image", tmp_path / "gone.png", tmp_path / "gone.png", other, "-o", tmp_path / "four") == 1
    assert capsys.readouterr().err.endswith("\n1 painted, 0 skipped, 1 failed.\n")


def test_a_folder_of_nothing_but_what_cannot_be_read_is_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone, good = tmp_path / "phone", photo(tmp_path / "b.jpg")
    phone.mkdir()
    (phone / "a.heic").write_bytes(HEIC)
    cause = f"No photo in '{phone}'. Left out in '{phone}': 1 .heic, which cannot be read here. Save them as JPEG first."
    assert run("image", phone, "-o", tmp_path / "out") == 1
    assert one_line(capsys) == cause, "there are no folders to look into"
    assert run("image", phone, good, "-o", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert said.count("Left out") == 1 and cause in said and names(tmp_path / "out") == ["b.jpg"]
    (phone / "deeper").mkdir()
    assert run("image", phone, "-o", tmp_path / "out") == 1
    assert one_line(capsys) == f"{cause} Add --recursive to look into its folders."
    assert run("video", phone, "-o", tmp_path / "films") == 1
    expected = f"No video in '{phone}'. Its photos have to be saved as JPEG first; `realtime-nst image` paints those."
    assert one_line(capsys) == expected
