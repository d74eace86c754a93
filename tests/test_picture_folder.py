"""A folder whose pictures are styles of a show: they come and go with their files, and the show never waits for them."""

import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from realtime_nst.cli.main import main
from realtime_nst.errors import SourceError, StyleError
from realtime_nst.live import picture_folder
from realtime_nst.live.controls import Controls
from realtime_nst.live.overlay import help_lines
from realtime_nst.live.picture_folder import PictureFolder
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.encoder import Encoder
from realtime_nst.style.from_picture import PictureStyles
from tests.conftest import NARROW, one_line, pictured_book, wait_until
from tests.test_from_picture import picture
from tests.test_uploads import Studio

OWN = ["mosaic", "scream", "wave"]


class Watched:
    """A folder, the controls of a show, and what was told."""

    def __init__(self, folder: Path, book: StyleBook) -> None:
        self.folder, self.book = folder, book
        self.controls = Controls(list(book.values()))
        self.told: list[str] = []
        self.pictures = PictureFolder(folder, book, self.controls, self.told.append)

    @property
    def names(self) -> list[str]:
        """The styles beside those that are always there."""
        names = [style.name for style in self.controls.styles]
        assert names[:3] == OWN
        return names[3:]

    def has(self, *names: str) -> bool:
        """Wait until there are these."""
        return wait_until(lambda: self.names == list(names))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture
def watch(folder: Path, pictured: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watched]]:
    """Begins to watch, quickly."""
    monkeypatch.setattr(picture_folder, "LOOK_EVERY", 0.02)
    with ExitStack() as opened:

        def begin(book: StyleBook | None = None) -> Watched:
            made = Watched(folder, book or pictured_book(pictured))
            opened.callback(made.pictures.close)
            return made

        yield begin


def moved_in(path: Path, seed: int) -> None:
    """A picture that appears as a whole."""
    picture(path.parent.parent / "draft.png", seed).rename(path)


def test_a_picture_that_is_dropped_is_a_style_with_a_key_and_in_the_help(watch: Callable[..., Watched], folder: Path) -> None:
    picture(folder / "first.png", 1)
    show = watch()
    assert show.has("first") and show.controls.style.name == "mosaic", "it is there, and nothing is switched"
    moved_in(folder / "cat.png", 2)
    assert show.has("first", "cat") and show.controls.notice == "5  cat is new"
    assert any("5 cat" in line for line in help_lines(show.controls))
    show.controls.press("5")
    assert show.controls.target.name == "cat"
    assert np.array_equal(show.controls.target.vector, show.book["cat"].vector)
    show.controls.do("style", "cat:0.5,wave:0.5")
    assert show.controls.target.name == "cat:0.5,wave:0.5"


def test_a_picture_that_goes_takes_its_style_along_but_not_from_the_frame(watch: Callable[..., Watched], folder: Path) -> None:
    for seed, name in enumerate(("a", "b")):
        picture(folder / f"{name}.png", seed)
    show = watch()
    assert wait_until(lambda: len(show.names) == 2)
    show.controls.do("style", "a")
    (folder / "a.png").unlink()
    assert show.has("b") and "a" not in show.book and show.controls.target.name == "a"
    show.controls.press("n")
    assert show.controls.target.name == "mosaic"
    moved_in(folder / "a.png", 7)
    assert show.has("b", "a"), "the name is free again"


def test_another_picture_of_the_same_name_takes_its_place_also_while_it_is_used(
    watch: Callable[..., Watched], folder: Path
) -> None:
    picture(folder / "cat.png", 1)
    show = watch()
    assert show.has("cat")
    show.controls.do("style", "cat")
    before = show.controls.target.vector
    moved_in(folder / "cat.png", 2)
    assert wait_until(lambda: not np.array_equal(show.controls.target.vector, before))
    assert show.controls.target.name == "cat" and show.has("cat")
    (folder / "cat.png").write_bytes(b"\x89PNG no more")
    assert show.has() and show.controls.target.name == "cat"


def test_the_same_picture_twice_is_one_style_until_both_are_gone(watch: Callable[..., Watched], folder: Path) -> None:
    for name in ("a", "b"):
        picture(folder / f"{name}.png", 1)
    show = watch()
    assert wait_until(lambda: len(show.pictures._entries) == 2) and len(show.names) == 1
    (folder / f"{show.names[0]}.png").unlink()
    assert wait_until(lambda: len(show.pictures._entries) == 1) and len(show.names) == 1
    shutil.rmtree(folder)
    folder.mkdir()
    assert show.has()


