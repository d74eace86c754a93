"""Painting one video file, from looking into it to the finished file in its place.

What may go wrong on the way is an `NSTError`; finished segments are then kept, and the same call goes on from there.
"""

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst import __version__
from realtime_nst.app import run
from realtime_nst.controls import Controls
from realtime_nst.errors import DiskFullError, SourceError
from realtime_nst.files.containers import PIPE, PNG, Container, container_of, numbered, plan_tracks
from realtime_nst.files.encoders import Encoder, choose_encoder
from realtime_nst.files.encoding import FrameWriter, draft_of, on_disk
from realtime_nst.files.footage import Footage, Mark
from realtime_nst.files.joining import Join, Segment, companions, join
from realtime_nst.files.outputs import free_name, place
from realtime_nst.files.painter import Paint, Painter
from realtime_nst.files.probing import VideoInfo, probe
from realtime_nst.files.progress import Report
from realtime_nst.files.segments import PreviewSink, SegmentSink, StreamSink
from realtime_nst.files.timing import FrameClock
from realtime_nst.files.wishes import Outcome, Wishes, checked, notices_about
from realtime_nst.files.workfolder import Note, WorkFolder, segment_frames
from realtime_nst.sinks import TeeSink, finishing
from realtime_nst.stats import Stats
from realtime_nst.video import Sink

ENOUGH = 0.9
"""Share of the promised length below which a file counts as cut short."""


def paint_video(
    source: Path,
    output: Path,
    wishes: Wishes,
    paint: Paint,
    prepare: Callable[[int, int], None],
    report: Report,
    controls: Controls,
) -> Outcome:
    """Paint one file.

    Args:
        source: The original.
        output: The painted file, or `-`.
        wishes: How.
        paint: Picture and style to a picture.
        prepare: Called with width and height before the first picture.
        report: Where news go.
        controls: `controls.quit` asks to stop; it is true afterwards if it did.

    Raises:
        NSTError: It cannot be read, painted or written.
    """
    info = checked(probe(str(source)), source, wishes)
    container = container_of(output)
    encoder, notices = choose_encoder(
        container, info.width, info.height, codec=wishes.codec, crf=wishes.crf, preset=wishes.preset
    )
    for notice in [*notices_about(info, encoder), *notices, *plan_tracks(info, container).notices]:
        report.notice(f"{source.name}: {notice}")
    job = _Painting(source, output, wishes, info, container, encoder, report, controls)
    prepare(info.width, info.height)
    return job.stream(paint) if str(output) == PIPE else job.file(paint)


