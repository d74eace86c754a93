"""Small pictures of all styles, painted beside the show."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.control.thumbnails import Thumbnails, thumbnail_size
from realtime_nst.errors import StyleError
from realtime_nst.live.controls import Controls
from realtime_nst.style.book import StyleBook
from tests.conftest import painting_by, wait_until


class Gallery:
    """Thumbnails of a photo, each filled with the first number of its style's vector."""

    def __init__(self, book: StyleBook, photo: np.ndarray | None) -> None:
        self.photo = photo
        self.looking = threading.Event()
        self.painted: list[tuple[int, ...]] = []
        self.level = {style.name: 40 * number + 20 for number, style in enumerate(book.values())}
        self.broken = False
        names = {style.vector.tobytes(): style.name for style in book.values()}

        def paint(image: np.ndarray, vector: np.ndarray) -> np.ndarray:
            if self.broken:
                raise StyleError("damaged")
            self.painted.append(image.shape)
            return np.full_like(image, self.level[names[vector.tobytes()]])

        self.controls = Controls(list(book.values()))
        self.thumbnails = Thumbnails(self.controls, painting_by(paint), lambda: self.photo, self.looking.is_set)

    def shade(self, name: str) -> float:
        found = self.thumbnails.get(name)
        assert found is not None
        with Image.open(io.BytesIO(found.data)) as picture:
            return float(np.asarray(picture).mean())


@pytest.fixture
def make(book: StyleBook) -> Iterator[Callable[..., Gallery]]:
    made: list[Gallery] = []

    def build(photo: np.ndarray | None) -> Gallery:
        made.append(Gallery(book, photo))
        return made[-1]

    yield build
    for gallery in made:
        gallery.thumbnails.close()


PHOTO = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


def test_all_are_painted_small_while_somebody_looks_and_anew_as_time_goes_on(make: Callable[..., Gallery]) -> None:
    gallery = make(PHOTO)
    gallery.looking.set()
    assert wait_until(lambda: len(gallery.thumbnails.versions) == 3)
    assert all(abs(gallery.shade(name) - level) < 3 for name, level in gallery.level.items())
    assert set(gallery.painted) == {(168, 224, 3)}
    before = dict(gallery.thumbnails.versions)
    assert wait_until(lambda: all(version > before[name] for name, version in gallery.thumbnails.versions.items()))


def test_nothing_is_painted_for_nobody_and_from_nothing(make: Callable[..., Gallery]) -> None:
    gallery, blind = make(PHOTO), make(None)
    blind.looking.set()
    gallery.looking.set()
    assert wait_until(lambda: len(gallery.painted) > 4)
    gallery.looking.clear()
    count = [0]

    def rests() -> bool:
        count[0], before = len(gallery.painted), count[0]
        return count[0] == before

    assert wait_until(rests) and not blind.painted and not blind.thumbnails.versions
    assert gallery.thumbnails.get("no-such") is None


def test_the_photo_stands_for_a_style_that_cannot_be_painted(make: Callable[..., Gallery]) -> None:
    gallery = make(PHOTO)
    gallery.broken = True
    gallery.looking.set()
    assert wait_until(lambda: len(gallery.thumbnails.versions) == 3)
    assert abs(gallery.shade("wave") - PHOTO.mean()) < 5


@pytest.mark.parametrize(
    ("size", "small"), [((640, 480), (224, 168)), ((480, 640), (168, 224)), ((1920, 1080), (224, 120)), ((16, 1000), (16, 224))]
)
def test_they_keep_the_picture_s_shape(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert thumbnail_size(*size) == small


def test_the_page_is_installed_with_the_application() -> None:
    import configparser

    parser = configparser.ConfigParser()
    parser.read(Path(__file__).parents[1] / "setup.cfg")
    patterns = parser["options.package_data"]["realtime_nst.studio"].split()
    files = [path for path in (Path(__file__).parents[1] / "realtime_nst" / "studio").iterdir() if path.is_file()]
    assert all(any(path.match(pattern) for pattern in patterns) for path in files if path.suffix != ".py")
