"""Kinds of live outputs, by the address or the ending of an `-o`.

A new kind is a class in a module of its own, and a line in `KINDS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import SinkError
from realtime_nst.frames import Sink
from realtime_nst.media.addresses import is_address, mask
from realtime_nst.media.results import check_output, ending
from realtime_nst.outputs.recording import LiveFileSink
from realtime_nst.outputs.streaming import FORMATS, StreamSink, check_stream


@dataclass(frozen=True)
class Kind:
    """What can be done with outputs of one kind.

    Args:
        check: Output, and whether a file may be replaced: raises a `SinkError` before any work is done where it cannot be.
        open: Output, width and height in pixels, and frames per second to a sink.
        endless: Whether somebody watches it now, as a stream, so that it must go on while no frame comes.
    """

    check: Callable[[str, bool], object]
    open: Callable[[str, int, int, Fraction], Sink]
    endless: bool


FILE = Kind(
    lambda output, overwrite: check_output(Path(output), overwrite=overwrite),
    lambda output, width, height, rate: LiveFileSink(Path(output), width, height, rate),
    endless=False,
)
STREAM = Kind(lambda output, overwrite: check_stream(output), StreamSink, endless=True)
KINDS = dict.fromkeys((".mp4", ".m4v", ".mov"), FILE) | dict.fromkeys(FORMATS, STREAM)
"""By the ending of a file, or by what stands before `://` in an address."""


def kind_of(output: str) -> Kind:
    """The kind of an output.

    Raises:
        SinkError: It has an ending, or is an address, of no known kind.
    """
    address, path, scheme = is_address(output), Path(output), output.partition("://")[0].lower()
    kind = KINDS.get(scheme if address else path.suffix.lower())
    if kind is not None:
        return kind
    known = ", ".join(name for name in KINDS if name.startswith(".") != address)
    if address:
        raise SinkError(f"'{mask(output)}' is no address for a stream: it starts with '{scheme}://'. Use {known}.")
    raise SinkError(f"'{path}' {ending(path)}; {known} were expected. Choose another name.")
