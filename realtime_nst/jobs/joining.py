"""From painted segments and the original's other tracks to the file that was asked for, in one step without re-encoding.

GIF is the exception: its palette is chosen from all frames, so its segments are lossless and it is encoded here.
"""

import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import DiskFullError, SinkError
from realtime_nst.media.addresses import is_address
from realtime_nst.media.charsets import ALL_MAY_FAIL, LOST, legible, rewritten
from realtime_nst.media.containers import GIF, PNG, Container, TrackPlan, conversion, plan_tracks, track_arguments
from realtime_nst.media.encoders import Encoder
from realtime_nst.media.ffmpeg import address, ask, last_words, produce
from realtime_nst.media.probing import VideoInfo, all_tracks, looking
from realtime_nst.media.timing import later_timecode

LIST = "list.txt"
PICTURES_TIMEOUT = 300.0
GIF_RATE = 50
"""Players slow down GIFs with more frames per second."""
THINNED = f"settb=1/{GIF_RATE},select='isnan(prev_selected_pts)+gt(pts,prev_selected_pts)'"
"""A filter: at most so many frames per second, each at the time of one of them."""
LAST_COUNTS = "format=bgra,tpad=stop=1:color=black@0"
"""A filter: a frame after the last, with which it has nothing in common. `palettegen` counts what changes, when it does."""
GIF_HEAD = 2048
"""Bytes in which a GIF says how often it begins again."""
LOOP = re.compile(rb"NETSCAPE2\.0\x03\x01(..)", re.DOTALL)
MONOTONIC = "setts=pts=PTS:dts='if(N,max(DTS,PREV_OUTDTS+1),DTS)'"
"""Segments with B-frames overlap in decoding time where the frame rate varies; this puts them in order."""
TRIAL_SECONDS = "10"
"""How much of each track is tried for a pipe, which cannot be begun again."""
PAUSE = "1000000"
"""Seconds that times may jump ahead, as between two recordings in one file, without ffmpeg closing the gap."""
CENTISECOND = Fraction(1, 100)


@dataclass(frozen=True)
class Segment:
    """A finished piece of the painted picture.

    Args:
        path: Its file; its own times begin at 0.
        first: Tick of its first frame.
        frames: How many.
    """

    path: Path
    first: int
    frames: int


@dataclass(frozen=True)
class Join:
    """What is joined.

    Args:
        segments: All pieces, in order; they lie in one folder.
        ticks_per_second: Their clock.
        original: Path of the file with the other tracks.
        info: What is in it.
        container: The kind of file to write.
        encoder: What wrote the segments.
        begin: Second of the original at which the painted file begins.
        end: Second of the original at which it ends, or `None`.
        shown: Seconds that the last frame is shown, or `None` for as long as others.
        last: Tick of that frame.
    """

    segments: Sequence[Segment]
    ticks_per_second: int
    original: str
    info: VideoInfo
    container: Container
    encoder: Encoder
    begin: Fraction = Fraction(0)
    end: Fraction | None = None
    shown: Fraction | None = None
    last: int = 0

    @property
    def last_shown(self) -> Fraction:
        """Seconds that the last frame is shown, exactly where it is one frame of this rate."""
        usual = 1 / self.info.rate
        return usual if self.shown is None or abs(self.shown - usual) <= self.info.time_base else self.shown


def join(job: Join, draft: Path) -> list[str]:
    """Write the whole file.

    Args:
        job: What to write.
        draft: The file, replaced if it exists; for pictures a numbered name.

    Returns:
        What could not come along as it was said before, in words.

    Raises:
        SinkError: It could not be written; nothing of it is left.
    """
    if job.container is PNG:
        return _pictures(job, draft)
    if job.container is GIF:
        return _gif(job, draft)
    plan = plan_tracks(job.info, job.container)
    words, notices = _write(job, {}, draft)
    if words is not None and "No space left" not in words:
        instead = tried(job.original, plan, job.container, draft.parent)
        files = {track.index: "" for track, _ in plan.kept if track.kind in ("attachment", "data") or track.cover}
        for changes in (instead, {**instead, **files}):
            if words is not None and plan_tracks(job.info, job.container, instead=changes) != plan:
                again, notices = _write(job, changes, draft)
                words = words if again else None
    if words is not None:
        raise _failed(draft, words)
    return [notice for notice in notices if notice not in plan.notices]


def tried(original: str, plan: TrackPlan, container: Container, folder: Path | None = None) -> Mapping[int, str]:
    """What to do with tracks that cannot be written as they were planned: convert them, or else leave them out.

    Args:
        original: Path of the file with the tracks.
        plan: What was planned.
        container: The kind of file to write.
        folder: Where there is room to try all of each track; without one, only its beginning is tried.

    Returns:
        For `plan_tracks`.
    """
    instead: dict[int, str] = {}
    with tempfile.TemporaryDirectory(dir=folder, prefix="trial") as place:
        for track, codec in plan.kept:
            if track.cover or track.kind == "attachment":  # not to be tried alone
                continue
            for choice in dict.fromkeys((codec, conversion(track, container))):
                short = ["-t", TRIAL_SECONDS] if folder is None else []
                lenient = ALL_MAY_FAIL if track.kind == "subtitle" else ()
                command = [*short, *looking(original), "-i", address(str(Path(original).absolute())), *lenient]
                if choice:
                    command += [*track_arguments(track, choice, container, 0, f"0:{track.index}"), "-f", container.format]
                if not choice or produce(command, Path(place) / "track") is None:
                    break
            else:
                choice = ""
            if choice != codec:
                instead[track.index] = choice
    return instead


