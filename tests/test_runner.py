"""Runners: one for each backend, and what a program of OpenVINO's promises of its arrays."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from realtime_nst.engines.backend import BACKENDS, Backend
from realtime_nst.engines.cache import cache_folder
from realtime_nst.engines.openvino_runner import compile_network, options_of
from realtime_nst.engines.runner import RUNNERS, runner_for

if TYPE_CHECKING:
    import keras

pytestmark = pytest.mark.usefixtures("first_start")


def build_sums() -> "keras.Model":
    """A model of two inputs and two outputs of different shapes and types."""
    import keras

    class Sums(keras.layers.Layer):
        def call(self, inputs: list[object]) -> tuple[object, object]:
            pixels = keras.ops.cast(inputs[0], "float32") + inputs[1]
            return keras.ops.sum(pixels, axis=2), keras.ops.cast(pixels, "uint8")

    inputs = {"pixels": keras.Input((8, 16), dtype="uint8", name="pixels"), "more": keras.Input((8, 1), name="more")}
    return keras.Model(inputs, Sums()(list(inputs.values())))


def test_every_backend_has_a_runner() -> None:
    assert tuple(RUNNERS) == BACKENDS


@pytest.mark.parametrize("flip", [False, True])
def test_program_takes_arrays_by_name_and_gives_outputs_in_their_order(flip: bool) -> None:
    program = runner_for(Backend("openvino", "float32", gpu=False)).compile(build_sums, "sums")
    assert program.shapes == {"pixels": (1, 8, 16), "more": (1, 8, 1)}
    pixels = np.random.default_rng(0).integers(0, 200, (1, 8, 16), np.uint8)[:, :, :: -1 if flip else 1]
    pixels.flags.writeable = False
    kept = []
    for number in range(4):
        sums, moved = program({"more": np.full((1, 8, 1), number, np.float32), "pixels": pixels})
        assert sums.dtype == np.float32 and moved.dtype == np.uint8
        assert np.array_equal(sums, pixels.sum(2) + 16 * number) and np.array_equal(moved, pixels + number)
        kept.append(moved)
    assert all(np.array_equal(moved, pixels + number) for number, moved in enumerate(kept)), "what is held stays"


def test_what_asks_for_float32_is_compiled_once_for_every_precision() -> None:
    for precision in ("float32", "bfloat16"):
        runner = runner_for(Backend("openvino", precision, gpu=False))
        for _ in range(2):
            runner.compile(build_sums, "sums", float32=True)
    assert len(list(cache_folder().iterdir())) == 1


def test_openvino_adds_a_bias_within_its_convolution_wherever_a_network_has_it() -> None:
    import keras

    pictures = {name: keras.Input((3, *size), name=name) for name, size in (("first", (None, None)), ("second", (16, 24)))}
    conv, leaky = keras.layers.Conv2D(8, 3, padding="same"), keras.layers.LeakyReLU(0.1)
    network = keras.Model(pictures, [keras.ops.mean(leaky(conv(picture)), axis=(2, 3)) for picture in pictures.values()])
    conv.bias.assign(np.arange(8.0))
    compiled = compile_network(network, options_of("float32"))
    parts = [str(op.get_rt_info()["layerType"].astype(str)) for op in compiled.get_runtime_model().get_ordered_ops()]
    assert parts.count("Convolution") == 2 and not {"Eltwise", "Subgraph"} & set(parts), parts

    given = {name: np.random.default_rng(0).random((1, 3, 16, 24), np.float32) for name in pictures}
    found = compiled(given)
    for index, expected in enumerate(network(given)):
        assert np.allclose(found[index], keras.ops.convert_to_numpy(expected), atol=1e-5)
