"""Networks exported by TensorFlow paint the engine's picture: SavedModel, and LiteRT in its own runtime."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.exporting.folder import export
from realtime_nst.style.style import Style
from tests.readback import psnr
from tests.test_export import NARROW, SIZES, inputs_of, made, photo_of, shipped

pytestmark = pytest.mark.skipif(os.environ["KERAS_BACKEND"] != "tensorflow", reason="TensorFlow exports these")


def painted_by_engine(style: Style, photo: np.ndarray) -> np.ndarray:
    engine = build_engine(style.body, photo.shape[1], photo.shape[0], runner_for(Backend("tensorflow", "float32", gpu=False)))
    return engine(photo, style.vector)


def by_tensorflow(file: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import tensorflow as tf

    network = tf.saved_model.load(str(file))
    return network.serve(inputs)["paintings"].numpy()[0]


def by_litert(file: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(str(file)).get_signature_runner()(**inputs)["paintings"][0]


@pytest.mark.parametrize(("half", "least"), [(False, 45.0), (True, 38.0)])
@pytest.mark.parametrize("shape", ["shipped", "with a field"])
def test_saved_model_paints_the_engines_picture_at_any_size(tmp_path: Path, shape: str, half: bool, least: float) -> None:
    style = shipped() if shape == "shipped" else made(tmp_path, NARROW)
    export([style], "saved-model", tmp_path / "out", half=half)
    for index, size in enumerate(SIZES):
        photo = photo_of(index, *size)
        found = by_tensorflow(tmp_path / "out" / style.body.name, inputs_of(style, photo))
        assert found.dtype == np.uint8 and psnr(found, painted_by_engine(style, photo)) >= least


@pytest.mark.parametrize(
    ("format", "half", "least"), [("saved-model", False, 45.0), ("saved-model", True, 38.0), ("litert", False, 45.0)]
)
def test_float_ends_are_the_same_picture_from_0_to_1(tmp_path: Path, format: str, half: bool, least: float) -> None:
    style, photo = shipped(), photo_of(0, *SIZES[0])
    export([style], format, tmp_path / "out", half=half, floats=True, size=SIZES[0])
    given = {"images": photo[None] / np.float32(255), "vectors": style.vector[None]}
    if format == "litert":
        found = by_litert(tmp_path / "out" / f"{style.body.name}.tflite", given)
    else:
        found = by_tensorflow(tmp_path / "out" / style.body.name, given)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    assert psnr(found * 255, painted_by_engine(style, photo)) >= least


@pytest.mark.parametrize(("half", "least"), [(False, 45.0), (True, 38.0)])
@pytest.mark.parametrize("shape", ["shipped", "with a field"])
def test_litert_paints_the_engines_picture_at_three_sizes(tmp_path: Path, shape: str, half: bool, least: float) -> None:
    style = shipped() if shape == "shipped" else made(tmp_path, NARROW)
    for index, size in enumerate(SIZES):
        photo, folder = photo_of(index, *size), tmp_path / f"out{index}"
        export([style], "litert", folder, size=size, half=half)
        given = {"images": photo[None], "vectors": style.vector[None]}
        found = by_litert(folder / f"{style.body.name}.tflite", given)
        assert found.dtype == np.uint8 and psnr(found, painted_by_engine(style, photo)) >= least


@pytest.mark.parametrize(("format", "size"), [("saved-model", None), ("saved-model", (64, 48)), ("litert", (64, 48))])
@pytest.mark.parametrize("baked", [False, True])
def test_example_paints_the_engines_picture(tmp_path: Path, format: str, size: tuple[int, int] | None, baked: bool) -> None:
    style, folder = made(tmp_path, NARROW), tmp_path / "out"
    Image.fromarray(photo_of(0, 64, 48)).save(tmp_path / "photo.png")
    export([style], format, folder, size=size, baked=baked)
    assert len((folder / "example.py").read_text().splitlines()) <= 20
    command = [sys.executable, str(folder / "example.py"), str(tmp_path / "photo.png"), str(tmp_path / "painted.png")]
    subprocess.run(command, check=True, cwd="/")
    with Image.open(tmp_path / "painted.png") as painted:
        assert psnr(np.asarray(painted), painted_by_engine(style, photo_of(0, 64, 48))) >= 45
