"""Memory that is used again, and never too early."""

import tracemalloc

import numpy as np

from realtime_nst.pipeline.buffers import Buffers


def test_array_that_nobody_holds_is_used_again() -> None:
    buffers = Buffers((4, 4, 3))
    first = buffers.take()
    address = first.ctypes.data
    del first
    assert buffers.take().ctypes.data == address
    assert len(buffers) == 1


def test_array_that_is_held_stays_what_it_is() -> None:
    buffers = Buffers((4, 4, 3))
    taken = [buffers.take() for _ in range(5)]
    for number, array in enumerate(taken):
        array[:] = number
    assert len(buffers) == 5 and len({array.ctypes.data for array in taken}) == 5
    assert [int(array.max()) for array in taken] == [0, 1, 2, 3, 4]


def test_view_of_an_array_holds_it() -> None:
    buffers = Buffers((4, 4, 3))
    corner = buffers.take()[:2, :2]
    corner[:] = 7
    buffers.take()[:] = 9
    assert (corner == 7).all() and len(buffers) == 2


def test_taking_allocates_nothing_once_warm() -> None:
    buffers = Buffers((256, 256, 3))
    buffers.take()
    tracemalloc.start()
    try:
        for _ in range(100):
            buffers.take()[0, 0] = 1
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
    assert isinstance(buffers.take(), np.ndarray)