def companions(original: str, info: VideoInfo, begin: Fraction, end: Fraction | None) -> list[str]:
    """Arguments that open the original beside the painted picture, and what has been written anew of it."""
    cut = ["-ss", f"{float(begin):.6f}"] if begin else []
    cut += ["-t", f"{float(end - begin):.6f}"] if end is not None else []
    kept = ["-dts_delta_threshold", PAUSE] if info.discontinuous else []  # gaps that the picture has, too
    for track in info.tracks:
        kept += [f"-flags2:{track.index}", "+skip_manual"] if track.kind == "audio" and track.in_parts else []
    inputs = [*kept, *cut, *looking(original), "-i", address(str(Path(original).absolute())), *rewritten(info.tracks, cut)]
    return [*inputs, *all_tracks(info, 1)]


def cut_out(info: VideoInfo, container: Container, begin: Fraction, end: Fraction | None) -> list[str]:
    """Arguments for the file of a part, beside those of `companions`, which cut neither chapters nor subtitles well."""
    length = None if end is None else f"{float(end - begin):.6f}"
    arguments = [] if length is None else ["-t", length]
    if begin:
        if container.format in ("matroska", "webm"):  # others hide what comes before by an edit list
            arguments += ["-copypriorss", "0"]
        arguments += ["-copypriorss:s", "1"]
        if info.timecode:
            first = later_timecode(info.timecode, info.rate, math.ceil(begin * info.rate))
            arguments += ["-metadata:s:v:0", f"timecode={first}", "-metadata", f"timecode={first}"]
    if arguments:  # subtitles that are on show at a cut stay for what is left of their time
        left = "DURATION+min(PTS,0)"
        left = left if length is None else f"min({left},round({length}/TB)-max(PTS,0))"
        arguments += ["-bsf:s", f"noise=drop='lt(pts+duration,0)',setts=pts='max(PTS,0)':dts='max(DTS,0)':duration='{left}'"]
    return arguments


def _write(job: Join, instead: Mapping[int, str], draft: Path) -> tuple[str | None, Sequence[str]]:
    """Write the file, with changes to what happens to its tracks; once more where lines of subtitles could not be read.

    Returns:
        What ffmpeg said if it failed, and what does not come along untouched.
    """
    plan, folder = plan_tracks(job.info, job.container, instead=instead), job.segments[0].path.parent
    words = produce(_arguments(job, plan), draft.absolute(), folder=folder, heed=LOST)
    if words is not None and LOST.search(words):
        job = replace(job, info=legible(job.original, job.info, plan, folder))
        plan = plan_tracks(job.info, job.container, instead=instead)
        words = produce(_arguments(job, plan), draft.absolute(), folder=folder)
    return words, plan.notices


def _arguments(job: Join, plan: TrackPlan) -> list[str]:
    tag = ["-tag:v:0", "hvc1"] if job.encoder.family == "hevc" and job.container.format in ("mp4", "mov") else []
    command = [
        *_painted(job),
        *companions(job.original, job.info, job.begin, job.end),
        "-map",
        "0:v:0",
        "-c:v:0",
        "copy",
        *tag,
        *plan.arguments,
        *_covers(job, plan),
    ]
    command += cut_out(job.info, job.container, job.begin, job.end)
    command += ["-bsf:v:0", f"{MONOTONIC}{_lengths(job)}", "-disposition:v:0", "default"]
    if job.container.format in ("mp4", "mov"):
        command += ["-video_track_timescale", str(job.ticks_per_second)]
    return [*command, "-f", job.container.format]


def _covers(job: Join, plan: TrackPlan) -> list[str]:
    """Arguments that attach cover pictures as files, for Matroska."""
    arguments: list[str] = []
    files = sum(track.kind == "attachment" for track, _ in plan.kept)
    for number, track in enumerate(plan.covers, files):
        suffix, kind = ("png", "image/png") if track.codec == "png" else ("jpg", "image/jpeg")
        file = job.segments[0].path.with_name(f"cover{track.index}.{suffix}")
        copied = [
            "-i",
            address(str(Path(job.original).absolute())),
            "-map",
            f"0:{track.index}",
            "-c",
            "copy",
            "-frames:v",
            "1",
            "-f",
            "image2",
            "-update",
            "1",
        ]
        if produce(copied, file.absolute()) is None:
            arguments += ["-attach", address(file.name), f"-metadata:s:t:{number}", f"mimetype={kind}"]
            arguments += [f"-metadata:s:t:{number}", f"filename=cover.{suffix}"]
    return arguments


