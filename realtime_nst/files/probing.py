"""What is in a video file: its picture, its timing and its other tracks, as ffmpeg tells it.

There is no ffprobe beside the ffmpeg that pip brings, so this reads what ffmpeg itself prints when it decodes the
first frames.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from realtime_nst.addresses import is_address
from realtime_nst.errors import SourceError
from realtime_nst.files.colours import Colours, guess_for
from realtime_nst.files.ffmpeg import STALL_TIMEOUT, address, ask, last_words
from realtime_nst.video import LARGEST_SIDE

FRAMES_LOOKED_AT = 5
FASTEST = 240
"""More frames per second than that are a container's clock, not a frame rate."""
FALLBACK_RATE = Fraction(30)
ROUNDING = Fraction(1, 100_000)
"""Share by which a rate may be off because a container rounds times."""
LARGEST_PICTURE = 40_000_000
"""Pixels of a frame: more than 8K, less than what a damaged header invents."""
STREAM = re.compile(r"^\s*Stream #0:(\d+)(?:\[[^\]]*\])?(?:\(([^)]*)\))?: (\w+): (\w+)(.*)$")
SHOWN = re.compile(
    r"^\[\S*showinfo.*\bn: *\d+ pts: *(\S+) .*?duration: *(\S+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) i:(\w)", re.MULTILINE
)
COLOURS = re.compile(r"^\[\S*showinfo.*\bcolor_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)", re.MULTILINE)
MADE_ANEW = re.compile(r"\((?:text|tmcd) /")
"""Tracks in which QuickTime keeps chapters and time codes: ffmpeg writes them anew."""
ALPHA = re.compile(r"^\[\S*showinfo.*\bfmt:(?:yuva|gbrap|ya\d|rgba|bgra|argb|abgr)", re.MULTILINE)
ALPHA_BESIDE = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codecs that keep transparency in a picture beside the picture, and the decoders that read it."""
DEEP = re.compile(r"^\[\S*showinfo.*\bfmt:\S*(?:9|1[0246])(?:le|be)", re.MULTILINE)
LEAST_ALPHA = re.compile(r"YMIN=(\d+)")
FRAMES_SEEN_THROUGH = 50
OPAQUE = 255
SPHERICAL = re.compile(r"^\s+Spherical Mapping: (\w+)", re.MULTILINE | re.IGNORECASE)
TIMECODE = re.compile(r"^\s+timecode *: *(\S+)$", re.MULTILINE | re.IGNORECASE)
CONTAINER = re.compile(r"^Input #0, (\S+), from", re.MULTILINE)
DISCONTINUOUS = frozenset({"asf", "flv", "hls", "mpeg", "mpegts", "nut", "ogg", "wtv"})
HEADER_END = re.compile(r"^Stream mapping:", re.MULTILINE)
INTERLACED_LINES = (4, 1152)
"""Lines of pictures that may be interlaced, as far as one knows: fewer cannot be, more have never been."""
INTERLACED_WIDTH = 2048
CLOCK = re.compile(r"^\[\S*showinfo.*config in time_base: (\d+)/(\d+), frame_rate: (\d+)/(\d+)", re.MULTILINE)
THOROUGH = ("-analyzeduration", "60M", "-probesize", "100M")
"""For files: ffmpeg looks this far (microseconds, bytes) for the beginning of a track before it takes it for unknown."""
BRIEF = ("-analyzeduration", "1M")
"""For addresses: what is pushed from there goes on meanwhile."""
LIVE_START = "-2"
"""Which segment of a live stream is shown first, counted from the newest: one is on show while the next is made."""


@dataclass(frozen=True)
class Track:
    """A stream of a file.

    Args:
        index: Its number in the file.
        kind: "video", "audio", "subtitle", "attachment" or "data".
        codec: ffmpeg's name of it.
        cover: A still picture that stands for the file.
        language: Three letters, or empty.
    """

    index: int
    kind: str
    codec: str
    cover: bool = False
    language: str = ""

    def __str__(self) -> str:
        name = "cover" if self.cover else self.kind
        return f"{name} {self.codec}" + (f" ({self.language})" if self.language not in ("", "und") else "")


@dataclass(frozen=True)
class VideoInfo:
    """A file whose first video track is the picture.

    Args:
        width: Width of the decoded frames in pixels, after rotation.
        height: Height of the decoded frames in pixels, after rotation.
        rate: Frames per second, exactly; with variable rate about.
        duration: Seconds, or `None` where the file does not say.
        pixel_aspect: Width of a pixel over its height.
        colours: What the file says of them.
        interlaced: Whether its frames are two half pictures of different moments.
        time_base: Seconds of one tick of the file's clock.
        picture: Number of the video track.
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
        timecode: Of the first frame, empty where there is none.
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
    timecode: str = ""

    @property
    def audio_codecs(self) -> tuple[str, ...]:
        """Codec of each audio track."""
        return tuple(track.codec for track in self.tracks if track.kind == "audio")


