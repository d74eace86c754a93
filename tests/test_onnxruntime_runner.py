"""ONNX Runtime paints what OpenVINO paints; its processor stands for the devices that this machine does not have."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.engines import backend as backends
from realtime_nst.engines import onnxruntime_runner
from realtime_nst.engines.backend import Backend, choose_backend
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.recolour import RecolourEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.errors import BackendError
from realtime_nst.media.photos import read_photo
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import HOME
from realtime_nst.style.look import Look
from tests.conftest import NARROW
from tests.readback import psnr
from tests.reference import stylize_with_numpy

ORT = Backend("onnxruntime", "float32", gpu=False)
OPENVINO = Backend("openvino", "float32", gpu=False)
STAND_IN = "CPUExecutionProvider"

pytestmark = pytest.mark.usefixtures("first_start")


@pytest.fixture
def photo() -> np.ndarray:
    ramp = np.linspace(0, 220, 40)[None, :, None] + np.zeros((32, 1, 3))
    return np.clip(ramp + np.random.default_rng(3).normal(0, 20, ramp.shape), 0, 255).astype(np.uint8)


def differences(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.abs(found.astype(int) - expected.astype(int))


def test_engine_equals_the_formulas_written_in_numpy(book: StyleBook, photo: np.ndarray) -> None:
    body = book["wave"].body
    engine = build_engine(body, 40, 32, runner_for(ORT))
    for style in book.values():
        for offset in (HOME, (3.3, -7.7, 0.0)):
            expected = stylize_with_numpy(photo, style.vector, body.weights(), NARROW, offset)
            assert differences(engine(photo, style.vector, offset), expected).max() <= 1


def test_second_start_reads_the_graph_from_disk(book: StyleBook, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_engine(book["wave"].body, 40, 32, runner_for(ORT))(photo, book["wave"].vector)
    monkeypatch.setattr(onnxruntime_runner, "activate", lambda backend: pytest.fail("it was written again"))
    second = build_engine(book["wave"].body, 40, 32, runner_for(ORT))(photo, book["wave"].vector)
    assert np.array_equal(first, second)


def test_half_precision_stays_close_to_float32(book: StyleBook, photo: np.ndarray) -> None:
    style = book["wave"]
    exact, half = (
        build_engine(style.body, 40, 32, runner_for(replace(ORT, precision=precision)))(photo, style.vector)
        for precision in ("float32", "float16")
    )
    assert 45 < psnr(half, exact) < 99


def test_recolouring_and_holding_still_are_those_of_openvino() -> None:
    rng = np.random.default_rng(0)
    photo, painting = (rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(2))
    for look in (Look(0.5, 1.0), Look(1.0, 1.0), Look(0.3)):
        found, expected = (
            RecolourEngine(64, 48, runner_for(backend))(photo, painting[None], look) for backend in (ORT, OPENVINO)
        )
        assert differences(found, expected).max() <= 1 and differences(found, expected).mean() < 0.01
    stabilizers = [StabilizerEngine(64, 48, runner_for(backend)) for backend in (ORT, OPENVINO)]
    before = [None, None]
    for index in range(6):
        now = np.clip(photo + rng.normal(0, 8, photo.shape), 0, 255).astype(np.uint8)
        now[:, index : index + 4] = 255
        before = [stabilizer(now, 12.0, held) for stabilizer, held in zip(stabilizers, before)]  # type: ignore[misc]
        found, expected = (held.photo[0] for held in before)  # type: ignore[attr-defined]
        assert differences(found, expected).max() <= 1 and (found != expected).mean() < 0.002, f"frame {index}"
        assert (found != now).any() == (index > 0)


def test_command_paints_the_same_photo(tmp_path: Path, run: Callable[..., int]) -> None:
    for backend in ("onnxruntime", "openvino"):
        out = tmp_path / f"{backend}.png"
        flags = ("--backend", backend, "--precision", "float32", "--keep-colours", "--device", "cpu")
        assert run("image", "samples/coffee.jpg", "-o", out, *flags) == 0
    assert psnr(*(read_photo(tmp_path / f"{backend}.png") for backend in ("onnxruntime", "openvino"))) > 45


def test_provider_that_is_not_there_is_told() -> None:
    with pytest.raises(BackendError, match="ONNX Runtime's DmlExecutionProvider did not start"):
        onnxruntime_runner.OnnxRuntimeProgram(b"", "DmlExecutionProvider")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A GPU, by the name of the only provider that this machine has for sure."""
    monkeypatch.setattr(backends, "has_nvidia_gpu", lambda: True)
    monkeypatch.setattr(backends, "reaches_gpu", lambda name: False)
    monkeypatch.setattr(backends, "openvino_devices", lambda: {"CPU": "A processor"})
    monkeypatch.setattr(backends, "PROVIDERS", (STAND_IN,))
    return Backend("onnxruntime", "float16", gpu=True, device=STAND_IN)


def test_gpu_of_onnx_runtime_is_a_candidate_and_paints_in_half_precision(
    book: StyleBook, photo: np.ndarray, gpu: Backend
) -> None:
    chosen = choose_backend(device="gpu")
    assert chosen.name == "openvino" and chosen.candidates == (gpu,)
    assert choose_backend("onnxruntime").candidates == (ORT, gpu)
    style = book["wave"]
    exact = stylize_with_numpy(photo, style.vector, style.body.weights(), NARROW)
    assert 45 < psnr(build_engine(style.body, 40, 32, runner_for(chosen))(photo, style.vector), exact) < 90


def test_gpu_whose_half_precision_is_wrong_goes_on_in_float32(
    book: StyleBook, photo: np.ndarray, gpu: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from realtime_nst.networks import onnx_layers

    write = onnx_layers.to_onnx

    def wrong_in_half(model: Any, outputs: list[str], *, half: bool) -> bytes:
        if half:
            kernel = model.get_layer("colours").kernel
            kernel.assign(-np.asarray(kernel))
        return write(model, outputs, half=half)

    monkeypatch.setattr(onnx_layers, "to_onnx", wrong_in_half)
    style = book["wave"]
    painted = build_engine(style.body, 40, 32, runner_for(choose_backend("onnxruntime", device="gpu")))(photo, style.vector)
    assert "paints wrongly here" in caplog.text and "goes on in float32" in caplog.text
    expected = stylize_with_numpy(photo, style.vector, style.body.weights(), NARROW)
    assert differences(painted, expected).max() <= 1
