"""The path from one style to the next."""

import itertools
from pathlib import Path

import numpy as np

from realtime_nst.style.book import StyleBook
from realtime_nst.style.crossfade import Crossfade, blend
from realtime_nst.style.style import Style
from tests.conftest import narrow_body, random_vector


def distance(first: Style, second: Style) -> float:
    return float(np.linalg.norm(first.vector - second.vector))


def test_first_style_is_there_at_once(book: StyleBook) -> None:
    assert Crossfade().towards(book["wave"], 1.0) is book["wave"]


def test_a_fade_moves_at_once_never_turns_back_and_arrives(book: StyleBook) -> None:
    now = 0.0
    path = Crossfade(lambda: now)
    path.towards(book["wave"], 1.0)
    now, seen = 10.0, []
    for _ in range(34):
        seen.append(distance(path.towards(book["scream"], 1.0), book["scream"]))
        now += 1 / 30
    whole = distance(book["wave"], book["scream"])
    assert 0.6 * whole < seen[0] < 0.75 * whole, "the first frame shows that something happens, and is no cut"
    assert all(later <= earlier for earlier, later in itertools.pairwise(seen))
    assert max(earlier - later for earlier, later in itertools.pairwise(seen)) < 0.1 * whole, "the rest is smooth"
    assert seen[10] > 0.1 * whole and seen[-1] == 0
    assert path.towards(book["scream"], 1.0) is book["scream"]


def test_every_step_lies_between_the_two_vectors(book: StyleBook) -> None:
    now = 0.0
    path = Crossfade(lambda: now)
    path.towards(book["wave"], 1.0)
    path.towards(book["scream"], 1.0)
    now = 0.3
    vector = path.towards(book["scream"], 1.0).vector
    low, high = np.minimum(book["wave"].vector, book["scream"].vector), np.maximum(book["wave"].vector, book["scream"].vector)
    assert ((vector >= low - 1e-6) & (vector <= high + 1e-6)).all()


def test_a_change_of_mind_starts_from_where_it_is(book: StyleBook) -> None:
    now = 0.0
    path = Crossfade(lambda: now)
    path.towards(book["wave"], 1.0)
    path.towards(book["scream"], 1.0)
    now = 0.2
    there = path.towards(book["scream"], 1.0)
    turned = path.towards(book["mosaic"], 1.0)
    assert 0 < distance(turned, there) < 0.35 * distance(there, book["mosaic"])


def test_no_fade_and_another_body_are_cuts(book: StyleBook, tmp_path: Path) -> None:
    path = Crossfade(lambda: 0.0)
    path.towards(book["wave"], 0.0)
    assert path.towards(book["scream"], 0.0) is book["scream"]
    other = Style("other", random_vector(9), narrow_body(tmp_path, "other", 9))
    assert path.towards(other, 1.0) is other


def test_a_blend_at_the_ends_is_the_end(book: StyleBook) -> None:
    assert np.array_equal(blend(book["wave"], book["scream"], 0.0).vector, book["wave"].vector)
    assert np.allclose(blend(book["wave"], book["scream"], 1.0).vector, book["scream"].vector, atol=1e-6)
