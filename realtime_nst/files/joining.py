"""From painted segments and the original's other tracks to the file that was asked for, in one step without re-encoding.

GIF is the exception: its palette is chosen from all frames, so its segments are lossless and it is encoded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import DiskFullError, SinkError
from realtime_nst.files.containers import GIF, PNG, Container, TrackPlan, numbered, plan_tracks
from realtime_nst.files.encoders import Encoder
from realtime_nst.files.ffmpeg import address, ask, last_words, produce
from realtime_nst.files.probing import VideoInfo

LIST = "list.txt"
PICTURES_TIMEOUT = 300.0
GIF_RATE = 50
"""Players slow down GIFs with more frames per second."""
MONOTONIC = "setts=pts=PTS:dts='if(N,max(DTS,PREV_OUTDTS+1),DTS)'"
"""Segments with B-frames overlap in decoding time where the frame rate varies; this puts them in order."""
GIVEN_UP = (("subtitle", "attachment", "data"), ("subtitle", "attachment", "data", "audio"))
"""Kinds of tracks that are left out, one after another, where a damaged original keeps the file from being written."""


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
    """

    segments: Sequence[Segment]
    ticks_per_second: int
    original: str
    info: VideoInfo
    container: Container
    encoder: Encoder
    begin: Fraction = Fraction(0)
    end: Fraction | None = None


def join(job: Join, draft: Path) -> list[str]:
    """Write the whole file.

    Args:
        job: What to write.
        draft: The file, replaced if it exists; for pictures a numbered name.

    Returns:
        What could not come along, in words.

    Raises:
        SinkError: It could not be written; nothing of it is left.
    """
    if job.container is PNG:
        return _pictures(job, draft)
    if job.container is GIF:
        return _gif(job, draft)
    plan = plan_tracks(job.info, job.container)
    words = produce(_arguments(job, plan), draft)
    if words is None:
        return []
    for without in GIVEN_UP:
        if "No space left" in words:
            break
        reduced = plan_tracks(job.info, job.container, without=without)
        if reduced.kept != plan.kept and produce(_arguments(job, reduced), draft) is None:
            lost = ", ".join(str(track) for track in plan.kept if track not in reduced.kept)
            return [f"Left out, because ffmpeg could not carry it along ({words.rstrip('.')}): {lost}."]
    raise _failed(draft, words)


def companions(original: str, begin: Fraction, end: Fraction | None) -> list[str]:
    """Arguments that open the original beside the painted picture."""
    cut = ["-ss", f"{float(begin):.6f}"] if begin else []
    cut += ["-t", f"{float(end - begin):.6f}"] if end is not None else []
    return [*cut, "-i", address(original)]


def _arguments(job: Join, plan: TrackPlan) -> list[str]:
    tag = ["-tag:v:0", "hvc1"] if job.encoder.family == "hevc" and job.container.format in ("mp4", "mov") else []
    command = [
        *_painted(job),
        *companions(job.original, job.begin, job.end),
        "-map",
        "0:v:0",
        "-c:v:0",
        "copy",
        *tag,
        *plan.arguments,
        *_covers(job, plan),
    ]
    if job.begin and job.container.format in ("matroska", "webm"):  # others hide what comes before by an edit list
        command += ["-copypriorss", "0"]
    command += ["-bsf:v:0", MONOTONIC, "-disposition:v:0", "default"]
    if job.container.format in ("mp4", "mov"):
        command += ["-video_track_timescale", str(job.ticks_per_second)]
    return [*command, "-f", job.container.format]


def _covers(job: Join, plan: TrackPlan) -> list[str]:
    """Arguments that attach cover pictures as files, for Matroska."""
    arguments: list[str] = []
    files = sum(track.kind == "attachment" for track in plan.kept)
    for number, track in enumerate(plan.covers, files):
        suffix, kind = ("png", "image/png") if track.codec == "png" else ("jpg", "image/jpeg")
        file = job.segments[0].path.with_name(f"cover{track.index}.{suffix}")
        copied = [
            "-i",
            address(job.original),
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
        if produce(copied, file) is None:
            arguments += ["-attach", str(file), f"-metadata:s:t:{number}", f"mimetype={kind}"]
            arguments += [f"-metadata:s:t:{number}", f"filename=cover.{suffix}"]
    return arguments


def _painted(job: Join) -> list[str]:
    """Arguments that open the segments as one input, each at its own time.

    ffmpeg takes lengths in whole microseconds; each is rounded so that their sum never drifts.
    """
    folder = job.segments[0].path.parent
    microseconds = [round(Fraction(segment.first * 1_000_000, job.ticks_per_second)) for segment in job.segments]
    lines = ["ffconcat version 1.0"]
    for segment, begin, after in zip(job.segments, microseconds, [*microseconds[1:], None]):
        quoted = address(str(segment.path.resolve())).replace("'", "'\\''")
        lines.append(f"file '{quoted}'")
        if after is not None:
            lines.append(f"duration {(after - begin) // 1_000_000}.{(after - begin) % 1_000_000:06d}")
    (folder / LIST).write_text("\n".join(lines) + "\n", "utf-8")
    shift = ["-itsoffset", f"{microseconds[0] / 1_000_000:.6f}"] if microseconds[0] else []
    return [*shift, "-f", "concat", "-safe", "0", "-i", address(str(folder / LIST))]


def _gif(job: Join, draft: Path) -> list[str]:
    slower = f"fps={GIF_RATE}," if job.info.rate > GIF_RATE else ""
    palette = job.segments[0].path.with_name("palette.png")
    words = produce(
        [*_painted(job), "-vf", f"{slower}palettegen=stats_mode=diff", "-frames:v", "1", "-f", "image2", "-update", "1"], palette
    )
    if words is None:
        chain = f"[0:v]{slower}null[v];[v][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle"
        command = [*_painted(job), "-i", address(str(palette)), "-lavfi", chain, "-fps_mode", "passthrough", "-f", "gif"]
        words = produce(command, draft)
    palette.unlink(missing_ok=True)
    if words is not None:
        raise _failed(draft, words)
    return [f"GIF shows at most {GIF_RATE} frames per second; frames were left out."] if slower else []


def _pictures(job: Join, draft: Path) -> list[str]:
    """Numbered pictures, from 1, taken out of the segments as they are."""
    pattern = str(draft.parent).replace("%", "%%") + "/%08d.png"
    number = 1
    for segment in job.segments:
        command = ["-loglevel", "error", "-y", "-i", address(str(segment.path)), "-map", "0:v:0", "-c", "copy"]
        try:
            code, text = ask([*command, "-start_number", str(number), "-f", "image2", pattern], PICTURES_TIMEOUT)
        except TimeoutError as error:
            raise _failed(draft, str(error)) from error
        if code:
            raise _failed(draft, last_words(text, str(segment.path)))
        for count in range(number, number + segment.frames):
            (draft.parent / f"{count:08d}.png").replace(numbered(draft, count))
        number += segment.frames
    return []


def _failed(draft: Path, words: str) -> SinkError:
    kind = DiskFullError if "No space left" in words else SinkError
    return kind(f"ffmpeg stopped while joining '{draft.name}'. It said: {words}")
