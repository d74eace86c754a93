"""The command `realtime-nst train`: flags to names, recipe and job, and errors to one line."""

import argparse
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.cli.main import build_parser, main
from realtime_nst.errors import TrainingError
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import find_styles, own_style_folder
from realtime_nst.style.encoder import write_encoder
from realtime_nst.style.style import BODY_SUFFIX, Body, read_body, write_style
from realtime_nst.train import bar, loop, trainer
from realtime_nst.train.command import (
    check_flags,
    expand_recipe,
    make_job,
    recipe_of,
    see_it,
    style_names,
    styles_of_body,
    training_backend,
)
from realtime_nst.train.job import Job
from realtime_nst.train.learner import take_step
from realtime_nst.train.loop import Progress
from realtime_nst.train.prediction import predicted
from realtime_nst.train.recipes import (
    BODY_RECIPE,
    ENCODER_RECIPE,
    FIELD_VECTOR_RECIPE,
    PAINTINGS,
    PICTURES,
    PREDICTED_RATE,
    PREDICTED_STEPS,
    VECTOR_RECIPE,
    Painting,
)
from tests.conftest import NARROW, narrow_body, random_encoder, random_vector
from tests.train.small import RECIPE, make_small

pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]
"""Keras' own, about TensorFlow's variables."""


OLD, NEW = (Body("body", Path("body.body.h5"), Architecture(field=field), "") for field in (0, 4))
"""A body of before the texture field, and one with it."""


