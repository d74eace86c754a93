"""What is in a video file: its picture, its timing and its other tracks, as ffmpeg tells it.

There is no ffprobe beside the ffmpeg that pip brings, so this reads what ffmpeg itself prints when it decodes the
first frames.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst.errors import SourceError
from realtime_nst.frames import LARGEST_SIDE
from realtime_nst.media.addresses import is_address, mask
from realtime_nst.media.colours import Colours, guess_for
from realtime_nst.media.ffmpeg import STALL_TIMEOUT, address, last_words, look
from realtime_nst.media.protection import locked_tracks
from realtime_nst.media.stereo import layout, without_messages
from realtime_nst.media.tracks import Track, about, choose_picture, measure, read_tracks

FRAMES_LOOKED_AT = 5
FIRST = "0:V:0"
"""ffmpeg's words for the first video track that is not a cover."""
FASTEST = 240
"""More frames per second than that are a container's clock, not a frame rate."""
FALLBACK_RATE = Fraction(30)
ROUNDING = Fraction(1, 100_000)
"""Share by which a rate may be off because a container rounds times."""
LARGEST_PICTURE = 40_000_000
"""Pixels of a frame: more than 8K, less than what a damaged header invents."""
SHOWN = re.compile(
    r"\bn: *(?P<number>\d+) pts: *(?P<pts>\S+) .*?duration: *(?P<duration>\S+) .*?"
    r"sar:(?P<sar_wide>\d+)/(?P<sar_high>\d+) s:(?P<width>\d+)x(?P<height>\d+) i:(?P<field>\w)"
)
"""What `showinfo` says of a frame; it need not begin the line, because the line before may not have ended."""
COLOURS = re.compile(r"\bcolor_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
ALPHA = re.compile(r"\bpts_time:.*\bfmt:(?:yuva|gbrap|ya\d|rgba|bgra|argb|abgr)")
ALPHA_BESIDE = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codecs that keep transparency in a picture beside the picture, and the decoders that read it."""
DEEP = re.compile(r"\bpts_time:.*\bfmt:\S*(?:9|1[0246])(?:le|be)")
LEAST_ALPHA = re.compile(r"YMIN=(\d+)")
FRAMES_SEEN_THROUGH = 50
OPAQUE = 255
SPHERICAL = re.compile(r"^\s+Spherical Mapping: (\w+)", re.MULTILINE | re.IGNORECASE)
LAST_REPORT = re.compile(r"^(?:frame|size)=.*\btime=(\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
CONTAINER = re.compile(r"^Input #0, (\S+), from", re.MULTILINE)
TIMECODE = re.compile(r"^\s+timecode *: *(\S+)$", re.MULTILINE | re.IGNORECASE)
DISCONTINUOUS = frozenset({"asf", "flv", "hls", "mpeg", "mpegts", "nut", "ogg", "wtv"})
EDIT_LISTS = re.compile(r"^Input #0, mov,", re.MULTILINE)
HEADER_END = re.compile(r"^Stream mapping:", re.MULTILINE)
INTERLACED_LINES = (4, 1152)
"""Lines of pictures that may be interlaced, as far as one knows: fewer cannot be, more have never been."""
INTERLACED_WIDTH = 2048
CLOCK = re.compile(r"config in time_base: (\d+)/(\d+), frame_rate: (\d+)/(\d+)")
QUICKTIME = re.compile(r"^Input #0, (?:mov|mp4),", re.MULTILINE)
SILENT = re.compile(r"Connection (?:refused|timed out)|No route to host|Network is unreachable|Failed to resolve hostname")
CUT_SHORT = "moov atom not found"
TWICE_SAID = "error code: -17"
"""ffmpeg 9 where picture and file say the same (`File exists`)."""
THOROUGH = ("-analyzeduration", "60M", "-probesize", "100M")
"""For files: ffmpeg looks this far (microseconds, bytes) for the beginning of a track before it takes it for unknown."""
BRIEF = ("-analyzeduration", "1M")
"""For addresses: what is pushed from there goes on meanwhile."""
LIVE_START = "-2"
"""Which segment of a live stream is shown first, counted from the newest: one is on show while the next is made."""


@dataclass(frozen=True)
class VideoInfo:
    """A file one of whose video tracks is the picture.

    Args:
        width: Width of the decoded frames in pixels, after rotation.
        height: Height of the decoded frames in pixels, after rotation.
        rate: Frames per second, exactly; with variable rate about.
        duration: Seconds, or `None` where the file does not say.
        pixel_aspect: Width of a pixel over its height.
        colours: What the file says of them.
        interlaced: Whether its frames are two half pictures of different moments.
        time_base: Seconds of one tick of the file's clock.
        picture: Number of the track that is the picture.
        selector: The same in ffmpeg's words.
        choice: Why it is that one, in words, where there are others.
        tracks: All tracks, the video included.
        chapters: How many.
        tags: Names of the remarks about the whole file.
        alpha: Whether its frames can be transparent.
        transparent: Whether one of the first is.
        decoder: Arguments that choose how the picture is decoded, before the input.
        shape: Width of the decoded picture over its height, as it is shown.
        odd: Whether it has an odd number of columns or lines.
        deep: Whether its colours have more than eight bits.
        deinterlaced: Whether interlaced frames among the others are looked for.
        container: ffmpeg's name of its kind of file.
        discontinuous: Whether its kind of file is one in which times may jump.
        captions: Whether text is hidden inside the picture (EIA-608).
        spherical: How a picture of all directions is laid out (360 degrees), empty for others.
        stereo: How two views lie in the picture (3D), as `layout` has it; empty where there is one.
        timecode: Of the first frame, empty where there is none.
        edits: Whether its kind of file is one with edit lists.
    """

    width: int
    height: int
    rate: Fraction
    duration: float | None = None
    pixel_aspect: Fraction = Fraction(1)
    colours: Colours = field(default_factory=Colours)
    interlaced: bool = False
    time_base: Fraction = Fraction(1, 1000)
    picture: int = 0
    selector: str = FIRST
    choice: str = ""
    tracks: tuple[Track, ...] = ()
    chapters: int = 0
    tags: tuple[str, ...] = ()
    alpha: bool = False
    transparent: bool = False
    decoder: tuple[str, ...] = ()
    shape: Fraction = Fraction(0)
    odd: bool = False
    deep: bool = False
    deinterlaced: bool = False
    container: str = ""
    discontinuous: bool = False
    captions: bool = False
    spherical: str = ""
    stereo: str = ""
    timecode: str = ""
    edits: bool = False

    @property
    def squared(self) -> tuple[int, int]:
        """Width and height at which square pixels show the picture in its shape. The longer side of a pixel decides, so
        that nothing gets smaller.
        """
        shape = self.pixel_aspect * Fraction(self.width, self.height)
        return max(self.width, round(self.height * shape)), max(self.height, round(self.width / shape))

    @property
    def still(self) -> bool:
        """Whether it is a picture, and no film."""
        return self.container == "image2" or self.container.endswith("_pipe")


def probe(path: str, decoder: tuple[str, ...] = ()) -> VideoInfo:
    """Look into a file or stream, by letting ffmpeg decode its first frames.

    Args:
        path: A file's path or a URL.
        decoder: Arguments before the input, where ffmpeg does not find out by itself what it is.

    Raises:
        SourceError: It holds no video that ffmpeg can decode, or one too large.
    """
    stream = is_address(path)  # which may take seconds to open, so that it is opened once if possible
    text = _said(path, _decoding(FIRST) if stream else [], decoder)
    header = HEADER_END.split(text)[0]
    locked = locked_tracks(Path(path)) if QUICKTIME.search(header) and not stream else frozenset()
    tracks = tuple(read_tracks(header, locked))
    picture, choice = choose_picture(tracks, lambda some: {} if stream else measure(looking(path), path, some))
    if picture is None and any(track.kind == "video" and track.locked for track in tracks):
        raise SourceError(
            f"'{path}' is encrypted: only a player that has its key can show it. Paint a copy that is not protected."
        )
    number, codec = (0, "") if picture is None else (picture.index, picture.codec)
    films = [track.index for track in tracks if track.kind == "video" and not track.cover]
    selector = FIRST if number in films[:1] or picture is None else f"0:{number}"
    if not stream or selector != FIRST:
        text = _said(path, _decoding(selector), decoder)
    if TWICE_SAID in text and not SHOWN.search(text) and (filters := without_messages(codec, number)):
        decoder += filters
        text = _said(path, _decoding(selector), decoder)
    shown, clock = SHOWN.search(text), CLOCK.search(text)
    if shown is None or clock is None:
        if stream and (silence := SILENT.search(text)):
            raise SourceError(f"'{mask(path)}' does not answer: {silence[0]}. Check the address.")
        raise SourceError(f"'{mask(path) if stream else path}' holds no video that can be read{_why(tracks, text, path)}")
    width, height = int(shown["width"]), int(shown["height"])
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PICTURE:
        raise SourceError(
            f"'{path}' has frames of {width}x{height}; at most {LARGEST_PICTURE / 1e6:.0f} megapixels fit into memory. "
            "The file may be damaged; if not, shrink it first."
        )
    container = match[1] if (match := CONTAINER.search(header)) else ""
    remarks = about(header, number)
    if codec in ALPHA_BESIDE and re.search(r"^\s*alpha_mode *: 1$", remarks, re.MULTILINE):
        decoder += (f"-c:{number}", ALPHA_BESIDE[codec])
    alpha = f"-c:{number}" in decoder or bool(ALPHA.search(text))
    aspect = _positive(shown["sar_wide"], shown["sar_high"]) or Fraction(1)
    interlaced = any(match["field"] in "TB" for match in SHOWN.finditer(text))
    return VideoInfo(
        width=width,
        height=height,
        rate=_rate(clock[3], clock[4]),
        duration=_duration(header),
        pixel_aspect=aspect,
        colours=replace(_colours(text), guess=guess_for(width, height)),
        interlaced=interlaced,
        time_base=_positive(clock[1], clock[2]) or Fraction(1, 1000),
        picture=number,
        selector=selector,
        choice=choice,
        tracks=tracks,
        chapters=len(re.findall(r"^\s*Chapter #0:\d+: start", header, re.MULTILINE)),
        tags=_tags(header),
        alpha=alpha,
        transparent=alpha and _transparent(path, selector, decoder),
        decoder=decoder,
        shape=aspect * Fraction(width, height),
        odd=bool(width % 2 or height % 2),
        deep=bool(DEEP.search(text)),
        deinterlaced=interlaced or (INTERLACED_LINES[0] <= height <= INTERLACED_LINES[1] and width <= INTERLACED_WIDTH),
        container=container,
        discontinuous=container in DISCONTINUOUS,
        captions="Closed Captions" in remarks.partition("\n")[0],
        spherical=match[1] if (match := SPHERICAL.search(remarks)) else "",
        stereo=layout(remarks) or layout(HEADER_END.split(text)[-1]),
        timecode=match[1] if (match := TIMECODE.search(header)) else "",
        edits=bool(EDIT_LISTS.search(header)),
    )


def _why(tracks: Sequence[Track], text: str, path: str) -> str:
    """The end of the message about a file without a picture."""
    kinds = {track.kind for track in tracks if not track.cover}
    if kinds and "video" not in kinds:
        names = sorted(kind + "s" * (kind in ("subtitle", "attachment")) for kind in kinds)
        return f": it has no picture, only {' and '.join(names)}. Choose a file with pictures."
    films = [track for track in tracks if track.kind == "video" and not track.cover]
    if films and all(track.empty for track in films):
        return ": none of its video tracks carries pictures. Choose a file with pictures."
    cut = " It is cut short: its index is missing. Copy or record it again." if CUT_SHORT in text else ""
    return f". ffmpeg said: {last_words(text, path)}{cut}"


def looking(path: str) -> tuple[str, ...]:
    """Arguments before an original as an input: how far to look for tracks."""
    return BRIEF if is_address(path) else THOROUGH


def joining(info: VideoInfo) -> list[str]:
    """Arguments before a stream that has been looked into, so that its first frame comes soon."""
    container = {"hls": ["-live_start_index", LIVE_START], "mpegts": ["-scan_all_pmts", "0"]}
    return ["-fpsprobesize", "0", *container.get(info.container, [])]


def all_tracks(info: VideoInfo, number: int) -> list[str]:
    """Arguments for an output to nowhere of all tracks of an input.

    In some kinds of files ffmpeg counts time from the first track that is used, so that a picture that begins after the
    sound would move against it: then all are used.
    """
    used = [track for track in info.tracks if track.kind in ("video", "audio") and not track.empty]
    maps = [argument for track in used for argument in ("-map", f"{number}:{track.index}")]
    return [*maps, "-c", "copy", "-f", "null", "-"] if info.discontinuous and used else []


def last_moment(path: str, info: VideoInfo) -> float | None:
    """Seconds at which the other tracks of a file end; `None` where there are none."""
    others = [track for track in info.tracks if track.index != info.picture and track.kind in ("audio", "subtitle", "video")]
    maps = [argument for track in others if not (track.cover or track.empty) for argument in ("-map", f"0:{track.index}")]
    if not maps:
        return None
    try:
        text, _ = look([*looking(path), "-i", address(path), *maps, "-c", "copy", "-f", "null", "-"], 4 * STALL_TIMEOUT)
    except TimeoutError:
        return None
    ends = LAST_REPORT.findall(text)
    return _seconds(ends[-1]) if ends else None


def _said(path: str, asked: list[str], decoder: tuple[str, ...] = ()) -> str:
    """What ffmpeg says of a file when it is opened and something is done with it."""
    try:
        return look([*decoder, *looking(path), "-i", address(path), *asked], STALL_TIMEOUT)[0]
    except TimeoutError as error:
        raise SourceError(f"'{path}' gave no picture within {STALL_TIMEOUT:.0f} seconds. Check the address.") from error


def _decoding(selector: str) -> list[str]:
    """Arguments that decode the first frames of a track, and tell of them."""
    some = ["-frames:v", str(FRAMES_LOOKED_AT), "-fps_mode", "passthrough"]
    return ["-map", selector, "-vf", "showinfo=checksum=0", *some, "-f", "null", "-"]


def _transparent(path: str, selector: str, decoder: tuple[str, ...]) -> bool:
    """Whether something shows through one of the first frames."""
    least = "format=rgba,alphaextract,signalstats,metadata=print:key=lavfi.signalstats.YMIN"
    command = [*decoder, "-i", address(path), "-map", selector, "-vf", least, "-frames:v", str(FRAMES_SEEN_THROUGH)]
    try:
        text, _ = look([*command, "-f", "null", "-"], STALL_TIMEOUT)
    except TimeoutError:
        return False
    return any(int(number) < OPAQUE for number in LEAST_ALPHA.findall(text))


def _tags(header: str) -> tuple[str, ...]:
    block = re.search(r"^  Metadata:\n((?:    .*\n)+)", header, re.MULTILINE)
    return tuple(re.findall(r"^    (\S[^:\n]*?) *: ", block[1], re.MULTILINE)) if block else ()


def _duration(header: str) -> float | None:
    length = re.search(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", header, re.MULTILINE)
    return (_seconds(length.groups()) or None) if length else None


def _seconds(parts: Sequence[str]) -> float:
    """Hours, minutes and seconds in one number."""
    return sum(float(part) * unit for part, unit in zip(parts, (3600, 60, 1)))


def _colours(text: str) -> Colours:
    match = COLOURS.search(text)
    if match is None:
        return Colours()
    shown_range, matrix, primaries, transfer = ("" if word == "unknown" else word for word in match.groups())
    return Colours(matrix, primaries, transfer, full_range=shown_range in ("pc", "jpeg", "full"))


def _rate(above: str, below: str) -> Fraction:
    """A frame rate without what rounded times have made of it, as in 19001/317 for 60000/1001."""
    rate = _positive(above, below)
    if rate is None or not Fraction(1, 3600) <= rate <= FASTEST:
        return FALLBACK_RATE
    for usual in (Fraction(round(rate)), Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)):
        if abs(usual - rate) <= rate * ROUNDING:
            return usual
    return rate if rate.numerator <= FASTEST * 1001 else rate.limit_denominator(1001)


def _positive(above: str, below: str) -> Fraction | None:
    return Fraction(int(above), int(below)) if int(above) > 0 and int(below) > 0 else None
