"""What other programs use: examples as they stand in the docs, the errors of wrong calls, streams beside each other."""

import html
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import realtime_nst
from realtime_nst import Progress, SinkError, StyleError, Stylizer, paint_video, styles
from tests.conftest import frames_of

ROOT = Path(__file__).parents[1]


def some_picture(seed: int, width: int = 70, height: int = 50) -> np.ndarray:
    """Coarse colours, uint8 `(height, width, 3)`."""
    return np.random.default_rng(seed).integers(0, 256, (height // 10, width // 10, 3), np.uint8).repeat(10, 0).repeat(10, 1)


def noisy(picture: np.ndarray, seed: int) -> np.ndarray:
    """The same scene with a camera's noise."""
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def stylizer(weights: Path) -> Stylizer:
    return Stylizer(style="wave", weights=weights)


# The module.


def test_import_loads_nothing_heavy_and_gives_every_public_name() -> None:
    code = (
        "import sys, realtime_nst\n"
        "heavy = {'numpy', 'cv2', 'keras', 'tensorflow', 'jax', 'openvino', 'h5py', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "for name in realtime_nst.__all__: getattr(realtime_nst, name)\n"
        "assert not {'cv2', 'keras', 'tensorflow', 'jax', 'openvino'} & set(sys.modules), 'before anything is painted'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("first", ["realtime_nst.cli.main", "realtime_nst.style.book", "realtime_nst.train.job"])
def test_public_names_are_the_same_whatever_was_imported_before(first: str) -> None:
    code = f"import {first}, realtime_nst; assert callable(realtime_nst.styles) and callable(realtime_nst.Stylizer)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="module 'realtime_nst' has no attribute 'Stylzer'"):
        realtime_nst.Stylzer  # noqa: B018


def test_package_says_that_it_is_typed() -> None:
    assert (Path(realtime_nst.__file__).parent / "py.typed").is_file()


def test_examples_in_the_docs_run_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    readme, page = (re.findall(r"```python\n(.+?)```", (ROOT / name).read_text("utf-8"), re.DOTALL) for name in PAGES)
    assert len(readme) == 1 and len(page) >= 5
    for number, examples in enumerate((readme, page)):
        script = tmp_path / f"examples{number}.py"
        script.write_text("\n".join(examples), "utf-8")
        done = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "No style named 'wve'. Did you mean 'wave'?" in done.stdout and "The Great Wave off Kanagawa" in done.stdout
    assert len(frames_of(tmp_path / "painted.mp4")) == 30


PAGES = ("README.md", "docs/python.md")


def documented() -> Iterator[tuple[str, str]]:
    """Public names, and those of methods, each with its docstring."""
    for name in set(realtime_nst.__all__) - {"__version__"}:
        value = getattr(realtime_nst, name)
        yield name, inspect.getdoc(value) or ""
        if isinstance(value, type) and value.__module__ == "realtime_nst.api":
            methods = {key: method for key, method in vars(value).items() if key == "__call__" or not key.startswith("_")}
            yield from ((f"{name}.{key}", inspect.getdoc(method) or "") for key, method in methods.items() if callable(method))


def test_reference_has_every_public_name_with_its_docstring_and_links_that_lead_there(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "api.py", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0 and f"{tmp_path / 'index.html'}" in done.stdout, done.stderr
    assert "./realtime_nst.html" in (tmp_path / "index.html").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "realtime_nst.html"}, "nothing private has a page"
    page = (tmp_path / "realtime_nst.html").read_text("utf-8")
    shown = plain(re.sub(r"<[^>]+>", "", re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)))
    places, links = set(re.findall(r' id="([^"]+)"', page)), set(re.findall(r'href="#([^"]*)"', page))
    assert links <= places | {""}, "links that lead nowhere"
    found = dict(documented())
    assert {"Stylizer.__call__", "Stylizer.session", "Session.__call__", "Session.forget"} < set(found)
    for name, text in found.items():
        assert text and name in places, name
        for line in text.splitlines():  # without the name of an argument, which stands in a list of its own
            assert plain(re.sub(r"^ *\w+:( |$)", "", line)) in shown, f"{name}: {line}"
        for other in re.findall(r"`([\w.]+)(?:\(\))?`", text):
            if other.split(".")[0] in realtime_nst.__all__:
                assert f'<code><a href="#{other}">' in page, f"{name} names {other}"
    assert "Session.__init__" not in places, "`Stylizer.session` makes them"


def plain(text: str) -> str:
    """Words alone, however they are marked up, quoted and broken into lines."""
    return "".join(re.findall(r"\w+", html.unescape(text)))


# Pictures.


def test_picture_of_any_size_comes_back_in_its_size(stylizer: Stylizer) -> None:
    for width, height in ((70, 50), (30, 90), (8, 8), (1, 1)):
        picture = np.resize(some_picture(1), (height, width, 3))
        before = picture.copy()
        painted = stylizer(picture)
        assert painted.shape == picture.shape and painted.dtype == np.uint8 and np.array_equal(picture, before)


def test_another_style_for_one_picture_is_that_style_and_no_other(stylizer: Stylizer, weights: Path) -> None:
    picture = some_picture(2)
    scream = Stylizer(style="scream", weights=weights)(picture)
    wave = stylizer(picture)
    assert not np.array_equal(wave, scream) and np.array_equal(stylizer(picture, style="scream"), scream)
    assert np.array_equal(stylizer(picture), wave), "the next one is as it was"
    mixed = stylizer(picture, style="wave:1,scream:3")
    assert not np.array_equal(mixed, wave) and not np.array_equal(mixed, scream)


def test_strength_and_colours_are_those_that_were_asked_for(stylizer: Stylizer, weights: Path) -> None:
    picture = some_picture(3)
    half = Stylizer(style="wave", strength=0.5, weights=weights)(picture)
    assert np.abs(half - (picture.astype(float) + stylizer(picture)) / 2).max() <= 1.5
    nothing = Stylizer(style="wave", strength=0.0, weights=weights)(picture)
    assert np.array_equal(nothing, picture) and nothing is not picture
    assert not np.array_equal(Stylizer(style="wave", keep_colours=True, weights=weights)(picture), stylizer(picture))


@pytest.mark.parametrize(
    ("picture", "error", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), TypeError, "image of float32: a NumPy array of uint8"),
        ([[1, 2, 3]], TypeError, "image of list: a NumPy array"),
        (np.zeros((4, 4), np.uint8), ValueError, r"shape \(4, 4\): \(height, width, 3\)"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, r"shape \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), ValueError, r"shape \(0, 4, 3\)"),
    ],
)
def test_what_is_no_picture_is_a_mistake_in_the_call(stylizer: Stylizer, picture: object, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        stylizer(picture)  # type: ignore[arg-type]


def test_wrong_arguments_are_said_before_anything_is_loaded(weights: Path) -> None:
    with pytest.raises(ValueError, match=r"strength=1\.5: a number from 0 to 1"):
        Stylizer(strength=1.5, weights=weights)
    with pytest.raises(StyleError, match=r"No style named 'wve'\. Did you mean 'wave'\?"):
        Stylizer(style="wve", weights=weights)
    with pytest.raises(ValueError, match="backend 'abacus'"):
        Stylizer(weights=weights, backend="abacus")


def test_styles_tell_what_is_known_about_them(weights: Path) -> None:
    assert list(styles(weights))[:1] == sorted(styles(weights))[:1] and {"wave", "scream", "mosaic"} <= set(styles(weights))
    assert styles()["wave"]["artist"] == "Katsushika Hokusai"


# Streams.


def test_session_holds_still_what_a_single_picture_does_not(stylizer: Stylizer) -> None:
    scene = some_picture(4)
    frames = [noisy(scene, seed) for seed in range(6)]
    session, unheld = stylizer.session(stability=16), stylizer.session(stability=0)
    held = [session(frame).astype(int) for frame in frames]
    alone = [unheld(frame).astype(int) for frame in frames]
    assert all(np.array_equal(one, stylizer(frame)) for one, frame in zip(alone, frames))
    assert np.mean([np.abs(b - a).mean() for a, b in itertools.pairwise(held)]) < 0.3 * np.mean(
        [np.abs(b - a).mean() for a, b in itertools.pairwise(alone)]
    )
    with pytest.raises(ValueError, match="stability=99: a number from 0 to 32"):
        stylizer.session(stability=99)


def test_sessions_of_one_size_on_two_threads_paint_as_one_after_the_other(stylizer: Stylizer) -> None:
    films = [[noisy(some_picture(seed), 10 * seed + index) for index in range(10)] for seed in (5, 6)]

    def painted(number: int) -> list[np.ndarray]:
        session = stylizer.session()
        return [session(frame, style=("wave", "scream")[number]) for frame in films[number]]

    expected = [[picture.copy() for picture in painted(number)] for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(painted, range(2)))
    for one, other in zip(found, expected):
        assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_session_that_forgets_begins_anew(stylizer: Stylizer) -> None:
    scene = some_picture(7)
    session = stylizer.session(stability=32)
    session(scene)
    near = noisy(scene, 1)
    assert not np.array_equal(session(near), stylizer(near))
    session.forget()
    assert np.array_equal(session(near), stylizer(near))


def test_stream_of_pictures_that_change_their_size_goes_on(stylizer: Stylizer) -> None:
    session = stylizer.session()
    for picture in (some_picture(1), some_picture(1, 90, 30), some_picture(1)):
        assert session(picture).shape == picture.shape


# Files.


def test_film_is_painted_as_the_command_does_it(talkie: Path, weights: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    outcome = paint_video(talkie, tmp_path / "out.mkv", "wave", weights=weights, codec="ffv1", progress=seen.append)
    assert outcome.frames == 50 == len(frames_of(tmp_path / "out.mkv")) and not outcome.interrupted
    assert [progress.frame for progress in seen] == list(range(1, 51)) and seen[0].frames == 50
    from realtime_nst.cli.main import main

    command = ["video", talkie, "-o", tmp_path / "command.mkv", "--style", "wave", "--codec", "ffv1", "--weights", weights]
    assert main(list(map(str, command))) == 0
    for one, other in zip(frames_of(tmp_path / "out.mkv"), frames_of(tmp_path / "command.mkv"), strict=True):
        assert np.array_equal(one, other)


def test_film_that_its_caller_breaks_off_goes_on_and_gives_the_same(
    talkie: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 16)
    paint_video(talkie, tmp_path / "whole.mkv", "wave", weights=weights, codec="ffv1")

    class EnoughError(Exception):
        pass

    def enough(progress: Progress) -> None:
        if progress.frame == 40:
            raise EnoughError

    with pytest.raises(EnoughError):
        paint_video(talkie, tmp_path / "out.mkv", "wave", weights=weights, codec="ffv1", progress=enough)
    assert not (tmp_path / "out.mkv").exists()
    said, seen = list[str](), list[Progress]()
    paint_video(talkie, tmp_path / "out.mkv", "wave", weights=weights, codec="ffv1", progress=seen.append, notice=said.append)
    assert any("going on after" in text for text in said) and seen[0].frame > 16
    for one, other in zip(frames_of(tmp_path / "out.mkv"), frames_of(tmp_path / "whole.mkv"), strict=True):
        assert np.array_equal(one, other)


def test_calls_that_cannot_work_touch_nothing(talkie: Path, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "old.mp4").write_bytes(b"precious")
    with pytest.raises(SinkError, match="exists"):
        paint_video(talkie, tmp_path / "old.mp4", weights=weights)
    with pytest.raises(ValueError, match="one style, or several and the seconds for each"):
        paint_video(talkie, tmp_path / "out.mp4", ["wave", "scream"], weights=weights)
    with pytest.raises(ValueError, match=r"size=\(4, 4\)"):
        paint_video(talkie, tmp_path / "out.mp4", size=(4, 4), weights=weights)
    with pytest.raises(realtime_nst.SourceError, match="No file at"):
        paint_video(tmp_path / "gone.mp4", tmp_path / "out.mp4", weights=weights)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"] and (tmp_path / "old.mp4").read_bytes() == b"precious"