def parse(*words: object) -> argparse.Namespace:
    """Options of `realtime-nst train a.jpg --photos photos ...`; pictures may be given instead."""
    pictures = [] if words and str(words[0]).endswith((".jpg", ".png")) else ["a.jpg"]
    return build_parser().parse_args(["train", *pictures, *map(str, words), "--photos", "photos"])


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of styles, and no others: one of the body `old`, two of the body `young`."""
    folder = tmp_path / "styles"
    old, young = narrow_body(folder, "old", 0), narrow_body(folder, "young", 1)
    for seed, (name, body) in enumerate([("arch", old), ("kelp", young), ("rust", young)]):
        write_style(folder, name, random_vector(seed), body, {})
    monkeypatch.setattr("realtime_nst.train.command.style_folders", lambda first=None: [first or folder])
    return folder


# Names.


def test_styles_are_named_after_their_files() -> None:
    assert style_names(parse("pictures/Wave.JPG.png", "--name", "wave")) == ["wave"]
    assert style_names(parse("pictures/Starry-Night.jpg", "b_2.png")) == ["starry-night", "b_2"]


def test_given_names_come_first() -> None:
    assert style_names(parse("Some Picture.jpg", "b.png", "--name", "one", "two-2")) == ["one", "two-2"]


@pytest.mark.parametrize("names", [["one"], ["one", "two", "three"]])
def test_names_must_be_as_many_as_pictures(names: list[str]) -> None:
    with pytest.raises(TrainingError, match=f"{len(names)} names for 2 pictures. Give --name one name per picture"):
        style_names(parse("a.jpg", "b.jpg", "--name", *names))


@pytest.mark.parametrize("name", ["", " ", "a b", "a,b", "a:1", "../a", "a/b", "a.b", "Wave", "_a", "é", "a\n", "x" * 61])
def test_name_that_cannot_be_a_file_or_part_of_a_mix_is_refused(name: str) -> None:
    with pytest.raises(TrainingError, match="' cannot name a style. Use small letters, digits and hyphens, 60") as caught:
        style_names(parse("a.jpg", "--name", name))
    assert f"'{name}'" in str(caught.value)


def test_file_whose_name_cannot_name_a_style_is_refused() -> None:
    said = "'my holiday' cannot name a style. Use small letters, digits and hyphens, 60 at most, as in `--name my-style`"
    with pytest.raises(TrainingError, match=said):
        style_names(parse("My Holiday.jpg"))


def test_name_given_twice_is_refused() -> None:
    with pytest.raises(TrainingError, match="A name occurs twice in wave, wave. Give --name a different one for each"):
        style_names(parse("old/wave.jpg", "new/wave.png"))


# Recipes.


def test_recipe_is_for_vectors_unless_a_body_is_new() -> None:
    assert recipe_of(parse(), OLD) == VECTOR_RECIPE and recipe_of(parse(), NEW) == FIELD_VECTOR_RECIPE
    for origin in (None, OLD, NEW):
        assert recipe_of(parse("--new-body", "mine"), origin) == BODY_RECIPE


def test_flags_change_the_recipe() -> None:
    recipe = recipe_of(parse("--steps", 7, "--batch", 2, "--size", 64, "--painting-size", 300, "--seed", 0), OLD)
    assert (recipe.steps, recipe.batch, recipe.size, recipe.painting_size, recipe.seed) == (7, 2, 64, 300, 0)
    assert (recipe.style, recipe.learning_rate) == (VECTOR_RECIPE.style, VECTOR_RECIPE.learning_rate)


def test_rate_is_that_of_the_flag() -> None:
    assert recipe_of(parse("--rate", 1e-3), OLD).learning_rate == 1e-3
    assert recipe_of(parse("--rate", 2e-3, "--new-body", "mine")) == replace(BODY_RECIPE, learning_rate=2e-3)


@pytest.mark.parametrize("rate", ["0", "-0.01", "1.5", "nan"])
def test_rate_out_of_range_is_refused(rate: str) -> None:
    with pytest.raises(TrainingError, match=rf"--rate {float(rate)} is out of range. 0\.01 is the default; try a fifth to twice"):
        recipe_of(parse("--rate", rate), OLD)


def test_scales_are_those_of_the_flag_once_each_and_in_order() -> None:
    assert recipe_of(parse("--style-scales", 4, 1, 4), OLD).style_scales == (1, 4)
    assert recipe_of(parse("--new-body", "mine", "--style-scales", 2)) == replace(BODY_RECIPE, style_scales=(2,))


@pytest.mark.parametrize("scale", ["0", "5", "1.5", "x"])
def test_scale_out_of_range_is_refused(scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse("--style-scales", scale)
    assert "--style-scales" in capsys.readouterr().err


def test_help_tells_the_numbers_of_the_recipes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "--help"])
    text = capsys.readouterr().out
    vector, body, encoder = VECTOR_RECIPE, BODY_RECIPE, ENCODER_RECIPE
    steps, rates = (
        f"{alone:g}, or {predicted:g} where a style starts as a style encoder says; {whole:g} with --new-body; "
        f"{lesson:g} with --collection alone"
        for alone, predicted, whole, lesson in (
            (vector.steps, PREDICTED_STEPS, body.steps, encoder.steps),
            (vector.learning_rate, PREDICTED_RATE, body.learning_rate, encoder.learning_rate),
        )
    )
    for words in (
        f"training steps (default: {steps})",
        f"peak learning rate (default: {rates})",
        f"({' '.join(map(str, vector.style_scales))}; {' '.join(map(str, body.style_scales))} with --new-body)",
        *(f"(default: {getattr(vector, name)})" for name in ("batch", "size", "painting_size", "seed")),
    ):
        assert words in text
    assert [getattr(vector, name) for name in ("batch", "size", "painting_size", "seed")] == [
        getattr(body, name) for name in ("batch", "size", "painting_size", "seed")
    ]


def test_flags_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(TrainingError, match="--body is for vectors on a body that is there. Leave it out, or use --from BODY"):
        check_flags(parse("--body", "old", "--new-body", "mine"))
    with pytest.raises(TrainingError, match="--paintings is for --recipe, which it was not given with. Name the pictures them"):
        expand_recipe(parse("a.jpg", "--paintings", "paintings"))


def test_time_takes_the_place_of_steps() -> None:
    recipe = recipe_of(parse("--new-body", "mine", "--minutes", 9))
    assert recipe.minutes == 9 and recipe.steps == 1_000_000
    assert recipe_of(parse("--new-body", "mine", "--minutes", 9, "--steps", 50)).steps == 50, "whichever comes first"
    rates = [recipe.rate(500, 60 * minutes) for minutes in (0, 3, 6, 9, 12)]
    assert rates[0] == pytest.approx(3e-3, rel=1e-3) and rates == sorted(rates, reverse=True)
    assert rates[3] == rates[4] == pytest.approx(0.02 * 3e-3)
    assert recipe.rate(500, 270) == pytest.approx(3e-3 * 0.51), "half of a cosine at half of the time"
    assert BODY_RECIPE.rate(500, 60) == BODY_RECIPE.rate(500), "without a time, steps alone count"


@pytest.mark.parametrize("minutes", ["0", "-1", "many", "nan"])
def test_time_out_of_range_is_a_wrong_flag(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse("--minutes", minutes)
    assert f"argument --minutes: '{minutes}' is no number of minutes from 0.01" in capsys.readouterr().err


def test_collection_of_a_new_body_goes_with_even_batches(styles: Path) -> None:
    with pytest.raises(TrainingError, match="--batch 3 with --collection: an even number was expected"):
        check_flags(parse("--collection", "paintings", "--new-body", "mine", "--batch", 3))
    options = parse("--collection", "paintings", "--new-body", "mine", "--batch", 2)
    check_flags(options)
    assert make_job(options, ["a"]).collection == Path("paintings") and make_job(parse(), ["a"]).collection is None


def test_weights_multiply_those_of_the_recipe() -> None:
    assert recipe_of(parse("--style-weight", 0.5), OLD).style == 0.5 * VECTOR_RECIPE.style
    assert recipe_of(parse("--style-weight", 3, "--new-body", "mine")).style == 3 * BODY_RECIPE.style
    assert recipe_of(parse("--stability-weight", 2), OLD).temporal == 2 * VECTOR_RECIPE.temporal
    assert recipe_of(parse("--stability-weight", 0), OLD).temporal == 0 < VECTOR_RECIPE.temporal


@pytest.mark.parametrize(
    ("flag", "weight", "tried"),
    [
        *(("style", weight, "0.3 to 3") for weight in ("0", "-1", "1000", "nan", "inf")),
        *(("stability", weight, "0 to 3") for weight in ("-1", "1000", "nan", "inf")),
    ],
)
def test_weight_out_of_range_is_refused(flag: str, weight: str, tried: str) -> None:
    with pytest.raises(TrainingError, match=f"--{flag}-weight {float(weight)} is out of range. 1 is the default; try {tried}"):
        recipe_of(parse(f"--{flag}-weight", weight), OLD)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("--steps", value) for value in ("0", "-1", "many")),
        *(("--batch", value) for value in ("0", "1.5")),
        *(("--size", value) for value in ("28", "65", "0")),
        *(("--painting-size", value) for value in ("0", "-512")),
        ("--seed", "-1"),
        ("--mixed-precision", "float8"),
    ],
)
def test_number_out_of_range_is_a_wrong_flag(flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(flag, value)
    assert caught.value.code == 2
    assert f"argument {flag}: " in capsys.readouterr().err


def test_photos_are_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["train", "a.jpg"])
    assert caught.value.code == 2
    assert "required: --photos" in capsys.readouterr().err


# Bodies.


def test_body_of_most_styles_is_the_default(styles: Path) -> None:
    book = find_styles([styles])
    assert [style.name for style in styles_of_body(book, None)] == ["kelp", "rust"]
    assert [style.name for style in styles_of_body(book, "old")] == ["arch"]


def test_unknown_body_is_reported(styles: Path) -> None:
    with pytest.raises(TrainingError, match="No body named 'elder'. Bodies: old, young. `--new-body elder` trains a new one"):
        make_job(parse("--body", "elder"), ["a"])


def test_styles_without_a_usable_body_are_reported(styles: Path) -> None:
    for path in styles.glob(f"*{BODY_SUFFIX}"):
        path.unlink()
    with pytest.raises(TrainingError, match="--new-body") as caught:
        styles_of_body(find_styles([styles]), None)
    assert "None" not in str(caught.value)


# Jobs.


def test_new_style_may_start_from_any_style_of_its_body(styles: Path, tmp_path: Path) -> None:
    job = make_job(parse("a.jpg", "--output", tmp_path, "--vgg-weights", "vgg.h5"), ["a"])
    assert job.body is not None and job.body.name == "young"
    assert job.frozen and not job.start
    assert {style.name for style in job.relatives} == {"kelp", "rust"}
    assert (job.name, job.pictures, job.photos) == ("a", {"a": Path("a.jpg")}, Path("photos"))
    assert (job.output, job.workshop, job.vgg_weights) == (tmp_path, tmp_path / "a.training", "vgg.h5")


def test_new_style_never_starts_from_itself_as_it_was_before(styles: Path) -> None:
    assert [style.name for style in make_job(parse("kelp.jpg"), ["kelp"]).relatives] == ["rust"]
    assert make_job(parse("kelp.jpg", "rust.jpg"), ["kelp", "rust"]).relatives == []


def test_new_body_can_grow_out_of_another_and_its_styles_out_of_theirs(styles: Path) -> None:
    job = make_job(parse("a.jpg", "b.jpg", "--new-body", "next", "--from", "young"), ["kelp", "brand-new"])
    assert job.body is not None and job.body.name == "young" and not job.frozen and job.name == "next"
    assert list(job.start) == ["kelp"] and np.array_equal(job.start["kelp"], find_styles([styles])["kelp"].vector)
    assert {style.name for style in job.relatives} == {"kelp", "rust"}, "for the one that is new"
    with pytest.raises(TrainingError, match="--from needs --new-body NAME"):
        check_flags(parse("--from", "young"))


def test_new_body_starts_from_nothing() -> None:
    job = make_job(parse("a.jpg", "b.jpg", "--new-body", "mine"), ["a", "b"])
    assert job.body is None and not job.start and not job.relatives
    assert job.name == "mine" and list(job.pictures) == ["a", "b"]


def test_styles_go_to_the_users_own_folder_unless_told(styles: Path) -> None:
    assert make_job(parse(), ["a"]).output == own_style_folder()


def test_long_lists_of_styles_still_make_a_folders_name(styles: Path) -> None:
    names = ["x" * 50 + str(number) for number in range(9)]
    job = make_job(parse(*(f"{name}.jpg" for name in names)), names)
    assert len(job.workshop.name) < 80 and job.workshop.name.startswith("x" * 50)


def test_pictures_are_named_after_their_files_whatever_a_shipped_style_is_called(styles: Path) -> None:
    job = make_job(parse("pictures/kiss.jpg", "Harbour.jpg"), ["kiss", "mine"])
    assert job.paintings == {"kiss": Painting("kiss"), "mine": Painting("Harbour")}
    assert job.paintings["kiss"].licence == "unknown"


def test_title_artist_and_year_describe_a_single_picture(styles: Path) -> None:
    words = ["--title", "Harbour", "--artist", "Me", "--year", "2026", "--licence", "CC0"]
    job = make_job(parse("a.jpg", *words), ["a"])
    assert (job.paintings["a"].title, job.paintings["a"].artist, job.paintings["a"].year) == ("Harbour", "Me", "2026")
    assert job.licence == "CC0"
    with pytest.raises(TrainingError, match="--title, --artist, --year with 2 pictures: one was expected. Leave them out, or"):
        make_job(parse("a.jpg", "b.jpg", *words), ["a", "b"])


@pytest.mark.parametrize(("words", "policy"), [([], "float32"), (["--mixed-precision", "bfloat16"], "mixed_bfloat16")])
def test_precision_becomes_a_policy_of_keras(styles: Path, words: list[str], policy: str) -> None:
    assert make_job(parse("a.jpg", *words), ["a"]).precision == policy


# Backends.


def test_training_runs_on_tensorflow_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND")
    assert training_backend().name == "tensorflow"
    assert training_backend().precision == "float32"


@pytest.mark.parametrize("name", ["openvino", "torch"])
def test_backend_that_cannot_train_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", name)
    with pytest.raises(TrainingError, match=f"KERAS_BACKEND={name} cannot train here. Set it to tensorflow or jax"):
        training_backend()


# The whole command.


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command said, which must be one line on the error channel."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1 and said.err.endswith("\n")
    return said.err


def test_openvino_in_the_environment_ends_the_command_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    assert main(["train", str(tmp_path / "a.jpg"), "--photos", str(tmp_path)]) == 1
    assert one_line(capsys) == "realtime-nst: KERAS_BACKEND=openvino cannot train here. Set it to tensorflow or jax.\n"


def test_missing_photos_end_the_command_with_one_line(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(pictures / "stripes.png"), "--new-body", "mine", "--photos", str(pictures / "gone")]
    assert main(["train", *words]) == 1
    assert f"No folder of photos at '{pictures / 'gone'}'." in one_line(capsys)


def test_missing_vgg_weights_end_the_command_with_one_line(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(pictures / "stripes.png"), "--new-body", "mine", "--photos", str(pictures / "photos")]
    words += ["--output", str(tmp_path), "--vgg-weights", str(tmp_path / "vgg.h5"), "--painting-size", "64"]
    assert main(["train", *words]) == 1
    expected = f"No VGG19 weights at '{tmp_path / 'vgg.h5'}'. Give the path of the file, or `--vgg-weights imagenet`."
    assert one_line(capsys) == f"realtime-nst: {expected}\n"
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize("name", ["a/b", "../young", "Young", "a b", "x" * 61])
def test_name_that_cannot_name_a_new_body_ends_the_command_with_one_line(
    name: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(pictures / "stripes.png"), "--new-body", name, "--photos", str(pictures / "photos")]
    assert main(["train", *words, "--output", str(tmp_path / "out"), "--vgg-weights", str(tmp_path / "vgg.h5")]) == 1
    said = one_line(capsys)
    assert f"'{name}' cannot name a body." in said and "as in `--new-body my-body`" in said
    assert not list(tmp_path.iterdir())


def test_unknown_body_ends_the_command_with_one_line(styles: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(pictures / "stripes.png"), "--photos", str(pictures / "photos"), "--body", "elder"]
    assert main(["train", *words]) == 1
    assert one_line(capsys).startswith("realtime-nst: No body named 'elder'. Bodies: old, young.")


@pytest.fixture
def train_small(pictures: Path, styles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command on a narrow network: one picture, into the folder `out` unless told."""
    make_small(monkeypatch)
    monkeypatch.setattr("realtime_nst.train.command.vector_recipe", lambda architecture: RECIPE)

    def run_command(*words: object) -> int:
        common = [str(pictures / "stripes.png"), "--photos", str(pictures / "photos"), "--output", str(tmp_path / "out")]
        return main(["train", *common, *map(str, words)])

    return run_command