def _painted(job: Join) -> list[str]:
    """Arguments that open the segments as one input, each at its own time.

    ffmpeg takes lengths in whole microseconds; each is rounded so that their sum never drifts. It is run in the folder
    of the segments, so that no name of a folder, whatever is in it, has to be written into the list.
    """
    folder = job.segments[0].path.parent
    microseconds = [round(Fraction(segment.first * 1_000_000, job.ticks_per_second)) for segment in job.segments]
    lines = ["ffconcat version 1.0"]
    for segment, begin, after in zip(job.segments, microseconds, [*microseconds[1:], None]):
        lines.append(f"file '{address(segment.path.name)}'")
        if after is not None:
            lines.append(f"duration {(after - begin) // 1_000_000}.{(after - begin) % 1_000_000:06d}")
    (folder / LIST).write_text("\n".join(lines) + "\n", "utf-8")
    shift = ["-itsoffset", f"{microseconds[0] / 1_000_000:.6f}"] if microseconds[0] else []
    return [*shift, "-f", "concat", "-safe", "0", "-i", address(LIST)]


def _lengths(job: Join) -> str:
    """The end of a filter for packets: none but the last frame lasts longer than to its beginning.

    A packet has the length of the one after it in the file, which need not be the one that is shown next.
    """
    count = sum(segment.frames for segment in job.segments)
    last, length = (f"{float(seconds):.6f}/TB" for seconds in (Fraction(job.last, job.ticks_per_second), job.last_shown))
    return f":duration='if(gte(N,{count - 1})+gte(PTS+1,{last}),round({length}),min(DURATION,round({last}-PTS)))'"


def _gif(job: Join, draft: Path) -> list[str]:
    frames = sum(segment.frames for segment in job.segments)
    fast = (frames - 1) * job.ticks_per_second > GIF_RATE * job.last  # as they are, whatever rate the file claims
    slower = THINNED if fast else "null"
    palette = job.segments[0].path.with_name("palette.png")
    # The palette comes when all has been seen, and ffmpeg reports nothing before: a list of frames tells how far it is.
    seen = palette.with_name("seen.txt")
    both = f"[0:v]{slower},split[a][b];[a]{LAST_COUNTS},palettegen=stats_mode=diff[p]"
    command = [*_painted(job), "-filter_complex", both, "-map", "[b]", "-fps_mode", "passthrough", "-c:v", "wrapped_avframe"]
    command += ["-flush_packets", "1", "-f", "framecrc", address(seen.name)]
    command += ["-map", "[p]", "-frames:v", "1", "-f", "image2", "-update", "1"]
    words = produce(command, palette.absolute(), folder=palette.parent, beside=seen)
    left = frames
    if words is None:
        left -= sum(not line.startswith("#") for line in seen.read_text("utf-8").splitlines())
        chain = f"[0:v]{slower}[v];[v][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle"
        command = [*_painted(job), "-i", address(palette.name), "-lavfi", chain, "-fps_mode", "passthrough"]
        command += ["-enc_time_base", f"1:{job.ticks_per_second}", "-f", "gif"]  # else a frame of the rate that the file claims
        delay = min(65535, round(max(job.shown or 1 / job.info.rate, Fraction(1, GIF_RATE)) / CENTISECOND))
        command += ["-loop", str(repeats(job.original)), "-final_delay", str(delay)]
        words = produce(command, draft.absolute(), folder=palette.parent)
    palette.unlink(missing_ok=True)
    seen.unlink(missing_ok=True)
    if words is not None:
        raise _failed(draft, words)
    return [f"GIF shows at most {GIF_RATE} frames per second; {left} of {frames} frames were left out."] if left else []


def repeats(original: str) -> int:
    """How often a GIF begins again at its end, as ffmpeg wants to know it: 0 for ever, as do all others, and -1 not at all."""
    if is_address(original):
        return 0
    with Path(original).open("rb") as file:
        head = file.read(GIF_HEAD)
    if not head.startswith(b"GIF8"):
        return 0
    count = LOOP.search(head)
    return int.from_bytes(count[1], "little") if count else -1


def _pictures(job: Join, draft: Path) -> list[str]:
    """Numbered pictures, from 1, taken out of the segments as they are."""
    pattern = f"{str(draft.parent.absolute()).replace('%', '%%')}/{draft.name}"
    number = 1
    for segment in job.segments:
        command = ["-loglevel", "error", "-y", "-i", address(str(segment.path)), "-map", "0:v:0", "-c", "copy"]
        try:
            code, text = ask([*command, "-start_number", str(number), "-f", "image2", pattern], PICTURES_TIMEOUT)
        except TimeoutError as error:
            raise _failed(draft, str(error)) from error
        if code:
            raise _failed(draft, last_words(text, str(segment.path)))
        number += segment.frames
    return []


def _failed(draft: Path, words: str) -> SinkError:
    kind = DiskFullError if "No space left" in words else SinkError
    return kind(f"ffmpeg stopped while joining the segments in '{draft.parent}'. It said: {words}")
