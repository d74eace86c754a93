"""Which engine serves this machine, at which precision; decided before Keras is imported, because it reads it once."""

import ctypes.util
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from realtime_nst.errors import BackendError

BACKENDS = ("openvino", "tensorflow", "jax", "onnxruntime")
PRECISIONS = ("float32", "bfloat16", "float16")
DEVICES = ("cpu", "gpu", "npu")
PROCESSOR = "CPU"
PROVIDERS = ("CUDAExecutionProvider", "TensorrtExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider")
"""Of ONNX Runtime, for GPUs; the quickest to start come first."""
MOST_AT_ONCE = 16
"""Frames painted at the same time."""


@dataclass(frozen=True)
class Backend:
    """How networks run.

    Args:
        name: One of `BACKENDS`.
        precision: "float32", "bfloat16" or "float16".
        gpu: Whether a GPU does the work.
        device: Which device, as OpenVINO names it, or a provider of ONNX Runtime; the processor is "CPU".
        at_once: How many frames are painted at the same time, each on its share of the processor: for files.
        candidates: What may run the network in its place (all else stays here), the fastest of them; it may be one itself.
    """

    name: str
    precision: str
    gpu: bool
    device: str = PROCESSOR
    at_once: int = 1
    candidates: "tuple[Backend, ...]" = ()

    @property
    def keras(self) -> str:
        """The backend of Keras that builds its models; ONNX Runtime is given what those become."""
        return "openvino" if self.name == "onnxruntime" else self.name

    @property
    def channels_first(self) -> bool:
        """OpenVINO recognises the normalization as one operation only with channels first."""
        return self.keras == "openvino"

    @property
    def dtype_policy(self) -> str:
        """Keras' name for the precision. OpenVINO and ONNX Runtime round by themselves and are given float32."""
        if self.keras == "openvino" or self.precision == "float32":
            return "float32"
        return f"mixed_{self.precision}"

    def __str__(self) -> str:
        if self.candidates:
            return " or ".join(map(str, self.candidates))
        device = self.device.removesuffix("ExecutionProvider")
        return f"{self.name}, {self.precision}, {device if device != PROCESSOR else 'GPU' if self.gpu else 'processor'}"


def choose_backend(name: str = "auto", precision: str = "auto", device: str = "auto") -> Backend:
    """The backend that the user wants, or the one that suits the machine.

    Without a GPU OpenVINO is several times faster than the others; with one by NVIDIA, TensorFlow or JAX compile for it,
    where they are installed with CUDA. Other devices that OpenVINO or ONNX Runtime find become candidates.

    Args:
        name: One of `BACKENDS`, or "auto".
        precision: One of `PRECISIONS`, or "auto".
        device: One of `DEVICES`, or "auto".

    Raises:
        BackendError: It is not installed, has no such device, or cannot do that precision.
        ValueError: An unknown name.
    """
    if name not in ("auto", *BACKENDS) or precision not in ("auto", *PRECISIONS) or device not in ("auto", *DEVICES):
        raise ValueError(f"backend {name!r}, precision {precision!r}, device {device!r}: unknown.")
    engines = ("openvino", "onnxruntime") if name == "auto" else (name,)
    if name == "auto":
        nvidia = (name for name in ("tensorflow", "jax") if device in ("auto", "gpu") and reaches_gpu(name))
        name = next(nvidia, "openvino")
    if not usable(name):
        package = "'realtime-nst[onnxruntime]'" if name == "onnxruntime" else name
        raise BackendError(f"The backend '{name}' is not installed: `pip install {package}`, or use `--backend auto`.")
    if name in ("tensorflow", "jax"):
        gpu = device != "cpu" and reaches_gpu(name)
        if device == "npu" or (device == "gpu" and not gpu):
            raise BackendError(f"The backend '{name}' reaches no {device.upper()} here. `realtime-nst doctor` lists the devices.")
        return Backend(name, ("float16" if gpu else "float32") if precision == "auto" else precision, gpu)
    found = [] if device == "cpu" else [found for engine in engines for found in candidates_of(engine, precision)]
    if device in ("gpu", "npu"):
        found = [candidate for candidate in found if candidate.gpu is (device == "gpu")]
        if not found:
            raise BackendError(
                f"No {device.upper()} that {' or '.join(engines)} can use was found. `realtime-nst doctor` lists the devices; "
                "`--device auto` takes what there is."
            )
    if precision == "float16" and found:  # which processors here do not compute in
        return replace(processor_of(name, "auto"), candidates=tuple(found))
    processor = processor_of(name, precision)
    return replace(processor, candidates=tuple(found if device != "auto" or not found else [processor, *found]))


def for_files(backend: Backend) -> Backend:
    """The same for frames that nobody waits for one by one: OpenVINO then paints one on each core of the processor.

    So small a network does not keep several cores busy with one frame.
    """
    alone = backend.name == "openvino" and backend.device == PROCESSOR and not backend.candidates
    return replace(backend, at_once=min(cores(), MOST_AT_ONCE)) if alone else backend


