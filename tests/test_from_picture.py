"""Any picture is a style: what the encoder sees of it, what it is called, and where its path stands for a name."""

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst import Stylizer, paint_video
from realtime_nst.cli.main import main
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.runner import runner_for
from realtime_nst.errors import SinkError, StyleError
from realtime_nst.media.photos import read_reduced
from realtime_nst.style.book import StyleBook
from realtime_nst.style.encoder import Encoder, read_encoder, write_encoder
from realtime_nst.style.from_picture import style_name
from realtime_nst.style.schedule import read_path
from realtime_nst.style.style import read_body, read_style, write_style
from tests.conftest import frames_of, narrow_body, one_line, pictured_book, random_encoder, random_vector

Run = Callable[..., int]


def picture(path: Path, seed: int = 0, width: int = 60, height: int = 50) -> Path:
    """A picture that is like no other, in large blocks."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST).save(path)
    return path


def encode_openvino() -> PictureEncoder:
    return PictureEncoder(lambda: runner_for(Backend("openvino", "float32", gpu=False)))


@pytest.fixture
def pictures(pictured: Path) -> StyleBook:
    """Styles by name and by picture."""
    return pictured_book(pictured)


@pytest.fixture
def paint(pictured: Path) -> Run:
    """Run a command where pictures are styles."""
    return lambda *arguments: main([*map(str, arguments), "--weights", str(pictured)])


def encoder_of(folder: Path) -> Encoder:
    encoder = read_encoder(read_body(folder / "narrow.body.h5"))
    assert encoder is not None
    return encoder


# What the encoder sees.


def test_a_picture_is_read_upright_on_white_at_the_size_that_the_encoder_knows(tmp_path: Path) -> None:
    turned, clear = tmp_path / "turned.jpg", tmp_path / "clear.png"
    half = np.zeros((400, 800, 3), np.uint8)
    half[:, 400:] = 200, 30, 30
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(half).save(turned, exif=exif, quality=95)
    seen = read_reduced(turned, 192, longest=3.0, least=32)
    assert seen.shape == (384, 192, 3) and seen[30].max() < 8 and np.abs(seen[-30].astype(int) - (200, 30, 30)).max() < 8
    Image.new("RGBA", (50, 40), (0, 0, 255, 0)).save(clear)
    assert (read_reduced(clear, 64, longest=3.0, least=32) == 255).all()


@pytest.mark.parametrize(("width", "height"), [(900, 50), (50, 900)])
def test_of_a_long_picture_the_middle_counts(tmp_path: Path, width: int, height: int) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 2 - 25 : height // 2 + 25, width // 2 - 25 : width // 2 + 25] = 255
    Image.fromarray(pixels).save(tmp_path / "long.png")
    seen = read_reduced(tmp_path / "long.png", 100, longest=3.0, least=32)
    assert sorted(seen.shape[:2]) == [100, 300]
    assert 0.3 < seen.mean() / 255 < 0.36 and seen[seen.shape[0] // 2, seen.shape[1] // 2].min() == 255


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path: Path) -> None:
    path = picture(tmp_path / "large.jpg", width=2800, height=2400)
    whole = Image.open(path).convert("RGB").resize((448, 384), Image.Resampling.BICUBIC)
    seen = read_reduced(path, 384, longest=3.0, least=32)
    assert seen.shape == (384, 448, 3) and np.abs(seen.astype(int) - np.asarray(whole)).mean() < 2


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA", "animated"])
def test_pictures_of_any_kind_are_styles(
    pictures: StyleBook, tmp_path: Path, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    path = tmp_path / f"some.{'gif' if mode == 'animated' else 'jpg' if mode == 'CMYK' else 'png'}"
    if mode == "animated":
        frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    elif mode == "I;16":
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(pixels).convert(mode).save(path)
    with caplog.at_level(logging.WARNING):
        style = pictures[str(path)]
    assert style.name == "some" and np.isfinite(style.vector).all() and not caplog.messages


# The vector.


def test_vector_is_that_of_the_network_and_the_same_after_another_start(pictured: Path, tmp_path: Path) -> None:
    encoder, encode = encoder_of(pictured), encode_openvino()
    wide, high = (
        read_reduced(picture(tmp_path / f"{a}.png", 1, a, b), 384, longest=3, least=32) for a, b in ((90, 60), (60, 90))
    )
    vectors = [encode(encoder, seen) for seen in (wide, high, wide)]
    assert vectors[0].dtype == np.float32 and vectors[0].shape == (encoder.vector_size,)
    assert np.array_equal(vectors[0], vectors[2]) and np.abs(vectors[0] - vectors[1]).max() > 1e-3
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from tests.test_from_picture import encode_openvino, encoder_of, read_reduced\n"
        "seen = read_reduced(Path(sys.argv[2]), 384, longest=3, least=32)\n"
        "np.save(sys.argv[3], encode_openvino()(encoder_of(Path(sys.argv[1])), seen))\n"
        "assert 'keras' not in sys.modules, 'it was compiled before'\n"
    )
    kept = tmp_path / "vector.npy"
    subprocess.run([sys.executable, "-c", code, str(pictured), str(tmp_path / "90.png"), str(kept)], check=True)
    assert np.array_equal(np.load(kept), vectors[0])


def test_vector_is_computed_in_float32_whatever_the_precision(pictured: Path, tmp_path: Path) -> None:
    encoder, seen = encoder_of(pictured), read_reduced(picture(tmp_path / "a.png"), 384, longest=3, least=32)
    rounded = PictureEncoder(lambda: runner_for(Backend("openvino", "bfloat16", gpu=False)))
    assert np.array_equal(rounded(encoder, seen), encode_openvino()(encoder, seen))


# Names.


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat", "cat"),
        ("My cat, 2:3", "My cat 2 3"),
        (" ..hidden. ", "hidden"),
        ("a/b\\c\x1b[31m", "a b c [31m"),
        ("é漢", "é漢"),
        ("x" * 300, "x" * 60),
        ("***", "picture"),
    ],
)
def test_name_of_a_style_can_stand_in_a_mix_and_in_a_file_name(text: str, name: str) -> None:
    assert style_name(text) == name


def test_names_win_over_files_and_taken_ones_get_a_number(
    pictures: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wave = pictures["wave"]
    picture(tmp_path / "wave.jpg")
    (tmp_path / "wave").write_bytes((tmp_path / "wave.jpg").read_bytes())
    assert pictures["wave"] is wave
    found = pictures["wave.jpg"]
    assert found.name == "wave-2" and pictures["wave-2"] is found and list(pictures)[-1] == "wave-2"
    picture(tmp_path / "Scream.png", 1)
    assert pictures.mix("Scream.png").name == "Scream-2", "in any letters"


def test_the_same_picture_is_one_style_under_any_name(pictures: StyleBook, tmp_path: Path) -> None:
    first = pictures[str(picture(tmp_path / "a.png"))]
    assert pictures[str(picture(tmp_path / "b.png"))] is first and pictures.add_picture(tmp_path / "a.png", "other.png") is first
    assert pictures[str(picture(tmp_path / "c.png", 1))] is not first and len(pictures) == 5


def test_style_says_that_it_was_predicted_and_by_what(pictures: StyleBook, pictured: Path, tmp_path: Path) -> None:
    style = pictures[str(picture(tmp_path / "cat.png"))]
    path = write_style(pictured, style.name, style.vector, style.body, style.metadata)
    kept = read_style(path, {style.body.sha256: style.body})
    assert kept.metadata["predicted"] is True and kept.metadata["picture"] == "cat.png"
    assert kept.metadata["encoder_sha256"] == encoder_of(pictured).sha256 and np.array_equal(kept.vector, style.vector)


# Mixes.


def test_pictures_mix_by_their_paths(pictures: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = picture(tmp_path / "cat.jpg")
    mix = pictures.mix(f"{path}:0.5,wave:1.5")
    assert mix.name == "cat:0.25,wave:0.75"
    assert mix.vector == pytest.approx(0.25 * pictures["cat"].vector + 0.75 * pictures["wave"].vector, abs=1e-6)
    assert np.array_equal(StyleBook(pictures.values()).mix(mix.name).vector, mix.vector), "it can be read back by its name"
    assert pictures.mix("wave:3,~/cat.jpg").vector == pytest.approx(mix.vector, abs=1e-6)


def test_names_of_files_may_have_colons_commas_and_drives(
    pictures: StyleBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = pictures[str(picture(tmp_path / "a, b: c.png", 1))]
    assert one.name == "a b c" and pictures.mix("a, b: c.png") is one
    picture(tmp_path / "C:cat.png", 2)
    assert pictures.mix("C:cat.png:0.5,wave:0.5").name == pictures.mix("C:cat.png,wave").name == "C cat:0.5,wave:0.5"
    picture(tmp_path / "C:\\cat.png", 3)  # so Linux takes it; Windows finds it on its drive
    assert pictures.mix("C:\\cat.png:3,wave:1").name == "C cat-2:0.75,wave:0.25"
    with pytest.raises(StyleError, match=r"No picture at 'D:\\cat.png', and no style of that name"):
        pictures.mix("D:\\cat.png:0.5,wave:0.5")
    with pytest.raises(StyleError, match=r"'D:/cat.png:x' has no usable weight"):
        pictures.mix("D:/cat.png:x,wave:0.5")


def test_styles_one_after_another_may_be_pictures(pictures: StyleBook, tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{seed}.png", seed) for seed in (1, 2)]
    path = read_path(pictures, f"{paths[0]}, wave ,{paths[1]}", 5.0)
    assert [path.at(second).name for second in (0, 5, 10, 15)] == ["1", "wave", "2", "1"]


def test_in_a_mix_a_picture_becomes_a_style_of_the_other_ones_body(pictured: Path, tmp_path: Path) -> None:
    body = narrow_body(pictured, "another", seed=5)
    write_style(pictured, "zebra", random_vector(9), body, {})
    book = pictured_book(pictured)
    path = picture(tmp_path / "cat.png")
    assert book[str(path)].body.name == "narrow", "the first that has an encoder"
    with pytest.raises(StyleError, match=r"Put `another\.encoder\.h5` into '.*pictured'"):
        book.mix(f"{path},zebra")
    write_encoder(pictured, body, random_encoder(body.architecture.vector_size, 1), {})
    assert book.mix(f"{path},zebra").body.name == "another"


# What cannot be.


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tiny.png", (8, 300), r"'.*tiny.png' has 8x300 pixels; at least 32x32 were expected. Take a larger picture"),
        ("cut.png", b"cut", "cut.png' is cut short"),
        ("text.jpg", b"text", "text.jpg' is not a picture that can be read"),
        ("empty.png", b"", "empty.png' is empty"),
        ("film.png", b"film", "film.png' is a video, and a photo was expected"),
    ],
)
def test_a_picture_that_cannot_be_a_style_is_one_line(
    paint: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str], name: str, content: object, words: str
) -> None:
    path, photo = tmp_path / name, picture(tmp_path / "photo.png")
    if isinstance(content, tuple):
        picture(path, 0, *content)
    elif content == b"cut":
        path.write_bytes(photo.read_bytes()[:100])
    else:
        path.write_bytes(talkie.read_bytes() if content == b"film" else bytes(content))  # type: ignore[call-overload]
    assert paint("image", photo, "-o", tmp_path / "out.png", "--style", path) == 1
    said = one_line(capsys)
    assert re.search(words, said), said
    assert not (tmp_path / "out.png").exists()


def test_without_an_encoder_a_picture_is_told_what_is_missing(
    run: Run, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = picture(tmp_path / "photo.png")
    mix = f"{photo}:0.5,wave:0.5"  # of a body without one; the shipped one has one
    assert run("image", photo, "-o", tmp_path / "out.png", "--style", mix) == 1
    said = one_line(capsys)
    assert said.startswith("A style from a picture needs a style encoder, and there is none here. Put `narrow.encoder.h5` into ")
    assert str(weights) in said and "realtime-nst train" in said


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("wve", "No style named 'wve'. Did you mean 'wave'? Styles: "),
        ("wve", "There is no picture file of that name, either."),
        ("pics/wave.jpg", "No picture at 'pics/wave.jpg', and no style of that name. Did you mean 'wave'? Styles: "),
        ("wve:0.5,wave", "No style named 'wve'"),
    ],
)
def test_a_typo_is_told_that_it_is_neither_style_nor_file(
    paint: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], style: str, words: str
) -> None:
    photo = picture(tmp_path / "photo.png")
    assert paint("image", photo, "-o", tmp_path / "out.png", "--style", style) == 1
    assert words in one_line(capsys)


@pytest.mark.parametrize("name", ["\0", "x" * 5000, "~nobody-of-this-name/cat.jpg", "."])
def test_what_can_be_no_file_is_only_an_unknown_style(pictures: StyleBook, name: str) -> None:
    with pytest.raises(StyleError, match="No (style|picture)"):
        pictures[name]


def test_a_damaged_encoder_is_one_line(paint: Run, pictured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, encoder = picture(tmp_path / "photo.png"), pictured / "narrow.encoder.h5"
    encoder.write_bytes(encoder.read_bytes()[:3000])
    assert paint("image", photo, "-o", tmp_path / "out.png", "--style", photo) == 1
    assert "narrow.encoder.h5' is not a readable weight file" in one_line(capsys)
    assert paint("image", photo, "-o", tmp_path / "out.png", "--style", "wave") == 0, "names do not need it"


def test_a_book_of_names_only_opens_no_file(pictures: StyleBook, tmp_path: Path) -> None:
    with pytest.raises(StyleError, match=r"No style named '.*cat.png'\. Styles: mosaic, scream, wave\.$"):
        StyleBook(pictures.values()).mix(str(picture(tmp_path / "cat.png")))


# Commands and the API.


def test_photos_are_painted_in_a_picture(paint: Run, pictures: StyleBook, pictured: Path, tmp_path: Path) -> None:
    photo, cat = picture(tmp_path / "photo.png", 3), picture(tmp_path / "cat.jpg")
    precise = ("--backend", "openvino", "--precision", "float32")
    assert paint("image", photo, "-o", tmp_path / "out.png", "--style", cat, *precise) == 0
    painted = Image.open(tmp_path / "out.png")
    stylizer = Stylizer(cat, weights=pictured, backend="openvino", precision="float32")
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    assert np.array_equal(np.asarray(painted), stylizer(pixels)) and painted.info["Style"] == "cat"
    assert not np.array_equal(stylizer(pixels, "wave"), stylizer(pixels))
    mixed = Stylizer(f"{cat}:0.5,wave:0.5", weights=pictured, backend="openvino", precision="float32")
    assert np.array_equal(stylizer(pixels, "cat:0.5,wave:0.5"), mixed(pixels))


def test_films_change_from_a_picture_to_a_style(pictured: Path, tmp_path: Path, talkie: Path) -> None:
    cat = picture(tmp_path / "cat.jpg")
    each = {"weights": pictured, "codec": "ffv1", "backend": "openvino", "stability": 0.0, "follow_camera": False}
    paint_video(talkie, tmp_path / "out.mkv", style=[cat, "wave"], every=1.0, **each)
    paint_video(talkie, tmp_path / "wave.mkv", style="wave", **each)
    film, wave = frames_of(tmp_path / "out.mkv"), frames_of(tmp_path / "wave.mkv")
    assert len(film) == 50 and np.array_equal(film[30], wave[30]) and np.abs(film[5].astype(int) - wave[5]).mean() > 5


def test_a_live_show_starts_with_a_picture(paint: Run, tmp_path: Path, talkie: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cat, out = picture(tmp_path / "cat.jpg"), tmp_path / "out.mp4"
    live = ("webcam", "--camera", talkie, "--no-window", "--frames", 5, "--style", f"{cat}:0.5,wave:0.5")
    assert paint(*live, "-o", out) == 0
    assert len(frames_of(out)) >= 5 and "Recorded" in capsys.readouterr().err


def test_an_interrupted_film_goes_on_with_the_same_picture_only(pictured: Path, tmp_path: Path, talkie: Path) -> None:
    cat, out = picture(tmp_path / "cat.png"), tmp_path / "out.mkv"

    def paint(output: Path, stop: bool = False) -> None:
        def progress(done: object) -> None:
            if stop and getattr(done, "frame", 0) > 45:
                raise InterruptedError

        paint_video(
            talkie, output, style=f"{cat}:0.5,wave:0.5", weights=pictured, codec="ffv1", backend="openvino", progress=progress
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("realtime_nst.jobs.workfolder.SEGMENT_FRAMES", 20)
        with pytest.raises(InterruptedError):
            paint(out, stop=True)
        assert not out.exists()
        before = cat.read_bytes()
        picture(cat, 7)
        with pytest.raises(
            SinkError, match=r"holds frames painted otherwise \(styles \['cat:0.5,wave:0.5 .*, now \['cat:0.5,wave"
        ):
            paint(out)
        cat.write_bytes(before)
        paint(out)
        paint(tmp_path / "whole.mkv")
    resumed, whole = frames_of(out), frames_of(tmp_path / "whole.mkv")
    assert len(resumed) == 50 and all(np.array_equal(a, b) for a, b in zip(resumed, whole, strict=True))
