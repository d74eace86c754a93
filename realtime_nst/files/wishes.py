"""How videos are to be painted, what came of it, and what the user should know before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.files.encoders import Encoder
from realtime_nst.files.probing import VideoInfo
from realtime_nst.files.stylepath import StylePath


@dataclass(frozen=True)
class Wishes:
    """How videos are to be painted.

    Args:
        styles: The style of each moment.
        engine: What computes, for telling one job from another.
        look: What is done to the styles beside that, likewise.
        size: Width and height to scale to, or `None`.
        begin: Second of the original at which to begin.
        end: Second at which to end, or `None`.
        codec: As for `choose_encoder`.
        crf: Likewise.
        preset: Likewise.
        overwrite: Replace an existing output.
        restart: Throw away what another job has left for this output.
        partial: After an interruption, also write what there is as a file that plays.
        preview: A picture that shows how it looks.
    """

    styles: StylePath
    engine: str = ""
    look: Mapping[str, object] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    begin: Fraction = Fraction(0)
    end: Fraction | None = None
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    overwrite: bool = False
    restart: bool = False
    partial: bool = False
    preview: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Args:
        frames: Frames in the output, those of earlier runs included.
        repeated: Frames of this run that repeated the one before, and were not painted again.
        frames_per_second: Of this run.
        interrupted: Whether it was stopped before its end.
        kept: After an interruption, frames in finished segments.
        partial: After an interruption, the file that plays, if there is one.
    """

    frames: int
    repeated: int
    frames_per_second: float
    interrupted: bool = False
    kept: int = 0
    partial: Path | None = None


def checked(info: VideoInfo, source: Path, wishes: Wishes) -> VideoInfo:
    """What is in a file, at the size that is wanted: its pixels are shaped so that the picture keeps its shape.

    Raises:
        NSTError: It has nothing between `begin` and `end`.
    """
    if wishes.end is not None and wishes.end <= wishes.begin:
        raise SinkError(
            f"--end {float(wishes.end):g} is not after --start {float(wishes.begin):g}. Both count from the beginning."
        )
    if info.duration is not None and wishes.begin >= Fraction(info.duration):
        raise SourceError(f"'{source}' lasts {info.duration:g} seconds; --start {float(wishes.begin):g} is after its end.")
    if wishes.size is None:
        return info
    width, height = wishes.size
    shape = info.pixel_aspect * Fraction(info.width, info.height)
    return replace(info, width=width, height=height, pixel_aspect=(shape * Fraction(height, width)).limit_denominator(1000))


def notices_about(info: VideoInfo, encoder: Encoder) -> list[str]:
    """What will not be as it was in the original."""
    notices = []
    if info.colours.hdr:
        notices.append(f"{info.colours.hdr} is tone-mapped to ordinary brightness (BT.709).")
    if info.interlaced:
        notices.append("Interlaced; it is deinterlaced to full frames.")
    if info.transparent:
        notices.append("Transparent in places; that becomes white, because a painted video is opaque.")
    if encoder.pixel_format == "yuv444p":
        notices.append(
            f"{info.width}x{info.height} is odd; it is kept in 4:4:4, which not every player shows. An even --size avoids that."
        )
    return notices