def test_a_file_that_is_still_being_written_is_taken_once_it_is_whole(
    watch: Callable[..., Watched], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_folder, "PATIENCE", 1e9)
    whole = picture(folder.parent / "whole.png", 1).read_bytes()
    show = watch()
    with (folder / "cat.png").open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        assert wait_until(lambda: folder / "cat.png" in show.pictures._entries), "it was tried"
        assert not show.names
        file.write(whole[len(whole) // 2 :])
    assert show.has("cat") and not show.told


def test_what_is_no_picture_is_told_once_and_other_files_are_passed_over(
    watch: Callable[..., Watched], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_folder, "PATIENCE", 0.0)
    (folder / "text.png").write_text("hello")
    (folder / "list.txt").write_text("hello")
    (folder / ".hidden.png").write_text("hello")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "folder.png").mkdir()
    show = watch()
    picture(folder / "cat.png", 1)
    assert show.has("cat") and wait_until(lambda: bool(show.told))
    moved_in(folder / "dog.png", 2)
    assert show.has("cat", "dog")
    assert len(show.told) == 1 and "text.png' is not a picture that can be read" in show.told[0]


def test_of_a_thousand_files_the_newest_are_styles_and_a_new_one_comes_first(
    watch: Callable[..., Watched], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_folder, "MOST_PICTURES", 3)
    data = picture(folder.parent / "old.png", 1).read_bytes()
    for number in range(1000):
        (folder / f"{number:04d}.png").write_bytes(data)
    moved_in(folder / "new.png", 2)
    show = watch()
    assert wait_until(lambda: len(show.pictures._entries) == 3)
    assert show.names[0] == "new" and show.names[1:] == ["0999"], "the others are the same picture"
    assert show.told == [f"'{folder}' holds 1001 pictures; the newest 3 are styles."]
    moved_in(folder / "newer.png", 3)
    assert wait_until(lambda: "newer" in show.names)


def test_a_folder_that_goes_leaves_its_styles_and_one_that_comes_back_is_watched(
    watch: Callable[..., Watched], folder: Path
) -> None:
    picture(folder / "cat.png", 1)
    show = watch()
    assert show.has("cat")
    folder.rename(folder.parent / "away")
    assert wait_until(lambda: bool(show.told)) and "cannot be read now" in show.told[0] and show.names == ["cat"]
    (folder.parent / "away").rename(folder)
    moved_in(folder / "dog.png", 2)
    assert show.has("cat", "dog") and len(show.told) == 1


def test_the_show_goes_on_while_a_picture_is_looked_at(watch: Callable[..., Watched], folder: Path, pictured: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def encode(encoder: Encoder, seen: np.ndarray) -> np.ndarray:
        if seen.any():
            reached.set()
            assert go_on.wait(60)
        return np.ones(NARROW.vector_size, np.float32)

    def read(path: Path, shorter: int, *, longest: float, least: int) -> np.ndarray:
        return np.ones((shorter, shorter, 3), np.uint8)

    show = watch(find_styles([pictured], PictureStyles(read, encode)))
    (folder / "cat.png").write_bytes(b"")
    assert reached.wait(60)
    show.controls.press("n")
    show.controls.tick()
    assert show.controls.target.name == "scream" and len(show.book.mix("scream:1,wave:1").vector)
    go_on.set()
    assert show.has("cat")


@pytest.mark.parametrize("name", ["gone", "file"])
def test_a_folder_that_is_none_is_one_line(pictured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "file").write_text("x")
    show = ["webcam", "--camera", "pattern", "--no-window", "--frames", "2", "--weights", str(pictured)]
    assert main([*show, "--pictures", str(tmp_path / name)]) == 1
    assert one_line(capsys).startswith(f"No folder of pictures at '{tmp_path / name}': ")


def test_without_an_encoder_the_folder_is_refused(book: StyleBook, weights: Path, folder: Path) -> None:
    with pytest.raises(SourceError, match="No folder of pictures at"):
        PictureFolder(folder / "gone", book, Controls(book.values()), print)
    plain = find_styles(
        [weights], PictureStyles(lambda *given, **named: np.zeros((9, 9, 3), np.uint8), lambda *given: np.ones(3))
    )
    with pytest.raises(StyleError, match="needs a style encoder"):
        PictureFolder(folder, plain, Controls(plain.values()), print)


def test_pictures_that_are_dropped_reach_the_page(pictured: Path, folder: Path) -> None:
    studio = Studio(pictured, "--pictures", str(folder))
    try:
        moved_in(folder / "cat.png", 1)
        assert wait_until(lambda: "cat" in [row["name"] for row in studio.ask("/api/styles")], pause=0.3)
    finally:
        assert studio.end(signal.SIGTERM) == 0
