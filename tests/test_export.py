"""Exported networks paint the engine's picture: ONNX and OpenVINO, each in what reads it. The others are in `train/`."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from realtime_nst.cli.main import main
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.encoder import PictureEncoder
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.runner import runner_for
from realtime_nst.exporting import EXPORT_FORMATS
from realtime_nst.exporting.folder import export
from realtime_nst.exporting.formats import FORMATS
from realtime_nst.exporting.receiver import RUNTIMES
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import StyleBook, find_styles
from realtime_nst.style.encoder import read_encoder, write_encoder
from realtime_nst.style.field import fields_of
from realtime_nst.style.scene import scene
from realtime_nst.style.style import Style, write_style
from tests.conftest import NARROW, NARROW_FIRST, narrow_body, one_line, random_encoder, random_vector
from tests.readback import psnr

SIZES = ((64, 48), (96, 64), (56, 88))
PHOTOS = sorted(Path("samples").glob("*.jpg"))
ENTERING = replace(NARROW, entry=8, blurred=1)


def photo_of(index: int, width: int, height: int) -> np.ndarray:
    with Image.open(PHOTOS[index]) as photo:
        return np.asarray(photo.convert("RGB").resize((width, height)))


def shipped(name: str = "wave") -> Style:
    return find_styles([Path("weights")])[name]


def made(folder: Path, architecture: Architecture) -> Style:
    body = narrow_body(folder, architecture=architecture)
    path = write_style(folder, "made", random_vector(0, architecture), body, {"title": "Made"})
    return find_styles([path.parent])["made"]


def painted_by_engine(style: Style, photo: np.ndarray) -> np.ndarray:
    engine = build_engine(style.body, photo.shape[1], photo.shape[0], runner_for(Backend("openvino", "float32", gpu=False)))
    return engine(photo, style.vector)


def by_onnxruntime(file: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {given.name: inputs[given.name] for given in session.get_inputs()})[0][0]


def by_openvino(file: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import openvino

    network = openvino.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return network({given.any_name: inputs[given.any_name] for given in network.inputs})[0][0]


def by_opencv(file: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    import cv2

    network = cv2.dnn.readNetFromONNX(str(file))
    for given in onnx.load(file).graph.input:
        network.setInput(inputs[given.name], given.name)
    return network.forward()[0]


def inputs_of(style: Style, photo: np.ndarray) -> dict[str, np.ndarray]:
    height, width = photo.shape[:2]
    return {"images": photo[None], "vectors": style.vector[None], **fields_of(style.body.architecture.field, width, height)}


@pytest.mark.parametrize(("half", "least"), [(False, 45.0), (True, 38.0)])
@pytest.mark.parametrize("architecture", [None, NARROW, ENTERING])
def test_exported_network_paints_the_engines_picture_at_any_size(
    tmp_path: Path, architecture: Architecture | None, half: bool, least: float
) -> None:
    style = made(tmp_path, architecture) if architecture else shipped()
    for format in ("onnx", "openvino"):
        export([style], format, tmp_path / format, half=half)
    file = tmp_path / "onnx" / f"{style.body.name}.onnx"
    read_by_openvino = tmp_path / "openvino" / f"{style.body.name}.xml"
    for index, size in enumerate(SIZES):
        photo = photo_of(index, *size)
        expected, inputs = painted_by_engine(style, photo), inputs_of(style, photo)
        for found in (
            by_onnxruntime(file, inputs),
            by_openvino(file, inputs),
            by_opencv(file, inputs),
            by_openvino(read_by_openvino, inputs),
        ):
            assert found.dtype == np.uint8 and found.shape == photo.shape
            assert psnr(found, expected) >= least


@pytest.mark.parametrize("half", [False, True])
def test_float_ends_are_the_same_picture_from_0_to_1(tmp_path: Path, half: bool) -> None:
    style, photo = shipped(), photo_of(1, 96, 64)
    expected, inputs = painted_by_engine(style, photo), inputs_of(style, photo)
    inputs["images"] = inputs["images"].astype(np.float32) / 255
    for format in ("onnx", "openvino"):
        export([style], format, tmp_path / format, half=half, floats=True)
    found = [by_onnxruntime(tmp_path / "onnx" / f"{style.body.name}.onnx", inputs)]
    found += [by_openvino(tmp_path / "openvino" / f"{style.body.name}.xml", inputs)]
    for painting in found:
        assert painting.dtype == np.float32 and painting.min() >= 0 and painting.max() <= 1
        assert psnr(painting * 255, expected) >= (38.0 if half else 45.0)


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("architecture", [None, NARROW, NARROW_FIRST])
def test_exported_encoder_finds_the_engines_vectors(tmp_path: Path, floats: bool, architecture: Architecture | None) -> None:
    import onnxruntime
    import openvino

    style = made(tmp_path, architecture) if architecture else shipped()
    body = style.body
    if architecture:
        write_encoder(body.path.parent, body, random_encoder(architecture.vector_size), {})
    encoder = read_encoder(body)
    assert encoder is not None and np.abs(encoder.weights()["encoder_step3/kernel"]).max() > 0.01, "it corrects"
    for format in ("onnx", "openvino"):
        export([style], format, tmp_path / format, floats=floats)
    file = tmp_path / "onnx" / f"{body.name}.encoder.onnx"
    onnx.checker.check_model(onnx.load(file), full_check=True)
    parts = encoder.path.stat().st_size + body.path.stat().st_size + scene().size
    assert file.stat().st_size < 1.05 * parts, "as in their files: its own numbers in half precision, the scene's are bytes"
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(tmp_path / "openvino" / f"{body.name}.encoder.xml", "CPU", exact)
    find = PictureEncoder(lambda: runner_for(Backend("openvino", "float32", gpu=False)))
    for index, (width, height) in enumerate(((384, 384), (385, 251), (97, 130))):
        painting = photo_of(index, width, height)
        expected = find(encoder, painting)
        given = painting[None] / np.float32(255) if floats else painting[None]
        most = 2e-3 * (np.abs(expected).max() if architecture else 1.0)  # vectors of random numbers are large
        for vectors in (session.run(None, {"paintings": given})[0], compiled({"paintings": given})[0]):
            assert vectors.dtype == np.float32 and vectors.shape == (1, len(expected))
            assert np.abs(vectors[0] - expected).max() < most and np.abs(expected).max() > 0.5


def test_encoder_goes_along_where_styles_are_an_input(tmp_path: Path, run: Callable[..., int], weights: Path) -> None:
    assert run("export", "wave", "--format", "onnx", "-o", tmp_path / "without", "--input", "float32") == 0
    text = (tmp_path / "without" / "README.md").read_text("utf-8")
    assert "encoder" not in text and "| `images` | float32 | (1, H, W, 3) | RGB in 0..1," in text
    assert main(["export", "wave", "--format", "onnx", "-o", str(tmp_path / "with")]) == 0
    assert "gallery.encoder.onnx" in (tmp_path / "with" / "README.md").read_text("utf-8")
    assert main(["export", "wave", "--baked", "--format", "onnx", "-o", str(tmp_path / "baked")]) == 0
    assert [path.name for path in (tmp_path / "baked").glob("*.onnx")] == ["wave.onnx"]


@pytest.mark.parametrize("format", ["onnx", "openvino"])
@pytest.mark.parametrize(("baked", "floats"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("architecture", [NARROW_FIRST, NARROW])
def test_example_paints_the_engines_picture(
    tmp_path: Path, format: str, floats: bool, baked: bool, architecture: Architecture
) -> None:
    style, folder = made(tmp_path, architecture), tmp_path / "out"
    Image.fromarray(photo_of(0, 64, 48)).save(tmp_path / "photo.png")
    for size in (None, (64, 48)):
        folder = tmp_path / f"out{size}"
        export([style], format, folder, size=size, baked=baked, floats=floats)
        assert {path.name for path in folder.iterdir()} >= {"README.md", "example.py"}
        assert (folder / "styles.json").exists() is not baked
        assert (folder / "field4.npy").exists() is (size is None and architecture is NARROW)
        code = (folder / "example.py").read_text()
        assert len(code.splitlines()) <= 20
        command = [sys.executable, str(folder / "example.py"), str(tmp_path / "photo.png"), str(tmp_path / "painted.png")]
        subprocess.run(command, check=True, cwd="/")
        with Image.open(tmp_path / "painted.png") as painted:
            assert psnr(np.asarray(painted), painted_by_engine(style, photo_of(0, 64, 48))) >= (45 if format == "onnx" else 30)


def test_onnx_file_is_valid_and_has_one_instance_normalization_for_each_norm(tmp_path: Path) -> None:
    style = shipped()
    export([style], "onnx", tmp_path / "out")
    export([style], "onnx", tmp_path / "small", half=True)
    model = onnx.load(tmp_path / "out" / f"{style.body.name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version >= 17
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("InstanceNormalization") == len(style.body.architecture.norm_channels)
    pictures = len(model.graph.input) - 1 + len(model.graph.output)  # all but the vector come and go with channels last
    assert kinds.count("Transpose") == pictures, "channels first inside"
    assert {prop.key: prop.value for prop in model.metadata_props}["sha256"] == style.body.sha256
    sizes = [(tmp_path / folder / f"{style.body.name}.onnx").stat().st_size for folder in ("out", "small")]
    assert sizes[1] < 0.6 * sizes[0]


def test_styles_of_the_json_are_the_vectors_to_the_last_bit(tmp_path: Path, book: StyleBook) -> None:
    export(book.values(), "onnx", tmp_path / "out", size=(64, 48))
    told = json.loads((tmp_path / "out" / "styles.json").read_text("utf-8"))
    assert told["sha256"] == book["wave"].body.sha256 and told["vector_size"] == NARROW.vector_size
    for style in book.values():
        assert np.array_equal(np.array(told["styles"][style.name]["vector"], np.float32), style.vector)
    assert told["styles"]["wave"]["title"] == "Wave"


def test_readme_says_what_goes_in_and_what_may_be_done_with_it(tmp_path: Path, run: Callable[..., int]) -> None:
    assert main(["export", "wave", "scream", "--format", "onnx", "-o", str(tmp_path / "out"), "--size", "64x48"]) == 0
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| `images` | uint8 | (1, 48, 64, 3) |" in text and f"| `vectors` | float32 | (1, {len(shipped().vector)}) |" in text
    assert "The Great Wave off Kanagawa" in text and "MIT" in text and "onnxruntime" in text
    assert run("export", "wave", "all", "--format", "onnx", "-o", tmp_path / "own") == 0
    text = (tmp_path / "own" / "README.md").read_text("utf-8")
    assert "field8" in text and "its file states no licence" in text
    told = json.loads((tmp_path / "own" / "styles.json").read_text("utf-8"))
    assert told["body"] == "narrow" and list(told["styles"]) == ["wave", "mosaic", "scream"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("wave", "scream", "--baked"), "--baked puts one style into the network, and 2 are named"),
        (("wave", "--size", "100x75"), "multiples of 8 were expected. Try 104x80"),
        ((), "'all' could be the styles of"),
        (("wave", "kiss"), "'wave' and 'kiss' have different bodies, 'narrow' and 'gallery"),
        (("nobody",), "No style named 'nobody'"),
        (("wave", "--format", "litert"), "Add it, as in --size 640x480"),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_nothing(
    tmp_path: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run("export", "--format", "onnx", "-o", tmp_path / "out", *arguments) == 1
    assert words in one_line(capsys)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    assert run("export", "wave", "--baked", "--format", "onnx", "-o", tmp_path / "out") == 0
    assert "README.md says how to use it" in capsys.readouterr().err
    before = sorted((tmp_path / "out").iterdir())
    assert run("export", "wave", "--format", "onnx", "-o", tmp_path / "out") == 1
    assert "exists, and is not an empty folder" in one_line(capsys)
    assert sorted((tmp_path / "out").iterdir()) == before and list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_missing_package_is_told_with_its_cure(
    tmp_path: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_nst.exporting.formats.installed", lambda name: False)
    assert run("export", "wave", "--format", "onnx", "-o", tmp_path / "out") == 1
    assert "pip install 'realtime-nst[export]'" in one_line(capsys)
    assert not list(tmp_path.iterdir())


def test_every_format_has_a_writer_and_a_runtime() -> None:
    assert tuple(FORMATS) == tuple(RUNTIMES) == EXPORT_FORMATS


@pytest.mark.parametrize("half", [False, True])
def test_no_node_is_there_twice_or_for_nothing(tmp_path: Path, half: bool) -> None:
    style = shipped()
    export([style], "onnx", tmp_path, half=half)
    for file in (tmp_path / f"{style.body.name}.onnx", tmp_path / f"{style.body.name}.encoder.onnx"):
        graph = onnx.shape_inference.infer_shapes(onnx.load(file)).graph
        types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info, *graph.output)}
        types |= {numbers.name: numbers.data_type for numbers in graph.initializer}
        kinds = [(node.op_type, tuple(node.input), str(sorted(map(str, node.attribute)))) for node in graph.node]
        assert len(set(kinds)) == len(kinds) > 100
        casts = [(types[node.input[0]], node.attribute[0].i) for node in graph.node if node.op_type == "Cast"]
        assert casts and all(before != after for before, after in casts)