def probe(path: str) -> VideoInfo:
    """Look into a file or stream, by letting ffmpeg decode its first frames.

    Args:
        path: A file's path or a URL.

    Raises:
        SourceError: It holds no video that ffmpeg can decode, or one too large.
    """
    command = [*looking(path), "-i", address(path), "-map", "0:V:0", "-vf", "sidedata=mode=delete,showinfo=checksum=0"]
    command += ["-frames:v", str(FRAMES_LOOKED_AT), "-fps_mode", "passthrough", "-f", "null", "-"]
    try:
        _, text = ask(command, STALL_TIMEOUT)
    except TimeoutError as error:
        raise SourceError(f"'{path}' gave no picture within {STALL_TIMEOUT:.0f} seconds. Check the address.") from error
    shown, clock = SHOWN.search(text), CLOCK.search(text)
    if shown is None or clock is None:
        raise SourceError(f"'{path}' holds no video that can be read. ffmpeg said: {last_words(text, path)}")
    width, height = int(shown[5]), int(shown[6])
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_PICTURE:
        raise SourceError(
            f"'{path}' has frames of {width}x{height}; at most {LARGEST_PICTURE / 1e6:.0f} megapixels fit into memory. "
            "The file may be damaged; if not, shrink it first."
        )
    header = HEADER_END.split(text)[0]
    container = match[1] if (match := CONTAINER.search(header)) else ""
    tracks = tuple(_tracks(header))
    picture = next((track.index for track in tracks if track.kind == "video" and not track.cover), 0)
    beside = next((ALPHA_BESIDE.get(track.codec, "") for track in tracks if track.index == picture), "")
    decoder = (f"-c:{picture}", beside) if beside and re.search(r"^\s*alpha_mode *: 1$", header, re.MULTILINE) else ()
    alpha = bool(decoder) or bool(ALPHA.search(text))
    aspect = _positive(shown[3], shown[4]) or Fraction(1)
    interlaced = any(match[7] in "TB" for match in SHOWN.finditer(text))
    return VideoInfo(
        width=width,
        height=height,
        rate=_rate(clock[3], clock[4]),
        duration=_duration(header),
        pixel_aspect=aspect,
        colours=replace(_colours(text), guess=guess_for(width, height)),
        interlaced=interlaced,
        time_base=_positive(clock[1], clock[2]) or Fraction(1, 1000),
        picture=picture,
        tracks=tracks,
        chapters=len(re.findall(r"^\s*Chapter #0:\d+: start", header, re.MULTILINE)),
        tags=_tags(header),
        alpha=alpha,
        transparent=alpha and _transparent(path, decoder),
        decoder=decoder,
        shape=aspect * Fraction(width, height),
        odd=bool(width % 2 or height % 2),
        deep=bool(DEEP.search(text)),
        deinterlaced=interlaced or (INTERLACED_LINES[0] <= height <= INTERLACED_LINES[1] and width <= INTERLACED_WIDTH),
        container=container,
        discontinuous=container in DISCONTINUOUS,
        captions="Closed Captions" in next((line for line in header.splitlines() if f"Stream #0:{picture}" in line), ""),
        spherical=match[1] if (match := SPHERICAL.search(header)) else "",
        timecode=match[1] if (match := TIMECODE.search(header)) else "",
    )


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
    maps = ["-map", f"{number}:v?", "-map", f"{number}:a?", "-c", "copy", "-f", "null", "-"]
    return maps if info.discontinuous else []


def last_moment(path: str, info: VideoInfo) -> float | None:
    """Seconds at which the sound and the subtitles of a file end; `None` where there are none."""
    kinds = {track.kind for track in info.tracks} & {"audio", "subtitle"}
    if not kinds:
        return None
    maps = [argument for kind in sorted(kinds) for argument in ("-map", f"0:{kind[0]}")]
    try:
        _, text = ask([*looking(path), "-i", address(path), *maps, "-c", "copy", "-f", "null", "-"], 4 * STALL_TIMEOUT)
    except TimeoutError:
        return None
    ends = re.findall(r"\btime=(\d+):(\d\d):(\d\d\.\d+)", text)
    return _seconds(ends[-1]) if ends else None


def _transparent(path: str, decoder: tuple[str, ...]) -> bool:
    """Whether something shows through one of the first frames."""
    least = "format=rgba,alphaextract,signalstats,metadata=print:key=lavfi.signalstats.YMIN"
    command = [*decoder, "-i", address(path), "-map", "0:V:0", "-vf", least, "-frames:v", str(FRAMES_SEEN_THROUGH)]
    try:
        _, text = ask([*command, "-f", "null", "-"], STALL_TIMEOUT)
    except TimeoutError:
        return False
    return any(int(number) < OPAQUE for number in LEAST_ALPHA.findall(text))


def _tracks(header: str) -> list[Track]:
    tracks: dict[int, Track] = {}  # programs may share one, which is listed with each of them
    for line in header.splitlines():
        if match := STREAM.match(line):
            kind = match[3].lower()
            if kind == "data" and MADE_ANEW.search(match[5]):
                continue
            cover = kind == "video" and "(attached pic)" in match[5]
            tracks[int(match[1])] = Track(int(match[1]), kind, match[4].lower(), cover, match[2] or "")
    return [tracks[index] for index in sorted(tracks)]


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
