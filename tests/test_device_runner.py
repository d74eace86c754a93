"""Which device paints: the fastest, remembered, and left as soon as it fails; told with devices that are made up."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_nst.cli.main import main
from realtime_nst.engines import backend as backends
from realtime_nst.engines import device_runner
from realtime_nst.engines.backend import Backend, choose_backend
from realtime_nst.engines.cache import cache_folder
from realtime_nst.engines.device_runner import DeviceRunner
from realtime_nst.engines.engine import build_engine
from realtime_nst.engines.openvino_runner import OpenVINORunner
from realtime_nst.engines.runner import RUNNERS, runner_for
from realtime_nst.errors import BackendError
from realtime_nst.live.doctor import check_devices
from realtime_nst.style.book import StyleBook
from tests.conftest import frames_of, one_line

PROCESSOR = Backend("openvino", "float32", gpu=False)
GPU = Backend("openvino", "float16", gpu=True, device="GPU")
NPU = Backend("openvino", "float16", gpu=False, device="NPU")
FACTS = ("network", 32, 24)


class Device:
    """Takes no network's measure: it gives the picture darkened by one, as the processor does.

    Args:
        takes: Seconds for a frame.
        compiles: Whether it compiles.
        lasts: Frames until it breaks.
        wrong: Whether half precision comes out black.
    """

    in_strips = False

    def __init__(self, takes: float = 0.0, compiles: bool = True, lasts: int | None = None, wrong: bool = False) -> None:
        self.takes, self.compiles, self.lasts, self.wrong = takes, compiles, lasts, wrong
        self.compiled = self.frames = 0
        self.precision = ""

    def using(self, backend: Backend) -> "Device":
        self.precision = backend.precision
        return self

    def compile(self, build: Callable[[], Any], *facts: object, float32: bool = False) -> Any:
        self.compiled += 1
        if not self.compiles:
            raise RuntimeError("clBuildProgram says no.\nand much more")
        return Painted(self, self.precision)

    def upload(self, array: np.ndarray) -> np.ndarray:
        return array

    download = upload


class Painted:
    def __init__(self, device: Device, precision: str) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {"images": (1, 24, 32, 3), "vectors": (1, 5)}
        self._device, self._black = device, device.wrong and precision == "float16"

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        self._device.frames += 1
        if self._device.lasts is not None and self._device.frames > self._device.lasts:
            raise RuntimeError("the driver was reset")
        time.sleep(self._device.takes)
        return (np.zeros_like(inputs["images"]) if self._black else inputs["images"] // 2,)


def runner_of(devices: dict[str, Device], *candidates: Backend) -> DeviceRunner:
    return DeviceRunner(candidates, PROCESSOR, lambda backend: devices[backend.device].using(backend))  # type: ignore[arg-type, return-value]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(device_runner, "MEASURED_FOR", 0.02)
    caplog.set_level(logging.WARNING)


def picture() -> dict[str, np.ndarray]:
    return {"images": np.full((1, 24, 32, 3), 100, np.uint8), "vectors": np.zeros((1, 5), np.float32)}


def compile_network(runner: DeviceRunner) -> Any:
    return runner.compile(lambda: None, *FACTS)


@pytest.mark.parametrize(("slow", "fast"), [("CPU", "GPU"), ("GPU", "CPU"), ("CPU", "NPU")])
def test_fastest_device_paints_is_told_and_remembered(caplog: pytest.LogCaptureFixture, slow: str, fast: str) -> None:
    devices = {name: Device(0.02) for name in ("CPU", "GPU", "NPU")}
    devices[fast].takes = 0.0
    for start in range(2):
        runner = runner_of(devices, PROCESSOR, GPU, NPU)
        program = compile_network(runner)
        before = {name: device.frames for name, device in devices.items()}
        assert program(picture())[0].max() == 50
        assert [name for name, device in devices.items() if device.frames > before[name]] == [fast]
        said = [record.getMessage() for record in caplog.records]
        if start == 0:
            (measured,) = said
            assert "ms a frame" in measured and measured.count("float") >= 4 and slow
            caplog.clear()
            compiled = {name: device.compiled for name, device in devices.items()}
        else:
            assert not said, "measured once"
            others = {name for name in devices if name not in (fast, "CPU")}
            assert all(devices[name].compiled == compiled[name] for name in others)


def test_each_size_and_set_of_devices_is_measured_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    devices = {"CPU": Device(0.01), "GPU": Device(), "NPU": Device()}
    compile_network(runner_of(devices, PROCESSOR, GPU))
    runner_of(devices, PROCESSOR, GPU).compile(lambda: None, "network", 64, 48)
    compile_network(runner_of(devices, PROCESSOR, GPU, NPU))
    assert len(caplog.records) == 3
    assert len(json.loads((cache_folder().parent / "devices.json").read_text())) == 3


def test_one_candidate_is_not_measured() -> None:
    devices = {"CPU": Device(), "GPU": Device()}
    program = compile_network(runner_of(devices, GPU))
    assert devices["GPU"].frames == 1, "the test picture"
    assert program(picture())[0].max() == 50 and devices["GPU"].frames == 2
    assert not (cache_folder().parent / "devices.json").exists()


def test_device_that_does_not_compile_is_told_in_one_line_and_the_processor_paints(caplog: pytest.LogCaptureFixture) -> None:
    devices = {"CPU": Device(), "GPU": Device(compiles=False)}
    for candidates in ((GPU,), (PROCESSOR, GPU)):
        caplog.clear()
        runner = runner_of(devices, *candidates)
        assert compile_network(runner)(picture())[0].max() == 50
        (record,) = caplog.records
        assert record.getMessage() == "openvino, float16, GPU failed: clBuildProgram says no. The show goes on without it."
        compiled = devices["GPU"].compiled
        compile_network(runner)
        assert devices["GPU"].compiled == compiled, "it is not tried again"


def test_device_that_breaks_after_fifty_frames_is_left_and_no_frame_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    devices = {"CPU": Device(), "GPU": Device(lasts=51)}
    program = compile_network(runner_of(devices, GPU))
    for number in range(60):
        assert program(picture())[0].max() == 50
        assert len(caplog.records) == (number >= 50)
    assert "the driver was reset. The show goes on without it." in caplog.text
    assert devices["CPU"].frames == 1 + 10, "a test picture, and ten frames of the show"


def test_device_that_is_wrong_in_half_precision_goes_on_in_float32(caplog: pytest.LogCaptureFixture) -> None:
    devices = {"CPU": Device(), "GPU": Device(wrong=True)}
    program = compile_network(runner_of(devices, GPU))
    assert program(picture())[0].max() == 50
    (record,) = caplog.records
    assert "paints wrongly here" in record.getMessage() and "goes on in float32" in record.getMessage()
    assert devices["GPU"].frames == 3 and devices["CPU"].frames == 1


def test_what_is_no_number_is_wrong() -> None:
    assert device_runner.likeness(np.full(4, np.nan), np.zeros(4)) == 0.0
    assert device_runner.likeness(np.zeros(4, np.uint8), np.full(4, 255, np.uint8)) == pytest.approx(0.0)


def test_damaged_memory_of_winners_is_measured_anew(caplog: pytest.LogCaptureFixture) -> None:
    devices = {"CPU": Device(0.01), "GPU": Device()}
    for content in ("{", "[1]", '{"a": 3}'):
        caplog.clear()
        (cache_folder().parent).mkdir(parents=True, exist_ok=True)
        (cache_folder().parent / "devices.json").write_text(content)
        compile_network(runner_of(devices, PROCESSOR, GPU))
        assert len(caplog.records) == 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What OpenVINO finds, which the test decides."""
    found = {"CPU": "A processor"}
    monkeypatch.setattr(backends, "openvino_devices", lambda: found)
    monkeypatch.setattr("realtime_nst.live.doctor.openvino_devices", lambda: found)
    monkeypatch.setattr(backends, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(backends, "openvino_has_bfloat16", lambda: False)
    return found


def test_only_machines_with_several_devices_have_candidates(machine: dict[str, str]) -> None:
    assert choose_backend() == PROCESSOR and type(runner_for(choose_backend())) is OpenVINORunner
    machine |= {"GPU.0": "Graphics", "NPU": "Boost"}
    chosen = choose_backend()
    gpu = Backend("openvino", "float16", gpu=True, device="GPU.0")
    assert chosen == Backend("openvino", "float32", gpu=False, candidates=(PROCESSOR, gpu, NPU))
    assert str(chosen) == "openvino, float32, processor or openvino, float16, GPU.0 or openvino, float16, NPU"
    assert choose_backend(device="gpu").candidates == (gpu,) and choose_backend(device="npu").candidates == (NPU,)
    assert choose_backend(device="cpu") == PROCESSOR
    assert choose_backend(precision="bfloat16") == Backend("openvino", "bfloat16", gpu=False)
    assert [candidate.precision for candidate in choose_backend(precision="float32").candidates] == ["float32"] * 3
    assert choose_backend(precision="float16").candidates == (gpu, NPU)
    assert check_devices().words == "CPU 'A processor', GPU.0 'Graphics', NPU 'Boost'"


def test_device_that_is_not_there_is_told(machine: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for device in ("gpu", "npu"):
        with pytest.raises(BackendError, match=f"No {device.upper()} that openvino or onnxruntime can use was found"):
            choose_backend(device=device)
    with pytest.raises(BackendError, match="'tensorflow' reaches no GPU here"):
        choose_backend("tensorflow", device="gpu")
    assert main(["image", "samples/palace.jpg", "-o", "never.png", "--device", "npu"]) == 1
    assert "`--device auto` takes what there is" in one_line(capsys)


class Broken(OpenVINORunner):
    """Graphics that paint as the processor does, and break after so many frames."""

    def __init__(self, lasts: int, backend: Backend) -> None:
        super().__init__(Backend("openvino", "float32", gpu=False))
        self._left = lasts if backend.device == "GPU" else 10**9

    def compile(self, build: Callable[[], Any], *facts: object, float32: bool = False) -> Any:
        program = super().compile(build, *facts, float32=float32)

        def call(inputs: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
            self._left -= 1
            if self._left < 0:
                raise RuntimeError("the driver was reset")
            return program(inputs)

        call.shapes = program.shapes  # type: ignore[attr-defined]
        return call


def test_show_goes_on_when_its_device_breaks(
    tmp_path: Path,
    run: Callable[..., int],
    machine: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine["GPU"] = "Graphics"
    monkeypatch.setitem(RUNNERS, "openvino", partial(Broken, 53))
    show = ("webcam", "--camera", "pattern", "--size", "96x64", "--no-window", "--frames", 60, "--device", "gpu")
    assert run(*show, "--stability", 0, "-o", tmp_path / "show.mp4") == 0
    said = [record.getMessage() for record in caplog.records]
    assert said == ["openvino, float16, GPU failed: the driver was reset. The show goes on without it."]
    assert len(frames_of(tmp_path / "show.mp4")) >= 60


def test_engine_on_a_device_paints_what_the_processor_paints(
    book: StyleBook, machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    expected = build_engine(book["wave"].body, 32, 24, runner_for(PROCESSOR))(photo, book["wave"].vector)
    machine["GPU"] = "Graphics"
    monkeypatch.setitem(RUNNERS, "openvino", partial(Broken, 10**9))
    found = build_engine(book["wave"].body, 32, 24, runner_for(choose_backend(device="gpu")))(photo, book["wave"].vector)
    assert np.array_equal(found, expected)
