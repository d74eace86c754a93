"""What a frame costs, in counts, which no other program on the machine can change."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import LAYERS
from realtime_nst.benchmark.roofline import Machine, count_costs, least_seconds, measure_machine
from realtime_nst.engines.backend import Backend
from realtime_nst.engines.engine import WholeEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.style.architecture import Architecture
from realtime_nst.style.book import StyleBook
from realtime_nst.style.field import PARTS
from tests.conftest import NARROW

OPENVINO = Backend("openvino", "float32", gpu=False)


@pytest.fixture
def engine(book: StyleBook) -> WholeEngine:
    return WholeEngine(book["wave"].body, 256, 192, runner_for(OPENVINO))


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (192, 256, 3), np.uint8)


def test_shipped_network_multiplies_thirty_times_less_than_johnsons() -> None:
    costs = count_costs(Architecture(), 1280, 720, "bfloat16")
    total = sum(cost.multiplications for cost in costs)
    quarter, eighth = 320 * 180, 160 * 90
    by_hand = quarter * (16 * 3 * 16 + 9 * (16 * 32 + 4 * 32 * 16)) + eighth * 9 * (32 * 64 + 6 * 64 * 16)
    by_hand += quarter * 4 * 64 * 32 + 4 * quarter * (4 * 32 * 16 + 9 * 16 * 12)
    by_hand += 9 * 4 * (quarter * (32 + 2 * 16) + eighth * (64 + 3 * 16))  # the field in stem, fine blocks, down and blocks
    by_hand += quarter * (48 + 9 + 9) + 4 * (quarter + eighth)  # how plain the frame is, and the field times that
    assert total == by_hand
    scale = {"conv1": 1, "conv2": 2, "up1": 2, "up2": 1, "conv4": 1}  # of the outputs; the rest is at a quarter
    johnson = sum(
        1280 * 720 // scale.get(name, 4) ** 2 * size**2 * channels_in * channels_out
        for name, size, channels_in, channels_out, _ in LAYERS
    )
    assert total < johnson / 30
    assert sum(cost.bytes for cost in costs) < 150e6


def test_bytes_of_a_layer_are_its_features_in_and_out_its_weights_and_its_features_again_for_statistics() -> None:
    costs = {cost.name: cost.bytes for cost in count_costs(Architecture(), 64, 32, "bfloat16")}
    quarter, eighth, half = 16 * 8, 8 * 4, 32 * 16
    assert costs["block1a"] == 2 * (eighth * 64 + 2 * eighth * 16 + 9 * 64 * 16)
    assert costs["down"] == 2 * (quarter * 32 + 2 * eighth * 64 + 9 * 32 * 64)
    assert costs["colours"] == 2 * (half * 16 + half * 12 + 9 * 16 * 12), "it is not normalized"
    assert costs["frame in and out"] == 2 * 3 * 64 * 32
    assert costs["down_field"] == 2 * (eighth * 4 + eighth * 64 + 9 * 4 * 64)
    assert costs["field where it is plain"] == 2 * 3 * 64 * 32 + (4 + 2) * 4 * (quarter + eighth), "it comes in float32"


def test_other_entries_and_bodies_without_a_field_are_counted_as_they_are() -> None:
    usual, first = (count_costs(Architecture(field=field), 64, 32, "bfloat16") for field in (4, 0))
    assert [cost for cost in usual if "field" not in cost.name] == first
    wide = {cost.name: cost for cost in count_costs(Architecture(entry=8, blurred=1, field=0), 64, 32, "bfloat16")}
    assert wide["patches"].multiplications == 16 * 8 * 64 * 3 * 16
    assert wide["down_blur"].multiplications == 16 * 8 * 9 * 32 and wide["down_blur"].bytes == 2 * 2 * 16 * 8 * 32


def test_costs_grow_with_the_frame_and_the_precision() -> None:
    small, large = (count_costs(NARROW, side, side, "float32") for side in (64, 128))
    for one, four in zip(small, large):
        assert one.name == four.name and four.multiplications == 4 * one.multiplications
    half = count_costs(NARROW, 64, 64, "bfloat16")
    assert all(2 * cost.bytes == whole.bytes for cost, whole in zip(half[:-2], small[:-2])), "but for what comes in and goes out"
    assert half[-2].bytes < small[-2].bytes and half[-1] == small[-1]


def test_least_time_is_the_longer_of_calculating_and_fetching_for_every_layer() -> None:
    costs = count_costs(NARROW, 64, 64, "float32")
    calculating = least_seconds(costs, Machine(multiplications=1e6, bytes=1e30))
    assert np.isclose(calculating, sum(cost.multiplications for cost in costs) / 1e6)
    fetching = least_seconds(costs, Machine(multiplications=1e30, bytes=1e6))
    assert np.isclose(fetching, sum(cost.bytes for cost in costs) / 1e6)
    both = least_seconds(costs, Machine(multiplications=1e6, bytes=1e6))
    assert max(calculating, fetching) <= both < calculating + fetching


def test_machine_is_measured_in_sensible_numbers() -> None:
    machine = measure_machine(OPENVINO)
    assert 1e8 < machine.multiplications < 1e15
    assert 1e8 < machine.bytes < 1e14


@pytest.mark.usefixtures("first_start")
def test_graph_has_nothing_that_was_not_asked_for(book: StyleBook) -> None:
    engine = WholeEngine(book["wave"].body, 64, 48, runner_for(OPENVINO))
    compiled = engine._program._requests.queue[0].get_compiled_model()  # type: ignore[attr-defined]
    kinds = [node.get_rt_info()["layerType"].astype(str) for node in compiled.get_runtime_model().get_ops()]
    convolutions = kinds.count("Convolution") + kinds.count("Deconvolution") + kinds.count("ConvolutionBackpropData")
    assert convolutions == len(NARROW.kernel_shapes) + 1, "one more sees how plain the frame is"
    assert kinds.count("MVN") == len(NARROW.norm_channels)
    assert not {"Interpolate", "Gather", "ReduceMean", "Broadcast"} & set(kinds)
    assert kinds.count("Transpose") <= 3 + len(PARTS)


def test_frame_is_read_where_it_lies_and_painted_where_it_is_handed_on(
    engine: WholeEngine, frame: np.ndarray, book: StyleBook
) -> None:
    painted = engine(frame, book["wave"].vector)
    program: Any = engine._program
    place = program._places["images"]
    assert program._requests.queue[0].get_input_tensor(place).data.ctypes.data == frame.ctypes.data, "no copy on the way in"
    assert program._requests.queue[0].get_output_tensor(0).data.ctypes.data == painted.ctypes.data, "no copy on the way out"


def test_frames_use_the_same_memory_again(engine: WholeEngine, frame: np.ndarray, book: StyleBook) -> None:
    vector = book["wave"].vector
    addresses = {engine(frame, vector).ctypes.data for _ in range(20)}
    assert len(addresses) == 1
    engine(frame, vector)
    tracemalloc.start()
    try:
        for _ in range(20):
            engine(frame, vector)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < frame.nbytes / 2, f"{peak} bytes for a frame of {frame.nbytes}"


def test_mirrored_frame_is_copied_once_and_held_until_it_is_painted(
    engine: WholeEngine, frame: np.ndarray, book: StyleBook
) -> None:
    expected = engine(np.ascontiguousarray(frame[:, ::-1]), book["wave"].vector).copy()
    assert np.array_equal(engine(frame[:, ::-1], book["wave"].vector), expected)
