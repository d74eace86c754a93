"""Sinks that keep what is painted: `SegmentSink` in a `WorkFolder`, `StreamSink` in a pipe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from realtime_nst.frames import Frame
from realtime_nst.jobs.joining import Segment
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.media.encoding import FRUGAL_FROM, FrameWriter
from realtime_nst.media.timing import FrameClock

READY = 12
"""Frames before the end of a segment at which the next encoder is started, so that nobody waits for it."""


class SegmentSink:
    """Encode frames into segments of a fixed length, each by an encoder of its own.

    While one segment is being finished, the next one is already filled; large pictures take turns instead.

    Args:
        work: Where segments are kept.
        open_writer: Opens the file of a segment.
        suffix: Ending of those files.
        clock: When frames are shown.
        length: Frames per segment.

    `last` is the tick of the last frame.
    """

    def __init__(
        self,
        work: WorkFolder,
        open_writer: Callable[[Path], FrameWriter],
        suffix: str,
        clock: FrameClock,
        length: int,
    ) -> None:
        self._work, self._open, self._suffix, self._clock = work, open_writer, suffix, clock
        self._length = length
        self._number = len(work.notes)
        self._writer: FrameWriter | None = None
        self._next: FrameWriter | None = None
        self._note: Note | None = None  # of the segment under way, if it ended here
        self._ending: tuple[FrameWriter, Note] | None = None
        self._first = self.last = 0
        self._in_turns = False

    def write(self, frame: Frame) -> None:
        tick = self._clock.tick(frame.time)
        if self._writer is None:
            self._writer = self._next or self._open(self._work.file(self._number, self._suffix))
            self._next, self._first = None, tick
            self._in_turns = frame.image.shape[0] * frame.image.shape[1] > FRUGAL_FROM
        self._writer.write(frame.image, tick - self._first)
        self.last = tick
        self._note = Note(
            frames=self._writer.frames,
            first=self._first,
            last=tick,
            time=frame.time,
            check=frame.check,
            origin=self._clock.origin,
            size=0,
            shift=self._clock.shift,
            shown=frame.shown,
            offset=frame.offset,
        )
        if self._writer.frames == self._length - READY and not self._in_turns:
            self._next = self._open(self._work.file(self._number + 1, self._suffix))
        if self._writer.frames == self._length:
            self._end_segment()
            if self._in_turns:
                self.settle()

    def check(self) -> None:
        """Note the segment that has been finished meanwhile."""
        if self._ending is not None and self._ending[0].finished:
            self.settle()

    @property
    def missing(self) -> int:
        """Frames that are missing in the segment under way; 0 between two."""
        return 0 if self._writer is None else self._length - self._writer.frames

    def close(self) -> None:
        """Finish all segments, also a last one that is shorter."""
        if self._writer is not None:
            self._end_segment()
        self.settle()
        self.discard()

    def close_partial(self) -> Segment | None:
        """Finish all segments; the last, shorter one is returned and will not be gone on with."""
        self.settle()
        writer, self._writer = self._writer, None
        if writer is None:
            return None
        writer.close()
        return Segment(self._work.file(self._number, self._suffix), self._first, writer.frames)

    def settle(self) -> None:
        """Wait for the segment that is being finished, and note it."""
        if self._ending is not None:
            (writer, note), self._ending = self._ending, None
            try:
                writer.close()
            except BaseException:
                writer.discard()
                raise
            size = self._work.size_of(len(self._work.notes))
            self._work.add(replace(note, size=size))

    def discard(self) -> None:
        """Stop; finished segments stay."""
        for writer in (self._writer, self._next, self._ending and self._ending[0]):
            if writer:
                writer.discard()
        self._writer = self._next = self._ending = None

    def _end_segment(self) -> None:
        """The segment under way is full: finish it in the background."""
        self.settle()
        if self._writer is not None and self._note is not None:
            self._writer.end()
            self._ending = self._writer, self._note
            self._writer = self._note = None
            self._number += 1


class StreamSink:
    """Encode frames into standard output.

    Args:
        writer: Writes there.
        clock: When frames are shown.
    """

    def __init__(self, writer: FrameWriter, clock: FrameClock) -> None:
        self._writer, self._clock = writer, clock

    def write(self, frame: Frame) -> None:
        self._writer.write(frame.image, self._clock.tick(frame.time))

    def break_off(self) -> None:
        """After a wish to stop: the sound ends here, too."""
        self._writer.break_off()

    def close(self) -> None:
        self._writer.close()

    def discard(self) -> None:
        self._writer.discard()
