"""Kinds of live outputs, by how an `-o` begins. A new kind is a class in a module of its own, and a line in `KINDS`."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime_nst.frames import Sink
from realtime_nst.media.addresses import is_address
from realtime_nst.outputs.recording import LiveFileSink
from realtime_nst.outputs.sinks import check_video_output
from realtime_nst.outputs.streaming import FORMATS, StreamSink, check_stream


@dataclass(frozen=True)
class Kind:
    """What can be done with an output that begins in one way.

    Args:
        check: Output, and whether a file may be replaced: raises a `SinkError` before any work is done where it cannot be.
        open: Output, width and height in pixels, and frames per second to a sink.
        endless: Whether somebody watches it now, as a stream, so that it must go on while no frame comes.
    """

    check: Callable[[str, bool], object]
    open: Callable[[str, int, int, Fraction], Sink]
    endless: bool


FILE = Kind(
    lambda output, overwrite: check_video_output(Path(output), overwrite=overwrite),
    lambda output, width, height, rate: LiveFileSink(Path(output), width, height, rate),
    endless=False,
)
STREAM = Kind(lambda output, overwrite: check_stream(output), StreamSink, endless=True)
KINDS = dict.fromkeys(FORMATS, STREAM)
"""By what stands before `://`; what has none is a file."""


def kind_of(output: str) -> Kind:
    """The kind of an output; an address of no known kind is a stream's, whose check says what there is."""
    return KINDS.get(output.partition("://")[0].lower(), STREAM) if is_address(output) else FILE
