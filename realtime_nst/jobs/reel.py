"""`Reel`: how the frames of a film are read and its segments written, the same on every machine that does a part of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime_nst.frames import Frame
from realtime_nst.jobs.film_source import FilmSource, Mark
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.jobs.segments import SegmentSink
from realtime_nst.jobs.stretches import Stretches
from realtime_nst.jobs.workfolder import Note, WorkFolder, segment_frames
from realtime_nst.media.encoders import Encoder
from realtime_nst.media.encoding import Contents, FrameWriter
from realtime_nst.media.probing import VideoInfo
from realtime_nst.media.timing import FrameClock
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.style.schedule import StylePath


@dataclass(frozen=True)
class Reel:
    """What all parts of a film share.

    Args:
        info: From `probe`, at the size that is painted.
        encoder: Encodes the segments.
        begin: Second of the original at which the painted film begins.
        end: Second at which it ends, or `None`.
        tick: Seconds of a tick of the original's clock, as far as they matter; 0 where all round alike.
    """

    info: VideoInfo
    encoder: Encoder
    begin: Fraction
    end: Fraction | None
    tick: Fraction

    @property
    def length(self) -> int:
        """Frames of a segment."""
        return segment_frames(self.info.width, self.info.height)

    def stretches(self, memory: int) -> Stretches | None:
        """Where all begins anew that is held; `None` where nothing is.

        Args:
            memory: How many pictures before one tell all that it depends on.
        """
        return Stretches(self.length, memory) if memory else None

    def painter(self, picture_painter: PicturePainter, styles: StylePath, first: int = 0) -> FramePainter:
        """What paints from a frame on."""
        stretches = self.stretches(picture_painter.memory)
        return FramePainter(picture_painter, styles, float(self.begin), float(self.info.rate), stretches=stretches, first=first)

    def source(
        self,
        path: str,
        after: Mark | None = None,
        first: int = 0,
        before: Callable[[Frame], object] = lambda frame: None,
        *,
        checked: bool = True,
    ) -> FilmSource:
        """The frames from one on, after those between a mark and it."""
        return FilmSource(
            path, self.info, begin=self.begin, end=self.end, after=after, first=first, before=before, checked=checked
        )

    def writer(self, path: Path | None, format: str, inputs: Sequence[str] = (), tracks: Sequence[str] = ()) -> FrameWriter:
        """What encodes frames into a file, or into standard output."""
        info = self.info
        contents = Contents(format, info.colours.written, info.pixel_aspect, inputs, tracks)
        return FrameWriter(path, info.width, info.height, info.rate, encoder=self.encoder, contents=contents)

    def sink(self, work: WorkFolder, clock: FrameClock) -> SegmentSink:
        """What writes the next segments into a folder."""
        kind = self.encoder.segment_format
        return SegmentSink(work, lambda path: self.writer(path, kind), f".{kind}", clock, self.length)

    def clock(self, last: Note | None = None) -> FrameClock:
        """When frames are shown, from the first on, or after a segment."""
        clock = FrameClock(self.info.rate, self.tick, self.begin, self.info.duration)
        if last is not None:
            clock.go_on(last.origin, last.last, last.shift)
        return clock

    def rest(self, path: str, notes: Sequence[Note], memory: int, before: Callable[[Frame], object]) -> FilmSource:
        """The frames after finished segments; `before` is called with those that they depend on."""
        if notes and memory:
            newest = self.source(path, self.mark(notes, 0))
            over = next(iter(newest), None) is None
            newest.close()
            if over:  # then nothing depends on anything, and a closed source gives nothing more
                return newest
        return self.source(path, self.mark(notes, memory), sum(note.frames for note in notes), before)

    def mark(self, notes: Sequence[Note], memory: int) -> Mark | None:
        """Where to read on after finished segments: early enough to see all that the next frame depends on."""
        frames, count = sum(note.frames for note in notes), len(notes)
        if (stretches := self.stretches(memory)) is not None:
            count = stretches.seen_from(frames) // self.length
            frames = count * self.length
        return Mark(frames, notes[count - 1].time, notes[count - 1].check) if count else None
