"""Painting one video file, from looking into it to the finished file in its place.

What may go wrong on the way is an `NSTError`; finished segments are then kept, and the same call goes on from there.
"""

import errno
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst import __version__
from realtime_nst.errors import DiskFullError, NSTError, SourceError
from realtime_nst.files import free_name, on_disk
from realtime_nst.frames import Sink
from realtime_nst.jobs.farm import Farm, FarmedFilm
from realtime_nst.jobs.film_source import FilmSource
from realtime_nst.jobs.graceful_stop import PatientRemote
from realtime_nst.jobs.joining import Join, Segment, companions, cut_out, join, tried
from realtime_nst.jobs.options import Outcome, VideoOptions, checked, notices_about, notices_after
from realtime_nst.jobs.outputs import place, place_pictures
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.jobs.preview import PreviewSink
from realtime_nst.jobs.progress import Report
from realtime_nst.jobs.reel import Reel
from realtime_nst.jobs.segments import SegmentSink, StreamSink
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.media.charsets import legible
from realtime_nst.media.containers import PIPE, PNG, Container, TrackPlan, container_of, numbered, numbers_there, plan_tracks
from realtime_nst.media.edits import edited
from realtime_nst.media.encoders import choose_encoder
from realtime_nst.media.probing import VideoInfo, last_moment, probe
from realtime_nst.media.results import amount
from realtime_nst.media.stereo import picture_mark
from realtime_nst.media.timing import ticks_per_second
from realtime_nst.outputs.sinks import TeeSink, finishing
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.loop import Remote, run
from realtime_nst.pipeline.stats import Stats

ENOUGH = 0.9
"""Share of the promised length below which a file counts as cut short."""


def paint_video(
    source: Path,
    output: Path,
    options: VideoOptions,
    picture_painter: PicturePainter,
    report: Report,
    remote: Remote,
    farm: Farm | None = None,
) -> Outcome:
    """Paint one file.

    Args:
        source: The original.
        output: The painted file, or `-`.
        options: How.
        picture_painter: Paints.
        report: Where news go.
        remote: `remote.quit` asks to stop; it is true afterwards if it did.
        farm: Paints its segments instead, elsewhere.

    Raises:
        NSTError: It cannot be read, painted or written.
    """
    container = container_of(output)
    info, words = checked(edited(str(source), probe(str(source))), source, options, container)
    encoder, notices = choose_encoder(
        container, info.width, info.height, codec=options.codec, crf=options.crf, preset=options.preset
    )
    encoder = replace(encoder, arguments=(*encoder.arguments, *picture_mark(info.stereo, container.format, encoder.name)))
    plan = plan_tracks(info, container)
    with tempfile.TemporaryDirectory() as folder:  # for subtitles on their way into a pipe
        if str(output) == PIPE:  # which cannot be tried first and written again
            instead = {**tried(str(source), plan, container), **{track.index: "" for track in info.tracks if track.cover}}
            info = legible(str(source), info, plan_tracks(info, container, instead=instead), Path(folder))
            plan = plan_tracks(info, container, instead=instead)
        for notice in [*words, *notices_about(info, container, encoder), *notices, *plan.notices]:
            report.notice(f"{source.name}: {notice}")
        tick = Fraction(0) if info.container == container.format == "gif" else info.time_base  # both round alike
        reel = Reel(info, encoder, options.begin, options.end, tick)
        job = _Painting(source, output, options, reel, container, plan, report, remote, picture_painter, farm)
        if farm is None:
            picture_painter.prepare(options.styles.styles[0], info.width, info.height)
        return job.stream() if str(output) == PIPE else job.file()


