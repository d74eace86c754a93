"""How videos are to be painted, what came of it, and what the user should know before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import SinkError, SourceError
from realtime_nst.media.containers import Container
from realtime_nst.media.encoders import Encoder
from realtime_nst.media.probing import LARGEST_PICTURE, VideoInfo
from realtime_nst.media.stereo import in_words, kept
from realtime_nst.style.schedule import StylePath


@dataclass(frozen=True)
class VideoOptions:
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


def checked(info: VideoInfo, source: Path, options: VideoOptions, container: Container) -> tuple[VideoInfo, list[str]]:
    """What is in a file, at the size that is wanted: its pixels are shaped so that the picture keeps its shape.

    Returns:
        That, and what the user should know about it.

    Raises:
        NSTError: It has nothing between `begin` and `end`, or the size is too large.
    """
    if options.end is not None and options.end <= options.begin:
        raise SinkError(
            f"--end {float(options.end):g} is not after --start {float(options.begin):g}. Both count from the beginning."
        )
    if info.duration is not None and options.begin >= Fraction(info.duration):
        raise SourceError(f"'{source}' lasts {info.duration:g} seconds; --start {float(options.begin):g} is after its end.")
    width, height = options.size or (info.width, info.height)
    shape = info.pixel_aspect * Fraction(info.width, info.height)
    squared = container.silent and options.size is None and info.pixel_aspect != 1
    if squared:
        width, height = info.squared
    if width * height > LARGEST_PICTURE:
        raise SinkError(
            f"{width}x{height} is too large: at most {LARGEST_PICTURE / 1e6:.0f} megapixels fit into memory. Choose a smaller "
            "--size."
        )
    aspect = (shape * Fraction(height, width)).limit_denominator(1000)
    words = []
    if squared:
        words = [f"{container.name} has square pixels only; {info.width}x{info.height} becomes {width}x{height}."]
        aspect = Fraction(1)
    elif container.silent and aspect != 1:
        words = [f"{container.name} has square pixels only; at {width}x{height} the picture does not keep its shape."]
    return replace(info, width=width, height=height, pixel_aspect=aspect), words


def notices_about(info: VideoInfo, container: Container, encoder: Encoder) -> list[str]:
    """What is painted, and what will not be as it was in the original."""
    notices = [info.choice] if info.choice else []
    if info.colours.hdr:
        notices.append(f"{info.colours.hdr} is tone-mapped to ordinary brightness (BT.709).")
    if info.colours.guessed:
        notices.append(f"The colour matrix {info.colours.matrix} is not known here; its colours may be off.")
    if info.interlaced:
        notices.append("Interlaced; it is deinterlaced to full frames.")
    if info.transparent:
        notices.append("Transparent in places; that becomes white, because a painted video is opaque.")
    if info.spherical:
        notices.append(f"It shows all directions ({info.spherical}); the painted file does not say so, and players show it flat.")
    if info.stereo and not kept(info.stereo, container.format, encoder.name):
        which = f"a {container.name.upper()}" if container.silent else f"{container.name} with {encoder.family}"
        notices.append(f"It is 3D ({in_words(info.stereo)}); {which} cannot say that, and players will show it flat.")
    if encoder.pixel_format == "yuv444p":
        notices.append(
            f"{info.width}x{info.height} is odd; it is kept in 4:4:4, which not every player shows. An even --size avoids that."
        )
    return notices


def notices_after(info: VideoInfo, interlaced: bool, sizes: Mapping[tuple[int, int], Fraction | None]) -> list[str]:
    """What has come to light on the way.

    Args:
        info: What was known at the beginning.
        interlaced: Whether some frames were interlaced.
        sizes: Width and height that decoded frames have had, each with its first moment.
    """
    notices = []
    if interlaced and not info.interlaced:
        notices.append("Interlaced in places; these are deinterlaced to full frames.")
    (width, height), *others = sizes or {(info.width, info.height): None}
    for other in others:
        moment = sizes[other]
        when = "" if moment is None else f" from {float(moment):.1f} seconds on"
        notices.append(
            f"{other[0]}x{other[1]} instead of {width}x{height}{when}; it is fitted into the same frame, with margins if need be."
        )
    return notices
