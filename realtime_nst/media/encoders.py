"""Which encoder writes the picture, and with which arguments: software, or hardware where it is asked for and works."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from realtime_nst.errors import SinkError
from realtime_nst.media.containers import Container
from realtime_nst.media.ffmpeg import ask, last_words

SOFTWARE = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "ffv1": "ffv1",
    "png": "png",
}
HARDWARE = ("nvenc", "videotoolbox", "qsv", "amf", "vaapi")
"""Kinds of hardware encoders, in the order in which `auto` tries them."""
HARDWARE_FAMILIES = ("h264", "hevc", "av1", "vp9")
X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
QUALITY = {"libx264": (0, 51, 18), "libx265": (0, 51, 20), "libsvtav1": (1, 63, 26), "libvpx-vp9": (0, 63, 24)}
"""Lowest, highest and usual `--crf`; less is better and larger."""
HARDWARE_QUALITY = (1, 51, 20)
PRESETS = {
    "libx264": (X264_PRESETS, "veryfast"),
    "libx265": (X264_PRESETS, "veryfast"),
    "libsvtav1": (tuple(map(str, range(14))), "9"),
    "libvpx-vp9": (tuple(map(str, range(9))), "6"),
    "nvenc": (tuple(f"p{number}" for number in range(1, 8)), "p4"),
}
SMALLEST = {"libx265": 64, "libsvtav1": 64}
"""Pixels of a side: with less, these may crash."""
TRIAL_TIMEOUT = 20.0
SIDE_OF_TRIAL = 256


@dataclass(frozen=True)
class Encoder:
    """A way to write the picture.

    Args:
        name: ffmpeg's name.
        family: The codec, as in "h264".
        arguments: For ffmpeg, from `-c:v` on.
        pixel_format: What it is fed.
        before: Arguments that come before the inputs.
        filters: Filters that come last.
    """

    name: str
    family: str
    arguments: tuple[str, ...]
    pixel_format: str
    before: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()

    @property
    def rgb(self) -> bool:
        """Whether it keeps RGB as it is."""
        return self.pixel_format in ("rgb24", "bgr0")

    @property
    def segment_format(self) -> str:
        """The kind of file that keeps exact times around this codec."""
        return "mov" if self.family in ("png", "prores", "ffv1") else "mp4"


def alike(encoder: Encoder, height: int) -> Encoder:
    """An encoder that gives the same wherever it runs: H.264 of x264 depends on how many threads it uses.

    Args:
        encoder: Any.
        height: Of the pictures in pixels.

    Returns:
        One that uses as many as it would on this machine.
    """
    if encoder.name != "libx264":
        return encoder
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    threads = max(1, min(3 * cores // 2, (height + 15) // 16 // 2))  # as x264 chooses
    return replace(encoder, arguments=(*encoder.arguments, "-threads:v:0", str(threads)))


def choose_encoder(
    container: Container, width: int, height: int, *, codec: str | None = None, crf: int | None = None, preset: str | None = None
) -> tuple[Encoder, list[str]]:
    """The encoder for a file.

    Args:
        container: The kind of file.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        codec: A family as in "hevc", a hardware encoder as in "h264_nvenc", "auto" for hardware if there is any, or
            `None` for what suits the container.
        crf: Quality; `None` takes the usual one.
        preset: Speed against size; `None` takes the usual one.

    Returns:
        The encoder, and what the user should know about the choice.

    Raises:
        SinkError: No such codec, not in this container, or no such quality or preset.
    """
    family = container.codecs[0] if codec in (None, "auto") else str(codec).partition("_")[0]
    kind = str(codec).partition("_")[2]
    if (
        family not in SOFTWARE
        or (kind and (kind not in HARDWARE or family not in HARDWARE_FAMILIES))
        or family == "png" != container.codecs[0]
    ):
        known = ", ".join(name for name in SOFTWARE if name != "png")
        raise SinkError(f"No codec '{codec}'. Expected: auto, {known}, or a hardware encoder such as h264_{HARDWARE[0]}.")
    if container.codecs == ("png",) and codec not in (None, "auto"):
        raise SinkError(
            f"{container.name} takes no --codec: there is only one way to write it. Leave it out, or choose another ending."
        )
    if family not in container.codecs:
        raise SinkError(
            f"{container.name} cannot hold {family}; it holds {', '.join(container.codecs)}. Choose one, or another ending."
        )
    kinds: Sequence[str] = HARDWARE if codec == "auto" and family in HARDWARE_FAMILIES else [kind] if kind else []
    for hardware in kinds:
        try:
            encoder = _hardware(family, hardware, crf, preset, software_preset_allowed=codec == "auto")
        except SinkError:
            if codec != "auto":
                raise
            continue  # it has no such quality, and software may have
        words = _try(encoder, width, height)
        if not words:
            return encoder, [f"The picture is encoded by {encoder.name}."] if codec == "auto" else []
    encoder = _software(family, width, height, crf, None if kind else preset)
    if kind:
        return encoder, [f"{codec} does not work here ({words.rstrip('.')}); {encoder.name} is used instead."]
    if codec == "auto" and family in HARDWARE_FAMILIES:
        return encoder, [f"No hardware encoder works here; {encoder.name} is used."]
    return encoder, []


def _software(family: str, width: int, height: int, crf: int | None, preset: str | None) -> Encoder:
    name = SOFTWARE[family]
    if name not in QUALITY and (crf is not None or preset is not None):
        raise SinkError(f"{family} takes neither --crf nor --preset. Leave them out, or choose another --codec.")
    if family == "png":
        return Encoder(name, family, ("-c:v", "png"), "rgb24")
    if family == "ffv1":
        return Encoder(name, family, ("-c:v", "ffv1", "-level", "3", "-g", "1"), "bgr0")
    if family == "prores":
        return Encoder(name, family, ("-c:v", "prores_ks", "-profile:v", "hq", "-vendor", "apl0"), "yuv422p10le")
    smallest = SMALLEST.get(name, 1)
    if min(width, height) < smallest:
        raise SinkError(
            f"{name} cannot encode {width}x{height}; at least {smallest}x{smallest} was expected. Choose another "
            "--codec, or a larger --size."
        )
    quality = _quality(name, crf, QUALITY[name])
    speed = _preset(name, preset, *PRESETS[name])
    odd = bool(width % 2 or height % 2)
    if family == "vp9":
        tuned = ("-crf", str(quality), "-b:v", "0", "-deadline", "good", "-cpu-used", speed, "-row-mt", "1")
        return Encoder(name, family, ("-c:v", name, *tuned), "yuv420p")
    arguments = ["-c:v", name, "-preset", speed, "-crf", str(quality)]
    if family == "hevc":
        arguments += ["-tag:v", "hvc1", "-x265-params", "log-level=error"]
    # 4:2:0 of H.264 and HEVC cannot hold an odd number of pixels; 4:4:4 can, and shifts nothing.
    return Encoder(name, family, tuple(arguments), "yuv444p" if odd and family != "av1" else "yuv420p")


def _hardware(family: str, kind: str, crf: int | None, preset: str | None, *, software_preset_allowed: bool) -> Encoder:
    name = f"{family}_{kind}"
    quality = _quality(name, crf, HARDWARE_QUALITY)
    arguments = ["-c:v", name]
    if kind == "nvenc":
        speed = "p4" if software_preset_allowed else _preset(name, preset, *PRESETS["nvenc"])
        arguments += ["-preset", speed, "-rc", "vbr", "-cq", str(quality), "-b:v", "0"]
    elif kind == "qsv":
        arguments += ["-global_quality", str(quality)]
    elif kind == "videotoolbox":
        arguments += ["-q:v", str(round(100 - 1.9 * quality))]
    elif kind == "amf":
        arguments += ["-rc", "cqp", "-qp_i", str(quality), "-qp_p", str(quality)]
    else:
        arguments += ["-qp", str(quality)]
    if family == "hevc":
        arguments += ["-tag:v", "hvc1"]
    if kind == "vaapi":
        return Encoder(
            name, family, tuple(arguments), "vaapi", ("-vaapi_device", "/dev/dri/renderD128"), ("format=nv12", "hwupload")
        )
    return Encoder(name, family, tuple(arguments), "nv12" if kind == "qsv" else "yuv420p")


def _quality(name: str, crf: int | None, limits: tuple[int, int, int]) -> int:
    lowest, highest, usual = limits
    if crf is not None and not lowest <= crf <= highest:
        raise SinkError(f"--crf {crf} is not for {name}: {lowest} (best) to {highest} were expected; usual is {usual}.")
    return usual if crf is None else crf


def _preset(name: str, preset: str | None, known: Sequence[str], usual: str) -> str:
    if preset is not None and preset not in known:
        raise SinkError(f"--preset {preset} is not for {name}: {', '.join(known)} were expected; usual is {usual}.")
    return preset or usual


@cache
def _try(encoder: Encoder, width: int, height: int) -> str:
    """Encode two frames of this size; empty when it works, else what ffmpeg said."""
    size = f"{max(width, SIDE_OF_TRIAL)}x{max(height, SIDE_OF_TRIAL)}"
    command = [*encoder.before, "-loglevel", "error", "-f", "lavfi", "-i", f"color=gray:size={size}:rate=25", "-frames:v", "2"]
    command += ["-vf", ",".join(encoder.filters)] if encoder.filters else ["-pix_fmt", encoder.pixel_format]
    try:
        code, text = ask([*command, *encoder.arguments, "-f", "null", "-"], TRIAL_TIMEOUT)
    except TimeoutError as error:
        return str(error)
    return last_words(text, size) if code else ""