@dataclass
class _Painting:
    """One file on its way."""

    source: Path
    output: Path
    options: VideoOptions
    reel: Reel
    container: Container
    plan: TrackPlan
    report: Report
    remote: Remote
    picture_painter: PicturePainter
    farm: Farm | None

    @property
    def info(self) -> VideoInfo:
        """What is in the original."""
        return self.reel.info

    def stream(self) -> Outcome:
        """Paint into standard output."""
        inputs = companions(str(self.source), self.info, self.options.begin, self.options.end)
        film = self.reel.source(str(self.source))
        tracks = (*self.plan.arguments, *cut_out(self.info, self.container, self.options.begin, self.options.end))
        writer = self.reel.writer(None, self.container.format, inputs, tracks)
        stats = Stats(each=lambda: self.report.frame(stats))
        sink = StreamSink(writer, self.reel.clock())
        patient = PatientRemote(self.remote, [film.check], lambda: 0, stats, self.report.notice)
        previews = self._previews()
        with finishing(sink), finishing(TeeSink(previews)):
            painter = self.reel.painter(self.picture_painter, self.options.styles)
            outcome = self._carry(film, painter, [sink, *previews], 0, patient, stats)
            if self.remote.quit:
                sink.break_off()
        self._remark(film)
        return replace(outcome, interrupted=self.remote.quit)

    def file(self) -> Outcome:
        """Paint into a file, by way of segments."""
        work: WorkFolder | None = None
        try:
            work = WorkFolder(self.output, self._description(), restart=self.options.restart)
            return self._with_segments(work)
        except DiskFullError as error:
            raise self._full(work) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise self._full(work) from error
        finally:
            if work is not None:
                work.release()

    def _with_segments(self, work: WorkFolder) -> Outcome:
        if self.farm is None:
            work.in_order()
        if done := work.frames + work.frames_ahead:
            self.report.notice(f"{self.output.name}: going on after {done} frames that were painted before.")
        outcome, film = self._painted_here(work) if self.farm is None else self._painted_on(self.farm, work)
        if outcome.interrupted:
            return outcome
        if not work.notes:
            raise SourceError(f"'{self.source}' has no frame there. Check --start and --end, and whether it plays at all.")
        last = work.notes[-1]
        self._finish(work, self._join(work.segments(), self.options.end, last.last, last.shown), self.output)
        work.remove()
        self._remark(film, last)
        return outcome

    def _painted_on(self, farm: Farm, work: WorkFolder) -> tuple[Outcome, FilmSource]:
        """Have the segments painted by others."""
        film = FarmedFilm(self.source, self.output.name, self.reel, self.options.styles, self.picture_painter, self._expected())
        outcome, seen = farm.paint(film, work, self.report, self.remote)
        if outcome.interrupted:
            outcome = replace(outcome, partial=self._partial(work))
        return outcome, seen

    def _painted_here(self, work: WorkFolder) -> tuple[Outcome, FilmSource]:
        """Paint the segments one after another."""
        last = work.notes[-1] if work.notes else None
        memory = self.picture_painter.memory
        painter = self.reel.painter(self.picture_painter, self.options.styles, work.frames)
        if (stretches := self.reel.stretches(memory)) and (start := stretches.start(work.frames)):
            self.picture_painter.offset = work.notes[start // self.reel.length - 1].offset
        film = self.reel.rest(str(self.source), work.notes, memory, painter.hold)
        sink = self.reel.sink(work, self.reel.clock(last))
        stats = Stats(each=lambda: self.report.frame(stats))
        patient = PatientRemote(self.remote, [film.check, sink.check], lambda: sink.missing, stats, self.report.notice)
        try:
            previews = self._previews()
            with finishing(TeeSink(previews)):
                outcome = self._carry(film, painter, [sink, *previews], work.frames, patient, stats)
                sink.settle()
                if patient.quit:
                    self.remote.leave()
                    partial = self._partial(work, sink)
                    return replace(outcome, interrupted=True, kept=work.frames, partial=partial), film
            sink.close()
        except NSTError:
            with suppress(NSTError):
                sink.settle()
            raise
        finally:
            sink.discard()
        return outcome, film

    def _previews(self) -> list[Sink]:
        return [PreviewSink(self.options.preview)] if self.options.preview else []

    def _carry(
        self, film: FilmSource, painter: FramePainter, sinks: list[Sink], done: int, remote: Remote, stats: Stats
    ) -> Outcome:
        self.report.begin(self.output.name, self._expected(), done)
        try:
            run(film, painter, TeeSink(sinks), remote, stats)
        finally:
            self.report.end()
        return Outcome(done + stats.frames, painter.repeated, stats.mean_fps)

    def _join(self, segments: list[Segment], end: Fraction | None, last: int, shown: Fraction | None = None) -> Join:
        """How segments become a file; `last` is the tick of the last frame."""
        ticks, source = ticks_per_second(self.info.rate), str(self.source)
        return Join(segments, ticks, source, self.info, self.container, self.reel.encoder, self.options.begin, end, shown, last)

    def _finish(self, work: WorkFolder, what: Join, output: Path) -> None:
        """Join segments, and put the file in its place."""
        needed = sum(segment.path.stat().st_size for segment in what.segments)
        if shutil.disk_usage(work.path).free < needed:
            raise DiskFullError("No space left for the whole file.")
        overwrite = self.options.overwrite and output == self.output
        draft = work.path / ("%08d.png" if self.container is PNG else f"whole{output.suffix}")
        for notice in join(what, draft):
            self.report.notice(f"{self.source.name}: {notice}")
        if self.container is not PNG:
            on_disk(draft)
            place(draft, output, overwrite=overwrite)
            return
        count = sum(segment.frames for segment in what.segments)
        work.begin_placing()
        place_pictures([numbered(draft, number) for number in range(1, count + 1)], output, overwrite=overwrite)
        older = [path.name for number, path in numbers_there(output).items() if not 1 <= number <= count]
        if older:
            self.report.notice(
                f"'{older[0]}' to '{older[-1]}' are not from this video; {len(older)} older pictures are left as they are."
            )

    def _partial(self, work: WorkFolder, sink: SegmentSink | None = None) -> Path | None:
        """After an interruption: a file that plays, if that was asked for and there is anything."""
        if not self.options.partial:
            return None
        tail = sink.close_partial() if sink else None
        segments = [*work.segments(), *([tail] if tail else [])]
        if not segments:
            return None
        partial = free_name(self.output.with_name(f"{self.output.stem}.partial{self.output.suffix}"), numbers_there)
        last = sink.last if sink and tail else work.notes[-1].last
        end = self.options.begin + Fraction(last, ticks_per_second(self.info.rate)) + 1 / self.info.rate
        self._finish(work, self._join(segments, end, last), partial)
        return partial

    def _expected(self) -> int | None:
        """About how many frames there will be, where the original says how long it is."""
        end = self.options.end if self.options.end is not None else self.info.duration
        if end is None or (self.info.duration is None and self.options.end is None):
            return None
        seconds = min(float(end), self.info.duration or float(end)) - float(self.options.begin)
        picture = next((track for track in self.info.tracks if track.index == self.info.picture), None)
        average = picture.average if picture and self.info.container == "gif" else 0  # where the rate is that of its fastest part
        return max(1, round(seconds * (average or self.info.rate)))

    def _remark(self, film: FilmSource, last: Note | None = None) -> None:
        """Tell what has come to light on the way: also when the picture ended before the file should, or was not whole."""
        for notice in notices_after(self.info, film.interlaced, film.sizes):
            self.report.notice(f"{self.source.name}: {notice}")
        length = self.info.duration
        if last is not None and last.time is not None and length is not None:
            promised = ENOUGH * min(float(self.options.end or length), length)
            shown = float(last.time + (last.shown or 1 / self.info.rate))
            if shown < promised and (last_moment(str(self.source), self.info) or 0.0) < promised:
                self.report.notice(
                    f"'{self.source}' ended early: its picture lasts {shown:.1f} of {promised / ENOUGH:.1f} seconds. "
                    "It may be cut short."
                )
                return
        if film.complaints:
            self.report.notice(
                f"'{self.source}' is damaged in places; ffmpeg complained {film.complaints} times. What it could read is painted."
            )

    def _description(self) -> dict[str, object]:
        status = self.source.stat()
        return {
            "original": str(self.source.resolve()),
            "bytes": status.st_size,
            "changed": status.st_mtime_ns,
            "styles": self.options.styles.description(),
            **self.options.look,
            "size": [self.info.width, self.info.height],
            "start": str(self.options.begin),
            "end": str(self.options.end),
            "encoder": list(self.reel.encoder.arguments),
            "engine": self.options.engine,
            "version": __version__,
        }

    def _full(self, work: WorkFolder | None) -> DiskFullError:
        """The message for a full disk, with how much is needed."""
        free = shutil.disk_usage(self.output.parent).free
        expected = self._expected()
        frames = work.frames if work is not None else 0
        message = f"The disk of '{self.output.parent}' is full: {amount(free)} free."
        if work is not None and frames and expected:
            each = work.size / frames
            message += f" About {amount(each * max(0, expected - frames) + each * expected)} are needed to go on."
        else:
            message += f" About {amount(2 * self.source.stat().st_size)} are needed, going by the size of the original."
        kept = f"; the {frames} frames painted so far are kept" if frames else ""
        return DiskFullError(f"{message} Free some, and repeat the command{kept}.")
