"""The network in each format: ONNX, OpenVINO, TensorFlow's SavedModel, LiteRT; and in the first two its style encoder.

ONNX is written by `networks/onnx_layers.py`, and OpenVINO reads that; the others come from TensorFlow.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_nst.engines.backend import Backend, activate, greetings_silenced, installed, openvino_core
from realtime_nst.errors import BackendError
from realtime_nst.style.encoder import Encoder
from realtime_nst.style.field import fields_of
from realtime_nst.style.style import Body

if TYPE_CHECKING:
    import keras

RESULT = "paintings"


@dataclass(frozen=True)
class Network:
    """What is to be written.

    Args:
        body: The network.
        vector: The one style that becomes part of it; `None` makes styles an input.
        width: Width of the pictures in pixels, a multiple of 8; `None` leaves it open.
        height: Likewise.
        half: Whether it is float16 inside.
        floats: Whether pictures in and out are float32 in `[0, 1]`; else uint8.
        facts: What a file may say of itself.
    """

    body: Body
    vector: np.ndarray | None
    width: int | None
    height: int | None
    half: bool
    floats: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, np.ndarray]:
        """Inputs that are part of it, by name: the style of one, the texture field of a size."""
        vectors = {} if self.vector is None else {"vectors": self.vector[None]}
        channels = self.body.architecture.field
        return vectors | dict(fields_of(channels, self.width, self.height) if self.width and self.height else {})

    def build(self, backend: Backend) -> "keras.Model":
        """As a Keras model, before any input is part of it."""
        activate(backend)
        from realtime_nst.networks.transform import build_transform_network, set_kernels

        network = build_transform_network(self.body.architecture, width=self.width, height=self.height, uint8=not self.floats)
        set_kernels(network, self.body.weights())
        return network


def onnx_bytes(network: Network, half: bool) -> bytes:
    """The network as an ONNX file.

    Raises:
        BackendError: The package onnx is not installed.
    """
    model = network.build(writer_of_onnx())
    from realtime_nst.networks.onnx_layers import to_onnx

    return to_onnx(model, [RESULT], known=network.known, half=half, facts=network.facts)


def encoder_onnx_bytes(encoder: Encoder, floats: bool) -> bytes:
    """A style encoder as an ONNX file, for paintings of any size; it computes in float32.

    Args:
        encoder: The encoder.
        floats: Whether paintings are float32 in `[0, 1]`; else uint8.

    Raises:
        BackendError: The package onnx is not installed.
        StyleError: The encoder's weights are damaged.
    """
    activate(writer_of_onnx())
    from realtime_nst.networks.encoder import loaded_encoder
    from realtime_nst.networks.onnx_layers import to_onnx

    facts = {"sha256": encoder.sha256, "body_sha256": encoder.body.sha256}
    return to_onnx(loaded_encoder(encoder, uint8=not floats), ["vectors"], facts=facts)


def writer_of_onnx() -> Backend:
    """The backend on which models are built that become ONNX.

    Raises:
        BackendError: The package onnx is not installed.
    """
    if not installed("onnx"):
        raise BackendError("ONNX needs a package that is not installed: `pip install 'realtime-nst[export]'`.")
    return Backend("openvino", "float32", gpu=False)


def write_onnx(network: Network, path: Path) -> None:
    """One file."""
    path.write_bytes(onnx_bytes(network, network.half))


def write_encoder_onnx(encoder: Encoder, path: Path, floats: bool) -> None:
    """One file."""
    path.write_bytes(encoder_onnx_bytes(encoder, floats))


def write_openvino(network: Network, path: Path) -> None:
    """An XML file, and its numbers in a file beside it; half precision stores them so, and devices compute as they like."""
    _convert_to_openvino(onnx_bytes(network, half=False), path, network.half)


def write_encoder_openvino(encoder: Encoder, path: Path, floats: bool) -> None:
    """Likewise; in half precision, which is what it was stored in before."""
    _convert_to_openvino(encoder_onnx_bytes(encoder, floats), path, half=True)


def _convert_to_openvino(graph: bytes, path: Path, half: bool) -> None:
    import openvino

    file = path.with_suffix(".onnx")
    file.write_bytes(graph)
    openvino.save_model(openvino_core().read_model(file), path, compress_to_fp16=half)
    file.unlink()


def write_saved_model(network: Network, path: Path) -> None:
    """A folder."""
    import keras

    model = network.build(tensorflow("float16" if network.half else "float32"))
    import tensorflow as tf

    known = {name: tf.constant(array) for name, array in network.known.items()}
    inputs = {name: tensor for name, tensor in model.input.items() if name not in known}

    def paint(given: Mapping[str, Any]) -> dict[str, Any]:
        if not network.floats:
            return {RESULT: model({**given, **known})}
        paintings = model({**given, **known, "images": given["images"] * 255.0})
        return {RESULT: tf.clip_by_value(paintings / 255.0, 0.0, 1.0)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = {name: tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name) for name, tensor in inputs.items()}
    archive.add_endpoint("serve", paint, [signature])
    archive.write_out(str(path), verbose=False)


def write_litert(network: Network, path: Path) -> None:
    """One file; half precision stores numbers so, and devices compute as they like."""
    folder = path.with_suffix("")
    write_saved_model(replace(network, half=False), folder)
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if network.half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    with greetings_silenced():
        path.write_bytes(converter.convert())
    shutil.rmtree(folder)


def tensorflow(precision: str) -> Backend:
    """TensorFlow on the processor.

    Raises:
        BackendError: It is not installed.
    """
    if not installed("tensorflow"):
        raise BackendError("This format needs TensorFlow, which is not installed: `pip install tensorflow`.")
    return Backend("tensorflow", precision, gpu=False)


FORMATS: dict[str, tuple[str, Callable[[Network, Path], None]]] = {
    "onnx": (".onnx", write_onnx),
    "openvino": (".xml", write_openvino),
    "saved-model": ("", write_saved_model),
    "litert": (".tflite", write_litert),
}
"""How a name ends, and what writes it."""
ENCODERS: dict[str, Callable[[Encoder, Path, bool], None]] = {"onnx": write_encoder_onnx, "openvino": write_encoder_openvino}
"""What writes a style encoder, and whether with float ends, in the formats that have one."""
FIXED = {"litert"}
"""Formats for pictures of one size only."""