def cores() -> int:
    """Of the processor, those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_of(name: str, precision: str) -> Backend:
    """OpenVINO or ONNX Runtime on the processor.

    Raises:
        BackendError: It cannot do that precision.
    """
    if name == "onnxruntime" and precision in ("auto", "float32"):
        return Backend(name, "float32", gpu=False)
    if name == "onnxruntime":
        raise BackendError("ONNX Runtime computes in float32 on a processor. Use `--precision auto`.")
    if precision == "float16":
        raise BackendError("OpenVINO computes in float32 or bfloat16 on a processor. Use `--precision auto`.")
    if precision == "auto":
        precision = "bfloat16" if openvino_has_bfloat16() else "float32"
    return Backend(name, precision, gpu=False)


def candidates_of(name: str, precision: str) -> list[Backend]:
    """What OpenVINO or ONNX Runtime could compute on here beside the processor, at a precision or "auto"."""
    if precision == "bfloat16":
        return []
    precision = "float16" if precision == "auto" else precision
    devices = openvino_devices() if name == "openvino" else onnxruntime_providers()
    return [Backend(name, precision, gpu=not place.startswith("NPU"), device=place) for place in devices if place != PROCESSOR]


def openvino_devices() -> dict[str, str]:
    """Full names of all devices that OpenVINO finds, by its own short ones."""
    core = openvino_core()
    return {device: str(core.get_property(device, "FULL_DEVICE_NAME")) for device in core.available_devices}


def onnxruntime_providers() -> list[str]:
    """Providers of ONNX Runtime for GPUs here; where there can be none, it is not imported."""
    if not usable("onnxruntime") or not (has_nvidia_gpu() or sys.platform in ("win32", "darwin")):
        return []
    import onnxruntime

    there = onnxruntime.get_available_providers()
    return [provider for provider in PROVIDERS if provider in there]


def activate(backend: Backend) -> None:
    """Make Keras use the backend in this process.

    Raises:
        BackendError: Keras already uses another one.
    """
    os.environ["KERAS_BACKEND"] = backend.keras
    if not backend.gpu and reaches_gpu(backend.name):  # which is to be left alone
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if backend.gpu else "3")  # 2 would report that there is no GPU as an error
    silence_telemetry()
    # Later, and on OpenVINO, nothing greets, but a show may have something to tell.
    first = backend.keras != "openvino" and "keras" not in sys.modules
    needless = backend.keras in ("openvino", "tensorflow")
    with greetings_silenced() if first else nullcontext(), jax_left_out() if needless else nullcontext():
        import keras

        if backend.name == "tensorflow" and keras.config.backend() == "tensorflow":
            look_for_gpus()

    if keras.config.backend() != backend.keras:
        os.environ["KERAS_BACKEND"] = keras.config.backend()
        raise BackendError(
            f"Keras already runs on '{keras.config.backend()}' in this process; '{backend.keras}' needs a new one."
        )
    keras.config.set_image_data_format("channels_first" if backend.channels_first else "channels_last")
    keras.config.set_dtype_policy(backend.dtype_policy)


def look_for_gpus() -> None:
    """Let TensorFlow look for GPUs now; it would do so, and call a missing driver an error, at its first operation."""
    import tensorflow

    tensorflow.config.list_physical_devices("GPU")


@contextmanager
def greetings_silenced() -> Iterator[None]:
    """Keep what a framework's native code writes to stderr while it is loaded; shown only if that fails.

    TensorFlow greets with hints about its build before it looks at its own log level.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # a program without a stderr
        yield
        return
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(stderr, written.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def jax_left_out() -> Iterator[None]:
    """Keep Keras' callbacks from importing JAX wherever it is installed: that takes 107 MB."""
    if "jax" in sys.modules:
        yield
        return
    sys.modules["jax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["jax"]


def silence_telemetry() -> None:
    """Keep OpenVINO from reporting its use: it goes on without its telemetry package where that is not found."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def has_nvidia_gpu() -> bool:
    """True if an NVIDIA driver is at work, told without importing a framework."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return Path("/proc/driver/nvidia/version").exists() or (sys.platform == "win32" and shutil.which("nvidia-smi") is not None)


def reaches_gpu(name: str) -> bool:
    """True if a framework can put an NVIDIA GPU to work here, told without importing it.

    A driver alone is not enough: `pip install tensorflow` brings no CUDA, and would compute on the processor.
    """
    if not installed(name) or not has_nvidia_gpu():
        return False
    if name == "jax":
        return any(installed(plugin) for plugin in ("jax_cuda13_plugin", "jax_cuda12_plugin"))
    if name == "tensorflow":  # on Windows its wheels know no GPU
        return sys.platform == "linux" and (installed("nvidia.cudnn") or ctypes.util.find_library("cudnn") is not None)
    return False


def openvino_has_bfloat16() -> bool:
    """True if this processor multiplies bfloat16 itself; elsewhere it would only cost."""
    return "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def openvino_core() -> Any:
    """OpenVINO itself, once and to the end of the process.

    Its processor plugin gives the thread an alternate stack for signals and takes it along when it is unloaded,
    with the last `Core`: the next Ctrl-C would then crash.
    """
    silence_telemetry()
    import openvino

    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # an exported file is gone before its model is
    return core


def usable(name: str) -> bool:
    """True if all that a backend needs is installed."""
    return installed(name) and (name != "onnxruntime" or installed("onnx"))


def installed(module: str) -> bool:
    """True if a package can be imported; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
