"""Pictures kept as styles of the user's own, and the sheet to choose from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst import Stylizer
from realtime_nst.cli.main import main
from realtime_nst.painting.sheet import GAP, contact_sheet
from realtime_nst.style.book import find_styles, own_style_folder
from realtime_nst.style.style import Body, read_body
from tests.conftest import one_line, pictured_book
from tests.test_from_picture import picture

Run = Callable[..., int]


@pytest.fixture
def shipped(pictured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The narrow styles and their encoder, as if they came with the program."""
    monkeypatch.setattr("realtime_nst.style.book.files", lambda package: pictured)
    return pictured


def run(*arguments: object) -> int:
    return main(list(map(str, arguments)))


def body_of(shipped: Path) -> Body:
    return read_body(shipped / "narrow.body.h5")


def test_a_picture_is_kept_and_is_a_style_like_any_other(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cat, photo = picture(tmp_path / "cat.jpg"), picture(tmp_path / "photo.png", 1)
    assert run("styles", "add", cat, "--title", "My cat") == 0
    assert "Kept as 'cat'. `--style cat` paints in it." in capsys.readouterr().err
    kept = own_style_folder() / "cat.weights.h5"
    assert 1_000 < kept.stat().st_size < 12_000
    style = find_styles([own_style_folder(), shipped])["my cat"]
    assert np.array_equal(style.vector, pictured_book(shipped)[str(cat)].vector)
    assert style.metadata["predicted"] is True and style.metadata["picture"] == "cat.jpg"
    cat.unlink()
    assert run("image", photo, "-o", tmp_path / "out.png", "--style", "cat:0.5,wave") == 0
    assert run("styles") == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("cat"))
    assert row.split() == ["cat", "My", "cat", "?", "?", "narrow", "predicted"]


