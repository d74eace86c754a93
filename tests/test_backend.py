"""Which engine is chosen, told without importing one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from realtime_nst.engines import backend
from realtime_nst.engines.backend import choose_backend, greetings_silenced
from realtime_nst.errors import BackendError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A machine whose GPU and packages the test decides."""
    facts: dict[str, object] = {"gpu": False, "packages": {"openvino", "tensorflow"}}
    monkeypatch.setattr(backend, "has_nvidia_gpu", lambda: facts["gpu"])
    monkeypatch.setattr(backend, "openvino_devices", lambda: {"CPU": "A processor"})
    monkeypatch.setattr(backend, "openvino_has_bfloat16", lambda: facts.get("bfloat16", False))
    monkeypatch.setattr(backend, "installed", lambda name: name in facts["packages"])  # type: ignore[operator]
    monkeypatch.setattr(backend.sys, "platform", "linux")
    monkeypatch.setattr(backend.ctypes.util, "find_library", lambda name: facts.get(name))
    return facts


def test_processor_gets_openvino_and_gpu_gets_tensorflow_in_half_precision(machine: dict[str, object]) -> None:
    assert choose_backend() == backend.Backend("openvino", "float32", gpu=False)
    machine["bfloat16"] = True
    assert choose_backend() == backend.Backend("openvino", "bfloat16", gpu=False)
    machine["gpu"] = True
    machine["packages"] = {"openvino", "tensorflow", "nvidia.cudnn"}
    chosen = choose_backend()
    assert chosen == backend.Backend("tensorflow", "float16", gpu=True)
    assert chosen.dtype_policy == "mixed_float16" and not chosen.channels_first


def test_openvino_is_given_float32_and_rounds_by_itself(machine: dict[str, object]) -> None:
    chosen = choose_backend("openvino", "bfloat16")
    assert chosen.dtype_policy == "float32" and chosen.channels_first
    with pytest.raises(BackendError, match="OpenVINO computes in float32 or bfloat16"):
        choose_backend("openvino", "float16")


def test_tensorflow_on_a_processor_is_float32(machine: dict[str, object]) -> None:
    assert choose_backend("tensorflow").dtype_policy == "float32"


def test_a_driver_without_cuda_for_the_framework_is_no_gpu(machine: dict[str, object]) -> None:
    machine["gpu"] = True
    assert choose_backend() == backend.Backend("openvino", "float32", gpu=False)
    assert choose_backend("tensorflow") == backend.Backend("tensorflow", "float32", gpu=False)
    machine["cudnn"] = "libcudnn.so.9"  # of the system
    assert choose_backend("tensorflow").gpu
    machine["packages"] = {"openvino", "tensorflow", "jax", "jax_cuda13_plugin"}
    del machine["cudnn"]
    assert choose_backend() == backend.Backend("jax", "float16", gpu=True)
    machine["gpu"] = False
    assert choose_backend() == backend.Backend("openvino", "float32", gpu=False)


def test_missing_backend_is_told_with_its_cure(machine: dict[str, object]) -> None:
    with pytest.raises(BackendError, match="The backend 'jax' is not installed: `pip install jax`"):
        choose_backend("jax")


def test_onnx_runtime_needs_two_packages_and_is_float32_on_a_processor(machine: dict[str, object]) -> None:
    machine["packages"] = {"openvino", "onnxruntime"}
    with pytest.raises(BackendError, match=r"'onnxruntime' is not installed: `pip install 'realtime-nst\[onnxruntime\]'`"):
        choose_backend("onnxruntime")
    machine["packages"] = {"openvino", "onnxruntime", "onnx"}
    chosen = choose_backend("onnxruntime")
    assert (chosen.keras, chosen.precision, chosen.dtype_policy, chosen.channels_first) == (
        "openvino",
        "float32",
        "float32",
        True,
    )
    with pytest.raises(BackendError, match="ONNX Runtime computes in float32 on a processor"):
        choose_backend("onnxruntime", "float16")


def test_processor_is_used_beside_a_gpu_where_it_is_asked_for(
    machine: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine["gpu"] = True
    machine["packages"] = {"openvino", "tensorflow", "nvidia.cudnn"}
    assert choose_backend(device="gpu") == backend.Backend("tensorflow", "float16", gpu=True)
    assert choose_backend(device="cpu") == backend.Backend("openvino", "float32", gpu=False)
    assert choose_backend("tensorflow", device="cpu") == backend.Backend("tensorflow", "float32", gpu=False)
    with pytest.raises(BackendError, match="'tensorflow' reaches no NPU here"):
        choose_backend("tensorflow", device="npu")


def test_unknown_names_are_mistakes_of_the_caller(machine: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        choose_backend("caffe")


def test_another_backend_in_the_same_process_is_refused() -> None:
    code = (
        "import os; os.environ['KERAS_BACKEND'] = 'openvino'; import keras\n"
        "from realtime_nst.engines.backend import Backend, activate\n"
        "from realtime_nst.errors import BackendError\n"
        "try: activate(Backend('tensorflow', 'float32', False))\n"
        "except BackendError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Keras already runs on 'openvino' in this process" in done.stdout, done.stderr


def test_tensorflow_comes_without_its_greetings() -> None:
    start = "import realtime_nst.engines.backend as b; b.activate(b.Backend('tensorflow', 'float32', gpu=False)); import keras"
    code = f"{start}; keras.ops.ones(1); print(keras.config.backend())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("tensorflow\n", "")


def test_words_of_a_failed_import_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with greetings_silenced():
        os.write(2, b"hello\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), greetings_silenced():
        os.write(2, b"no such symbol\n")
        raise ImportError
    assert capfd.readouterr().err == "no such symbol\n"
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_a_show_tells_while_a_size_compiles_is_seen(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def told() -> Iterator[None]:
        os.write(2, b"the stream broke off\n")
        yield

    monkeypatch.setattr(backend, "jax_left_out", told)
    backend.activate(backend.Backend("openvino", "float32", gpu=False))
    assert capfd.readouterr().err == "the stream broke off\n"


def test_openvino_does_not_load_jax() -> None:
    code = (
        "import sys; from realtime_nst.engines.backend import Backend, activate\n"
        "activate(Backend('openvino', 'float32', False)); import keras.callbacks\n"
        "assert 'keras' in sys.modules and 'jax' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