def test_finished_command_names_its_files_and_the_next_command(
    train_small: Callable[..., int], styles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--steps", "2", "--title", "Stripes", "--artist", "Me"]
    assert train_small(*words) == 0
    said = capsys.readouterr()
    out = tmp_path / "out"
    assert f"Wrote '{out / 'stripes.weights.h5'}'.\n" in said.err and "waiting=" in said.err
    assert said.err.endswith(f"See it: `realtime-nst webcam --style stripes --weights {out}`.\n")
    style = find_styles([out, styles])["stripes"]
    assert style.body.name == "young" and style.metadata["started_from"] in ("kelp", "rust")
    assert (style.metadata["title"], style.metadata["artist"]) == ("Stripes", "Me")
    shutil.copy(out / "stripes.weights.h5", styles)
    assert train_small(*words) == 0, "the same command again, now that its own style is there"
    assert find_styles([out, styles])["stripes"].metadata == style.metadata


def test_new_style_starts_where_the_style_encoder_says_and_takes_fewer_steps(
    train_small: Callable[..., int], pictures: Path, styles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = read_body(styles / "young.body.h5")
    assert recipe_of(parse(), body).steps == RECIPE.steps
    write_encoder(styles, body, random_encoder(NARROW.vector_size), {})
    assert recipe_of(parse(), body).steps == 60, "also of the recipe that is small here"
    assert recipe_of(parse("--steps", 7), body).steps == 7 and recipe_of(parse("--minutes", 9), body).steps == 1_000_000
    assert recipe_of(parse("--new-body", "mine"), body) == BODY_RECIPE
    assert train_small("--steps", "2") == 0
    assert capsys.readouterr().err.startswith(
        "It starts where the style encoder says, and takes 2 steps. --steps changes that.\n"
    )
    style = find_styles([tmp_path / "out", styles])["stripes"]
    assert style.metadata["started_from"] == "the style encoder" and "predicted" not in style.metadata
    start = predicted({"stripes": pictures / "stripes.png"}, body, training_backend())["stripes"]
    assert 0 < np.abs(style.vector - start).max() < 0.005 < np.abs(style.vector - random_vector(1)).max(), "two small steps away"


def test_style_is_seen_where_it_is(styles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(parse("--output", styles), ["a"])
    assert see_it(job) == "See it: `realtime-nst webcam --style a`.", "where it is looked for anyway"
    monkeypatch.setattr("realtime_nst.train.command.style_folders", lambda first=None: [first] if first else [tmp_path])
    job = make_job(parse("--output", styles, "--weights", styles), ["a"])
    assert see_it(job) == f"See it: `realtime-nst webcam --style a --weights {styles}`."
    out = tmp_path / "my styles"
    job = make_job(parse("--output", out, "--weights", styles), ["a"])
    assert see_it(job) == (
        f"Copy '{styles / 'young.body.h5'}' into '{out}': a style needs its body. "
        f"See it: `realtime-nst webcam --style a --weights '{out}'`."
    )


def test_interrupted_command_saves_and_the_same_command_goes_on(
    train_small: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[int] = []

    def interrupted(*arguments: Any) -> dict[str, float]:
        steps.append(arguments[2])
        if len(steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return take_step(*arguments)

    monkeypatch.setattr(loop, "take_step", interrupted)
    assert train_small("--steps", "5") == 0
    said = capsys.readouterr().err
    workshop = tmp_path / "out" / "stripes.training"
    expected = f"Stopped after step 3 of 5 and saved in '{workshop}'. The same command goes on from there.\n"
    assert said.endswith(expected) and "Traceback" not in said and steps == [0, 1, 2]
    assert not list((tmp_path / "out").glob("*.h5"))
    assert train_small("--steps", "5") == 0
    assert steps == [0, 1, 2, 3, 4] and (tmp_path / "out" / "stripes.weights.h5").exists()


def test_bar_goes_back_with_the_run(
    train_small: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bars: list[Any] = []

    class Bar(bar.tqdm):  # type: ignore[misc]
        """A bar that can be asked."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self.seen: list[int] = []
            bars.append(self)

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            self.seen.append(self.n)
            return shown

    def run_back(job: Job, report: Callable[[Progress], None], stop: Callable[[], bool]) -> list[Path]:
        for step in (3, 4, 5, 4, 5, 6):
            report(Progress(step, 6, {"loss": 1.0}, 0.25))
        return [job.output]

    monkeypatch.setattr(bar, "tqdm", Bar)
    monkeypatch.setattr(trainer, "train", run_back)
    assert train_small() == 0
    assert bars[0].seen == [3, 4, 5, 4, 5, 6]
    assert "loss=1.000, waiting=25%" in capsys.readouterr().err


# Recipes.


def with_recipe(*words: object) -> argparse.Namespace:
    """Options of `realtime-nst train --recipe ...`, expanded; the first may be the folder of paintings."""
    folder = ["--paintings"] if words and isinstance(words[0], Path) else []
    options = build_parser().parse_args(["train", "--photos", "photos", *folder, *map(str, words)])
    expand_recipe(options)
    return options


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """An empty file per shipped style."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    for name in PAINTINGS:
        (folder / f"{PICTURES.get(name, name)}.jpg").touch()
    return folder


def test_recipe_of_a_shipped_style_finds_its_painting(paintings: Path) -> None:
    options = with_recipe(paintings, "--recipe", "wave", "scream")
    assert options.pictures == [paintings / "great-wave.jpg", paintings / "scream.jpg"]
    assert style_names(options) == ["wave", "scream"] and options.new_body is None


def test_recipe_tells_what_the_painting_is(paintings: Path, styles: Path) -> None:
    options = with_recipe(paintings, "--recipe", "wave", "mosaic")
    assert make_job(options, style_names(options)).paintings == {name: PAINTINGS[name] for name in ("wave", "mosaic")}


def test_recipe_of_the_gallery_is_all_styles_on_a_new_body(paintings: Path) -> None:
    options = with_recipe(paintings, "--recipe", "gallery")
    assert sorted(style_names(options)) == sorted(PAINTINGS) and len(options.pictures) == len(PAINTINGS)
    assert options.new_body == "gallery" and recipe_of(options) == BODY_RECIPE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--recipe", "wvae"], "No recipe named 'wvae'. Recipes: gallery (all of them on a new body), wave, "),
        (["--recipe", "gallery", "wave"], "--recipe gallery is all shipped styles on a new body. Leave out the other names, or"),
        (["--recipe", "wave", "--name", "a"], "--recipe names the pictures itself"),
        ([], "No picture to learn. Name the file of a painting, or a shipped style with --recipe."),
    ],
)
def test_recipe_that_cannot_be_followed_is_refused(paintings: Path, words: list[str], said: str) -> None:
    folder = [paintings] if words else []
    with pytest.raises(TrainingError, match=re.escape(said)):
        with_recipe(*folder, *words)


def test_painting_of_a_recipe_that_is_not_there_is_told_by_name(paintings: Path) -> None:
    (paintings / "great-wave.jpg").unlink()
    said = r"No painting of 'wave' in .*`great-wave.jpg` was expected there. Name the file so, or leave it out of --recipe"
    with pytest.raises(TrainingError, match=said):
        with_recipe(paintings, "--recipe", "wave")
