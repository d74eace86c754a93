"""Styles and bodies: found, checked, named and mixed."""

import logging
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

import realtime_nst.weights
from realtime_nst.errors import StyleError
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import StyleBook, find_styles, own_style_folder, style_folders
from realtime_nst.style.mixing import mix_styles
from realtime_nst.style.style import VECTOR, Body, hash_body, read_body, write_body, write_style
from realtime_nst.style.weightfile import read_arrays, read_metadata, write_weights

TINY = Architecture(patches=8, quarter=7, eighth=4, blocks=1, inner=6, fine_blocks=0, half=5)


def some_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Random kernels of a tiny body."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in TINY.kernel_shapes.items()}


def some_vector(seed: int) -> np.ndarray:
    """A random vector for a tiny body."""
    return np.random.default_rng(seed).normal(size=TINY.vector_size).astype(np.float32)


def add_body(folder: Path, name: str = "tiny", seed: int = 0) -> Body:
    """Write a tiny body."""
    return write_body(folder, name, TINY, some_arrays(seed), {"steps": 3})


def add_styles(folder: Path, body: Body, *names: str) -> None:
    """Write a style per name, each of its own vector."""
    for name in names:
        write_style(folder, name, some_vector(len(name)), body, {"title": name.title()})


@pytest.fixture
def book(tmp_path: Path) -> StyleBook:
    """Styles `wave`, `mosaic` and `scream2` of one body."""
    add_styles(tmp_path, add_body(tmp_path), "wave", "mosaic", "scream2")
    return find_styles([tmp_path])


# Finding.


