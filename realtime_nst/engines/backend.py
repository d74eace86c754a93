"""Which engine serves this machine, at which precision; decided before Keras is imported, because it reads it once."""

import ctypes.util
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from realtime_nst.errors import BackendError

BACKENDS = ("openvino", "tensorflow", "jax")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Backend:
    """How networks run.

    Args:
        name: "openvino", "tensorflow" or "jax": a Keras backend.
        precision: "float32", "bfloat16" or "float16".
        gpu: Whether a GPU does the work.
    """

    name: str
    precision: str
    gpu: bool

    @property
    def channels_first(self) -> bool:
        """OpenVINO recognises the normalization as one operation only with channels first."""
        return self.name == "openvino"

    @property
    def dtype_policy(self) -> str:
        """Keras' name for the precision. OpenVINO rounds by itself and is given float32."""
        if self.name == "openvino" or self.precision == "float32":
            return "float32"
        return f"mixed_{self.precision}"

    def __str__(self) -> str:
        return f"{self.name}, {self.precision}, {'GPU' if self.gpu else 'processor'}"


def choose_backend(name: str = "auto", precision: str = "auto") -> Backend:
    """The backend that the user wants, or the one that suits the machine.

    Without a GPU OpenVINO is several times faster than the others; with one, TensorFlow or JAX compile for it, where they
    are installed with CUDA.

    Args:
        name: One of `BACKENDS`, or "auto".
        precision: One of `PRECISIONS`, or "auto".

    Raises:
        BackendError: It is not installed, or cannot do that precision.
        ValueError: An unknown name.
    """
    if name not in ("auto", *BACKENDS) or precision not in ("auto", *PRECISIONS):
        raise ValueError(f"backend {name!r}, precision {precision!r}: unknown.")
    if name == "auto":
        name = next((name for name in ("tensorflow", "jax") if reaches_gpu(name)), "openvino")
    gpu = reaches_gpu(name)
    if not installed(name):
        raise BackendError(f"The backend '{name}' is not installed: `pip install {name}`, or use `--backend auto`.")
    if name == "openvino":
        if precision == "float16":
            raise BackendError("OpenVINO computes in float32 or bfloat16 on a processor. Use `--precision auto`.")
        if precision == "auto":
            precision = "bfloat16" if openvino_has_bfloat16() else "float32"
        return Backend(name, precision, gpu=False)
    if precision == "auto":
        precision = "float16" if gpu else "float32"
    return Backend(name, precision, gpu)


def activate(backend: Backend) -> None:
    """Make Keras use the backend in this process.

    Raises:
        BackendError: Keras already uses another one.
    """
    os.environ["KERAS_BACKEND"] = backend.name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if backend.gpu else "3")  # 2 would report that there is no GPU as an error
    silence_telemetry()
    # Later, and on OpenVINO, nothing greets, but a show may have something to tell.
    first = backend.name != "openvino" and "keras" not in sys.modules
    needless = backend.name in ("openvino", "tensorflow")
    with greetings_silenced() if first else nullcontext(), jax_left_out() if needless else nullcontext():
        import keras

        if backend.name == "tensorflow" and keras.config.backend() == "tensorflow":
            look_for_gpus()

    if keras.config.backend() != backend.name:
        os.environ["KERAS_BACKEND"] = keras.config.backend()
        raise BackendError(f"Keras already runs on '{keras.config.backend()}' in this process; '{backend.name}' needs a new one.")
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


def installed(module: str) -> bool:
    """True if a package can be imported; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