def test_names_are_given_or_found_and_never_taken_twice(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cat = picture(tmp_path / "wave.png")
    assert run("styles", "add", cat) == 0 and "Kept as 'wave-2'" in capsys.readouterr().err
    assert run("styles", "add", cat) == 1 and "wave.png' is the style 'wave-2' already" in one_line(capsys)
    other = picture(tmp_path / "b.png", 2)
    assert run("styles", "add", other, "--name", "Wave") == 1
    assert one_line(capsys).startswith("There is a style 'Wave' already. Choose another name")
    assert run("styles", "add", other, "--name", "a:b/c") == 1
    assert one_line(capsys) == "'a:b/c' can be no style's name. Write letters, digits, - or _, as in 'a b c'."
    assert run("styles", "add", other, "--name", "mine") == 0
    assert sorted(path.name for path in own_style_folder().iterdir()) == ["mine.weights.h5", "wave-2.weights.h5"]


def test_own_styles_are_renamed_and_removed(shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, name in enumerate("ab"):
        assert run("styles", "add", picture(tmp_path / f"{name}.png", seed)) == 0
    assert run("styles", "rename", "a", "c") == 0 and run("styles", "rename", "b", "B") == 0
    capsys.readouterr()
    assert run("styles", "rename", "c", "b") == 1 and "There is a style 'b' already" in one_line(capsys)
    assert run("styles", "rename", "c", "wave") == 1 and "There is a style 'wave' already" in one_line(capsys)
    assert sorted(find_styles([own_style_folder(), shipped])) == ["B", "c", "mosaic", "scream", "wave"]
    assert run("styles", "remove", "c") == 0
    assert sorted(path.name for path in own_style_folder().iterdir()) == ["B.weights.h5"]


@pytest.mark.parametrize("words", [("remove", "wave"), ("rename", "wave", "w")])
def test_shipped_styles_stay(shipped: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in shipped.iterdir())
    assert run("styles", *words) == 1
    assert one_line(capsys) == (
        f"'wave' does not lie in '{own_style_folder()}', where your own styles are. Shipped styles stay as they are."
    )
    assert sorted(path.name for path in shipped.iterdir()) == before


@pytest.mark.parametrize("name", ["../narrow", "wve", "", "narrow.body"])
def test_what_is_no_style_is_not_removed(shipped: Path, own_home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    own_style_folder().mkdir(parents=True)
    (own_style_folder().parent / "narrow.weights.h5").write_bytes(b"else")
    assert run("styles", "remove", name) == 1
    assert f"No style named '{name}'." in one_line(capsys)
    assert (own_style_folder().parent / "narrow.weights.h5").exists()


def test_a_damaged_style_of_the_user_can_be_removed(shipped: Path, tmp_path: Path) -> None:
    own_style_folder().mkdir(parents=True)
    (own_style_folder() / "bad.weights.h5").write_bytes(b"x")
    assert run("styles", "remove", "bad") == 0 and not list(own_style_folder().iterdir())


def test_with_weights_styles_are_kept_in_that_folder(pictured: Path, tmp_path: Path) -> None:
    assert run("styles", "add", picture(tmp_path / "cat.png"), "--weights", pictured) == 0
    assert (pictured / "cat.weights.h5").exists() and not own_style_folder().exists()
    assert run("styles", "remove", "cat", "--weights", pictured) == 0 and not (pictured / "cat.weights.h5").exists()


def test_what_cannot_be_added_is_one_line(shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("styles", "add", tmp_path / "gone.png") == 1 and "gone.png" in one_line(capsys)
    (tmp_path / "text.png").write_text("hello")
    assert run("styles", "add", tmp_path / "text.png") == 1 and "is not a picture that can be read" in one_line(capsys)
    (shipped / "narrow.encoder.h5").unlink()
    assert run("styles", "add", picture(tmp_path / "cat.png")) == 1 and "needs a style encoder" in one_line(capsys)
    assert not own_style_folder().exists()


@pytest.mark.parametrize(
    "flags",
    [
        ["add"],
        ["add", "a", "b"],
        ["remove"],
        ["rename", "a"],
        ["wave"],
        ["--name", "a"],
        ["remove", "a", "--title", "b"],
        ["-o", "sheet.png"],
        ["--sheet", "photo.png"],
    ],
)
def test_wrong_words_exit_with_two(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run("styles", *flags)
    assert end.value.code == 2 and "`realtime-nst styles --help` explains the flags." in one_line(capsys)


# The sheet.


def test_sheet_shows_the_photo_in_every_style_that_is_named(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, cat = picture(tmp_path / "photo.png", 1, 120, 80), picture(tmp_path / "cat.png", 2)
    precise = ("--backend", "openvino", "--precision", "float32")
    assert run("styles", "--sheet", photo, "-o", tmp_path / "sheet.png", "wave", cat, "wave:0.5,mosaic:0.5", *precise) == 0
    assert "Wrote" in capsys.readouterr().err
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    original = np.asarray(Image.open(photo))
    stylizer = Stylizer("wave", weights=shipped, backend="openvino", precision="float32")
    expected = [original, *(stylizer(original, name) for name in ("wave", str(cat), "wave:0.5,mosaic:0.5"))]
    tall = (sheet.shape[0] - GAP) // 2
    for place, tile in enumerate(expected):
        left, top = GAP + place % 2 * (120 + GAP), GAP + place // 2 * tall
        assert np.array_equal(sheet[top : top + 80, left : left + 120], tile), place
        label = sheet[top + 80 : top + tall - GAP, left : left + 120]
        assert (label.min(axis=2) < 100).sum() > 10, "words in black"


def test_without_names_the_sheet_has_all_styles(shipped: Path, tmp_path: Path) -> None:
    photo = picture(tmp_path / "photo.png", 1, 1600, 1000)
    assert run("styles", "--sheet", photo, "-o", tmp_path / "sheet.jpg") == 0
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        width, height = sheet.size
    assert width == 2 * (400 + GAP) + GAP and height > 2 * 250, "the photo and three styles, scaled down"


def test_words_that_are_too_long_are_cut_and_rows_are_filled() -> None:
    tiles = [("x" * 300, np.zeros((60, 90, 3), np.uint8))] * 7
    sheet = contact_sheet(tiles, columns=3)
    assert sheet.shape[1] == 3 * (90 + GAP) + GAP and (sheet[-1] == 255).all()
    assert (sheet[:, GAP + 90 : GAP + 90 + GAP] == 255).all(), "nothing between two pictures"
    assert contact_sheet(tiles[:1]).shape[1] == 90 + 2 * GAP


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.png", "-o", "out.png"], "gone.png"),
        (["photo.png", "-o", "photo.png", "--overwrite"], "Input and output are the same file"),
        (["photo.png", "-o", "out.txt"], "'out.txt' ends in '.txt'"),
        (["photo.png", "-o", "taken.png"], "'taken.png' exists. Add --overwrite"),
        (["photo.png", "-o", "out.png", "nobody.jpg"], "No picture at 'nobody.jpg', and no style of that name."),
    ],
)
def test_a_sheet_that_cannot_be_is_one_line_and_leaves_nothing(
    shipped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "photo.png")
    (tmp_path / "taken.png").write_bytes(b"mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run("styles", "--sheet", *arguments) == 1
    assert words in one_line(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == before and (tmp_path / "taken.png").read_bytes() == b"mine"