def test_styles_are_found_with_what_was_written(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    write_style(tmp_path, "wave", some_vector(1), body, {"title": "The Wave", "artist": "Hokusai"})
    book = find_styles([tmp_path])
    style = book["wave"]
    assert style.name == "wave"
    assert np.array_equal(style.vector, some_vector(1)) and style.vector.dtype == np.float32
    assert style.metadata["title"] == "The Wave" and style.metadata["artist"] == "Hokusai"
    assert style.body == body and style.body.architecture == TINY
    assert style.body.metadata["steps"] == 3
    assert book.bodies == [body]


def test_styles_are_in_alphabetical_order(book: StyleBook) -> None:
    assert list(book) == ["mosaic", "scream2", "wave"]
    assert len(book) == 3
    assert "wave" in book and "starry" not in book


def test_kernels_of_a_body_come_back(tmp_path: Path) -> None:
    add_body(tmp_path, seed=4)
    weights = read_body(tmp_path / "tiny.body.h5").weights()
    assert set(weights) == set(some_arrays())
    for name, array in some_arrays(4).items():
        assert np.array_equal(weights[name], array)


def test_other_files_in_the_folder_are_let_be(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_styles(tmp_path, add_body(tmp_path), "wave")
    (tmp_path / "README.md").write_text("not a style")
    (tmp_path / "wave.h5").write_text("not a style either")
    for path in list(tmp_path.glob("*.weights.h5")):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7 notes of a Mac")
    assert list(find_styles([tmp_path])) == ["wave"]
    assert not caplog.records


def test_body_may_lie_in_another_folder_than_its_style(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "shipped").mkdir()
    body = add_body(tmp_path / "shipped")
    add_styles(tmp_path / "own", body, "mine")
    assert find_styles([tmp_path / "own", tmp_path / "shipped"])["mine"].body.path == tmp_path / "shipped" / "tiny.body.h5"


def test_first_folder_wins(tmp_path: Path) -> None:
    for seed, name in enumerate(("own", "shipped")):
        body = add_body(tmp_path / name)
        write_style(tmp_path / name, "wave", some_vector(seed), body, {})
    folders = [tmp_path / "own", tmp_path / "shipped"]
    assert np.array_equal(find_styles(folders)["wave"].vector, some_vector(0))
    assert np.array_equal(find_styles(folders[::-1])["wave"].vector, some_vector(1))


def test_two_bodies_of_one_name_are_told_apart_by_their_hash(tmp_path: Path) -> None:
    for seed, name in enumerate(("own", "shipped")):
        add_styles(tmp_path / name, add_body(tmp_path / name, "tiny", seed), f"wave-{name}")
    book = find_styles([tmp_path / "own", tmp_path / "shipped"])
    assert len(book.bodies) == 2
    for name in ("own", "shipped"):
        assert book[f"wave-{name}"].body.path.parent.name == name


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match=r"No folder of styles at '.*gone'. Name a folder that holds `\*\.weights\.h5` files"):
        find_styles([tmp_path / "gone"])


def test_folder_without_styles_is_reported(tmp_path: Path) -> None:
    add_body(tmp_path)
    with pytest.raises(StyleError, match="No styles in '.*'. Train one with `realtime-nst train`, or name their folder"):
        find_styles([tmp_path])


# Files that cannot be used.


def test_broken_style_is_left_out_with_a_warning_and_raises_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_styles(tmp_path, add_body(tmp_path), "wave", "scream")
    (tmp_path / "scream.weights.h5").write_bytes(b"cut short")
    with caplog.at_level(logging.WARNING):
        book = find_styles([tmp_path])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "scream.weights.h5' is not a readable weight file" in caplog.text
    assert list(book) == ["wave"] and len(book) == 1 and "scream" not in book
    for text in ("scream", "wave:0.5,scream:0.5"):
        with pytest.raises(StyleError, match=r"scream\.weights\.h5' is not a readable weight file"):
            book.mix(text)


def test_folder_of_broken_styles_only_can_still_say_why(tmp_path: Path) -> None:
    (tmp_path / "scream.weights.h5").write_bytes(b"cut short")
    book = find_styles([tmp_path])
    assert len(book) == 0
    with pytest.raises(StyleError, match="is not a readable weight file"):
        book["scream"]


def test_broken_body_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_styles(tmp_path, add_body(tmp_path), "wave")
    (tmp_path / "other.body.h5").write_bytes(b"cut short")
    with caplog.at_level(logging.WARNING):
        assert list(find_styles([tmp_path])) == ["wave"]
    assert "other.body.h5' is not a readable weight file" in caplog.text


def test_style_without_its_body_is_reported(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    add_styles(tmp_path, body, "wave")
    body.path.unlink()
    with pytest.raises(StyleError, match=r"a style for the body 'tiny', which is not here .* Put its `tiny\.body\.h5` into"):
        find_styles([tmp_path])["wave"]


def test_style_of_an_older_version_of_its_body_is_reported(tmp_path: Path) -> None:
    add_styles(tmp_path, add_body(tmp_path, seed=0), "wave")
    add_body(tmp_path, seed=1)
    with pytest.raises(StyleError, match="for the body 'tiny', which is not here or is another version of it"):
        find_styles([tmp_path])["wave"]


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_style_of_another_format_is_reported(tmp_path: Path, version: object) -> None:
    add_styles(tmp_path, add_body(tmp_path), "wave")
    path = tmp_path / "wave.weights.h5"
    write_weights(path, {VECTOR: some_vector(0)}, {**read_metadata(path), "format_version": version})
    with pytest.raises(StyleError, match=f"has format {version!r}; this version reads 1. Update realtime-nst, or train"):
        find_styles([tmp_path])["wave"]


@pytest.mark.parametrize(("metadata", "words"), [({"kind": "body"}, "holds a body"), ({}, "holds a stranger")])
def test_file_of_another_kind_is_reported(tmp_path: Path, metadata: dict[str, str], words: str) -> None:
    write_weights(tmp_path / "wave.weights.h5", {VECTOR: some_vector(0)}, metadata)
    with pytest.raises(StyleError, match=f"{words}; a style was expected. Check its name"):
        find_styles([tmp_path])["wave"]


def test_vector_of_another_length_is_reported(tmp_path: Path) -> None:
    add_styles(tmp_path, add_body(tmp_path), "wave")
    path = tmp_path / "wave.weights.h5"
    write_weights(path, {VECTOR: np.zeros(TINY.vector_size + 1)}, read_metadata(path))
    with pytest.raises(StyleError, match=rf"'style_vector' has shape \({TINY.vector_size + 1},\), \({TINY.vector_size},\) exp"):
        find_styles([tmp_path])["wave"]


def test_body_whose_numbers_were_changed_is_refused(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    with h5py.File(body.path, "r+") as file:
        file["stem/kernel"][0, 0, 0, 0] += 1
    with pytest.raises(StyleError, match=r"tiny\.body\.h5' is not what its own hash says; it was damaged or changed. Copy it"):
        read_body(body.path).weights()


@pytest.mark.parametrize(
    "change",
    [{"blocks": 2}, {"eighth": 8}],
)
def test_body_that_describes_another_network_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    body = add_body(tmp_path)
    write_weights(body.path, some_arrays(), {**body.metadata, "architecture": {**TINY.to_dict(), **change}})
    with pytest.raises(StyleError, match="does not fit the transform network"):
        read_body(body.path).weights()


@pytest.mark.parametrize(
    "architecture",
    [
        None,
        7,
        "wide",
        [],
        list(TINY.to_dict()),
        {},
        {"eighth": 4},
        {**TINY.to_dict(), "eighth": "4"},
        {**TINY.to_dict(), "eighth": 10**9},
    ],
    ids=str,
)
def test_body_with_a_strange_description_is_refused(tmp_path: Path, architecture: object) -> None:
    body = add_body(tmp_path)
    write_weights(body.path, some_arrays(), {**body.metadata, "architecture": architecture})
    with pytest.raises(StyleError, match="does not describe a transform network: .*Train it again"):
        read_body(body.path)


@pytest.mark.parametrize("name", ["architecture", "sha256"])
def test_body_with_half_a_description_is_refused(tmp_path: Path, name: str) -> None:
    body = add_body(tmp_path)
    write_weights(body.path, some_arrays(), {key: value for key, value in body.metadata.items() if key != name})
    with pytest.raises(StyleError, match=f"does not describe a transform network: '{name}'"):
        read_body(body.path)


# Mixing.


def test_single_name_is_the_style_itself(book: StyleBook) -> None:
    for text in ("wave", " wave ", "wave:0.3", "wave,", "wave : 7"):
        assert book.mix(text) is book["wave"]


def test_mix_is_the_weighted_mean_of_the_vectors(book: StyleBook) -> None:
    style = book.mix("wave:0.6, mosaic:0.3,scream2:0.3")
    vectors = [book[name].vector.astype(np.float64) for name in ("wave", "mosaic", "scream2")]
    assert np.allclose(style.vector, np.average(vectors, axis=0, weights=[2, 1, 1]), atol=1e-6)
    assert style.vector.dtype == np.float32 and style.vector.shape == (TINY.vector_size,)
    assert style.body == book["wave"].body
    assert style.name == style.metadata["title"] == "wave:0.6, mosaic:0.3,scream2:0.3"


def test_only_the_ratio_of_weights_counts(book: StyleBook) -> None:
    vector = book.mix("wave:0.001,mosaic:0.003").vector
    assert np.allclose(book.mix("wave:250,mosaic:750").vector, vector, atol=1e-6)


def test_names_without_weights_count_one(book: StyleBook) -> None:
    vectors = [book[name].vector for name in ("wave", "mosaic")]
    assert np.allclose(book.mix("wave,mosaic").vector, np.mean(vectors, axis=0), atol=1e-6)
    assert np.allclose(book.mix("wave,mosaic:3").vector, np.average(vectors, axis=0, weights=[1, 3]), atol=1e-6)


def test_style_mixed_with_itself_stays_as_it_is(book: StyleBook) -> None:
    assert np.allclose(book.mix("wave:0.2,wave:0.5").vector, book["wave"].vector, atol=1e-6)


def test_a_weight_of_zero_takes_a_style_out_of_a_fade(book: StyleBook) -> None:
    styles = [book["wave"], book["mosaic"]]
    assert np.array_equal(mix_styles("fade", styles, [0.0, 2.0]).vector, book["mosaic"].vector)


def test_mix_of_two_bodies_is_refused(tmp_path: Path) -> None:
    add_styles(tmp_path, add_body(tmp_path, "young", 0), "wave")
    add_styles(tmp_path, add_body(tmp_path, "old", 1), "scream")
    with pytest.raises(StyleError, match="'wave' and 'scream' cannot be mixed: they belong to the bodies 'young' and 'old'"):
        find_styles([tmp_path]).mix("wave,scream")


def test_near_name_is_suggested(book: StyleBook) -> None:
    for name in ("mosiac", "mosaix", "mosaics"):
        with pytest.raises(StyleError, match=f"No style named '{name}'. Did you mean 'mosaic'[?] Styles: mosaic, scream2, wave."):
            book.mix(name)
    with pytest.raises(StyleError, match="No style named 'mosiac'. Did you mean 'mosaic'"):
        book.mix("wave:0.5,mosiac:0.5")


def test_capitals_and_the_title_of_a_painting_name_a_style_too(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    write_style(tmp_path, "wave", some_vector(1), body, {"title": "The Great Wave"})
    write_style(tmp_path, "munch", some_vector(2), body, {"title": "The Scream"})
    write_style(tmp_path, "copy", some_vector(3), body, {"title": "The Scream"})
    book = find_styles([tmp_path])
    assert book["Wave"] is book["the great wave"] is book["wave"]
    with pytest.raises(StyleError, match="No style named 'The Scream'"):
        book["The Scream"]  # two have it


def test_file_with_capitals_and_title_with_commas_and_colons_name_a_style_too(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    write_style(tmp_path, "MyWave", some_vector(1), body, {"title": "Street, Berlin: Number 2"})
    write_style(tmp_path, "wave", some_vector(2), body, {"title": "MyOther"})
    book = find_styles([tmp_path])
    assert book["mywave"] is book["MyWave"] is book.mix("street, berlin: number 2")
    assert book.mix("mywave:1,wave").vector == pytest.approx((book["MyWave"].vector + book["wave"].vector) / 2)
    (tmp_path / "myother.weights.h5").write_text("broken")
    book = find_styles([tmp_path])
    with pytest.raises(StyleError, match="myother.weights.h5"):
        book.mix("myother")  # the title of another one, but a name is meant first


def test_far_name_lists_the_styles_without_a_guess(book: StyleBook) -> None:
    with pytest.raises(StyleError, match="No style named 'xyz'. Styles: mosaic, scream2, wave."):
        book["xyz"]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "-0.5", "0", "-0", "0.0", "1e400", "half", "", " ", "0.5:0.5"])
def test_weight_that_is_no_positive_number_is_refused(book: StyleBook, number: str) -> None:
    part = f"wave:{number}".strip()
    for text in (f"wave:{number}", f"mosaic:0.5,wave:{number}", f" wave:{number} , mosaic"):
        with pytest.raises(StyleError, match=f"'{part}' has no usable weight. Write a positive number after the colon, as in"):
            book.mix(text)


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_mix_of_nothing_is_refused(book: StyleBook, text: str) -> None:
    with pytest.raises(StyleError, match=f"No style in '{text}'. Write a name, or a mix as in `wave:0.6,scream:0.4`"):
        book.mix(text)


# Writing.


def test_style_file_names_its_body_and_format(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    path = write_style(tmp_path, "wave", some_vector(0), body, {"title": "Wave", "kind": "overruled"})
    assert path == tmp_path / "wave.weights.h5"
    expected = {"title": "Wave", "kind": "style", "format_version": 1, "body": "tiny", "body_sha256": body.sha256}
    assert read_metadata(path) == expected
    assert path.stat().st_size < 20_000


def test_vector_for_another_body_is_a_mistake(tmp_path: Path) -> None:
    body = add_body(tmp_path)
    with pytest.raises(ValueError, match=rf"vector of shape \(7,\): \({TINY.vector_size},\) was expected"):
        write_style(tmp_path, "wave", np.zeros(7, np.float32), body, {})
    assert not (tmp_path / "wave.weights.h5").exists()


def test_kernels_of_another_network_are_a_mistake(tmp_path: Path) -> None:
    arrays = some_arrays()
    arrays["stem/kernel"] = arrays["stem/kernel"][..., :2]
    with pytest.raises(ValueError, match="the kernels of Architecture.* were expected"):
        write_body(tmp_path, "tiny", TINY, arrays, {})
    del arrays["stem/kernel"]
    with pytest.raises(ValueError, match="the kernels of Architecture.* were expected"):
        write_body(tmp_path, "tiny", TINY, arrays, {})
    assert not list(tmp_path.iterdir())


def test_body_in_a_place_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "styles").write_text("a file")
    with pytest.raises(StyleError, match=r"tiny\.body\.h5' was not written: "):
        add_body(tmp_path / "styles")


def test_hash_stands_for_numbers_and_names_and_not_for_their_order(tmp_path: Path) -> None:
    arrays = some_arrays()
    known = hash_body(TINY, arrays)
    assert known == hash_body(TINY, dict(reversed(arrays.items())))
    assert known == hash_body(TINY, {name: np.asfortranarray(array.astype(">f4")) for name, array in arrays.items()})
    assert known == hash_body(TINY, read_arrays(add_body(tmp_path).path, TINY.kernel_shapes))
    nudged = {**arrays, "stem/kernel": np.nextafter(arrays["stem/kernel"], np.float32(9))}
    swapped = {**arrays, "block1a/kernel": arrays["block1b/kernel"], "block1b/kernel": arrays["block1a/kernel"]}
    wider = replace(TINY, half=6)
    assert len({known, hash_body(TINY, nudged), hash_body(TINY, swapped), hash_body(wider, arrays)}) == 4


def test_kernels_chain_from_pixels_to_colours() -> None:
    shapes = replace(TINY, field=0).kernel_shapes
    names = ("patches", "stem", "down", "block1a", "block1b", "quarter", "half", "colours")
    assert list(shapes) == [f"{name}/kernel" for name in names]
    assert [shape[:2] for shape in shapes.values()] == [(4, 4)] + [(3, 3)] * 7
    channels = [shape[2:] for shape in shapes.values()]
    assert channels[0][0] == 3 and channels[-1][1] == 2 * 2 * 3
    for (_, outputs), (inputs, _) in pairwise(channels):
        assert outputs == inputs


# Folders.


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="XDG folders are Linux's")
def test_own_styles_are_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert own_style_folder() == tmp_path / "realtime-nst" / "styles"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert own_style_folder() == tmp_path / "home" / ".local" / "share" / "realtime-nst" / "styles"


@pytest.mark.skipif(sys.platform == "win32", reason="there a user always has a home")
@pytest.mark.parametrize(
    "command", [["styles"], ["image", "samples/coffee.jpg", "-o", "out.png"], ["webcam", "--camera", "pattern"]]
)
def test_user_without_a_home_is_told_what_to_do(command: list[str], tmp_path: Path) -> None:
    words = [str(Path(__file__).parents[1] / word) if word.startswith("samples") else word for word in command]
    code = f"import os; os.getuid = lambda: 54321\nfrom realtime_nst.cli.main import main; raise SystemExit(main({words!r}))"
    environment = {
        name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith(("XDG", "REALTIME"))
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "no home folder" in done.stderr and "Set HOME" in done.stderr


def test_chosen_folder_comes_before_own_and_shipped_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_nst.style.book.own_style_folder", lambda: tmp_path / "own")
    shipped = Path(str(realtime_nst.weights.__file__)).parent
    assert style_folders() == [shipped]
    assert style_folders(tmp_path / "first") == [tmp_path / "first", shipped]
    (tmp_path / "own").mkdir()
    assert style_folders() == [tmp_path / "own", shipped]
    assert style_folders(tmp_path / "first") == [tmp_path / "first", tmp_path / "own", shipped]