@dataclass
class _Painting:
    """One file on its way."""

    source: Path
    output: Path
    wishes: Wishes
    info: VideoInfo
    container: Container
    encoder: Encoder
    report: Report
    controls: Controls

    def stream(self, paint: Paint) -> Outcome:
        """Paint into standard output."""
        tracks = plan_tracks(self.info, self.container, without=("cover",)).arguments
        inputs = companions(str(self.source), self.wishes.begin, self.wishes.end)
        footage = Footage(str(self.source), self.info, begin=self.wishes.begin, end=self.wishes.end)
        writer = self._writer(None, self.container.format, inputs, tracks)
        with finishing(StreamSink(writer, self._clock(), footage.check)) as sink:
            previews = self._previews()
            outcome = self._carry(footage, paint, [sink, *previews], 0)
            TeeSink(previews).close()
            return replace(outcome, interrupted=self.controls.quit)

    def file(self, paint: Paint) -> Outcome:
        """Paint into a file, by way of segments."""
        work = WorkFolder(self.output, self._description(), restart=self.wishes.restart)
        try:
            return self._with_segments(work, paint)
        except DiskFullError as error:
            raise self._full(work, error) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise self._full(work, error) from error
        finally:
            work.release()

    def _with_segments(self, work: WorkFolder, paint: Paint) -> Outcome:
        last = work.notes[-1] if work.notes else None
        if last is not None:
            self.report.notice(f"{self.output.name}: going on after {work.frames} frames that were painted before.")
        length = segment_frames(self.info.width, self.info.height)
        footage = Footage(
            str(self.source),
            self.info,
            begin=self.wishes.begin,
            end=self.wishes.end,
            marks_every=length,
            after=Mark(work.frames, last.time, last.check) if last else None,
        )
        clock = self._clock(last)
        suffix = f".{self.encoder.segment_format}"
        sink = SegmentSink(
            work,
            lambda path: self._writer(path, self.encoder.segment_format),
            suffix,
            clock,
            length,
            footage.checks,
            footage.check,
        )
        previews = self._previews()
        try:
            outcome = self._carry(footage, paint, [sink, *previews], work.frames)
            if self.controls.quit:
                partial = self._partial(work, sink, clock.ticks_per_second)
                return replace(outcome, interrupted=True, kept=work.frames, partial=partial)
            TeeSink([sink, *previews]).close()
        finally:
            sink.discard()
        if not work.notes:
            raise SourceError(f"'{self.source}' has no frame there. Check --start and --end, and whether it plays at all.")
        self._finish(work, work.segments(), self.output, self.wishes.end, clock.ticks_per_second, overwrite=self.wishes.overwrite)
        work.remove()
        self._remark_damage(work.notes[-1].time, footage.complaints)
        return outcome

    def _previews(self) -> list[Sink]:
        return [PreviewSink(self.wishes.preview)] if self.wishes.preview else []

    def _carry(self, footage: Footage, paint: Paint, sinks: list[Sink], done: int) -> Outcome:
        painter = Painter(paint, self.wishes.styles, float(self.wishes.begin), footage.fps)
        stats = Stats(each=lambda: self.report.frame(stats))
        self.report.begin(self.output.name, self._expected(), done)
        try:
            run(footage, painter, TeeSink(sinks), self.controls, stats)
        finally:
            self.report.end()
        return Outcome(done + stats.frames, painter.repeated, stats.mean_fps)

    def _finish(
        self, work: WorkFolder, segments: list[Segment], output: Path, end: Fraction | None, ticks: int, *, overwrite: bool
    ) -> None:
        """Join segments, and put the file in its place."""
        needed = sum(segment.path.stat().st_size for segment in segments)
        if shutil.disk_usage(work.path).free < needed:
            raise DiskFullError("No space left for the whole file.")
        draft = work.path / draft_of(output).name.lstrip(".")
        what = Join(segments, ticks, str(self.source), self.info, self.container, self.encoder, self.wishes.begin, end)
        for notice in join(what, draft):
            self.report.notice(f"{self.source.name}: {notice}")
        if self.container is not PNG:
            on_disk(draft)
            place(draft, output, overwrite=overwrite)
            return
        for number in range(1, sum(segment.frames for segment in segments) + 1):
            place(numbered(draft, number), numbered(output, number), overwrite=overwrite)

    def _partial(self, work: WorkFolder, sink: SegmentSink, ticks: int) -> Path | None:
        """After an interruption: a file that plays, if that was asked for and there is anything."""
        if not self.wishes.partial:
            return None
        tail = sink.close_partial()
        segments = [*work.segments(), *([tail] if tail else [])]
        if not segments:
            return None
        partial = free_name(self.output.with_name(f"{self.output.stem}.partial{self.output.suffix}"))
        end = self.wishes.begin + Fraction(sink.last, ticks) + 1 / self.info.rate
        self._finish(work, segments, partial, end, ticks, overwrite=False)
        return partial

    def _writer(
        self, path: Path | None, format: str, inputs: list[str] | None = None, tracks: tuple[str, ...] = ()
    ) -> FrameWriter:
        return FrameWriter(
            path,
            self.info.width,
            self.info.height,
            self.info.rate,
            encoder=self.encoder,
            format=format,
            colours=self.info.colours.written(self.info.width, self.info.height),
            pixel_aspect=self.info.pixel_aspect,
            inputs=inputs or [],
            tracks=tracks,
        )

    def _clock(self, last: Note | None = None) -> FrameClock:
        info = self.info
        clock = FrameClock(info.rate, info.time_base, self.wishes.begin, info.duration)
        if last is not None:
            clock.go_on(last.origin, last.last, last.shift)
        return clock

    def _expected(self) -> int | None:
        """About how many frames there will be, where the original says how long it is."""
        end = self.wishes.end if self.wishes.end is not None else self.info.duration
        if end is None or (self.info.duration is None and self.wishes.end is None):
            return None
        seconds = min(float(end), self.info.duration or float(end)) - float(self.wishes.begin)
        return max(1, round(seconds * self.info.rate))

    def _remark_damage(self, last: Fraction | None, complaints: int) -> None:
        """Tell when the picture ended before the file should, or was not whole."""
        length = self.info.duration
        promised = None if length is None else min(float(self.wishes.end or length), length)
        shown = float((last or 0) + 1 / self.info.rate)
        if promised is not None and last is not None and shown < ENOUGH * promised:
            self.report.notice(
                f"'{self.source}' ended early: its picture lasts {shown:.1f} of {promised:.1f} seconds. It may be cut short."
            )
        elif complaints:
            self.report.notice(
                f"'{self.source}' is damaged in places; ffmpeg complained {complaints} times. What it could read is painted."
            )

    def _description(self) -> dict[str, object]:
        status = self.source.stat()
        return {
            "original": str(self.source.resolve()),
            "bytes": status.st_size,
            "changed": status.st_mtime_ns,
            "styles": self.wishes.styles.description(),
            **self.wishes.look,
            "size": [self.info.width, self.info.height],
            "start": str(self.wishes.begin),
            "end": str(self.wishes.end),
            "encoder": list(self.encoder.arguments),
            "engine": self.wishes.engine,
            "version": __version__,
        }

    def _full(self, work: WorkFolder, error: Exception) -> DiskFullError:
        """The message for a full disk, with how much is needed."""
        free = shutil.disk_usage(work.path.parent).free
        expected = self._expected()
        message = f"The disk of '{self.output.parent}' is full: {_amount(free)} free."
        if work.frames and expected:
            each = work.size / work.frames
            message += f" About {_amount(each * max(0, expected - work.frames) + each * expected)} are needed to go on."
        else:
            message += f" {error}"
        kept = f"; the {work.frames} frames painted so far are kept" if work.frames else ""
        return DiskFullError(f"{message} Free some, and repeat the command{kept}.")


def _amount(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
