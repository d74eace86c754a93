"""The tracks of a file, and which of them is the picture, out of ffmpeg's messages about it.

The first video track need not be the film: it can be a preview that nobody marked as one, or carry nothing at all. What
the picture looks like is read in probing.py.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from realtime_nst.media.ffmpeg import STALL_TIMEOUT, address, look

STREAM = re.compile(r"^\s*Stream #0:(\d+)(?:\[0x(\w+)\])?(?:\(([^)]*)\))?: (\w+): (\w+)(.*)$", re.MULTILINE)
SIZE = re.compile(r", (\d+x\d+)\b")
AVERAGE = re.compile(r", (\d+(?:\.\d+)?) fps\b")
NEXT = re.compile(r"^\s*(?:Stream|Program|Chapters?|Output) ", re.MULTILINE)
MADE_ANEW = re.compile(r"\((?:text|tmcd) /")
"""Tracks in which QuickTime keeps chapters and time codes: ffmpeg writes them anew."""
ROLES = re.compile(r"\((default|dub|original|comment|lyrics|karaoke|forced|hearing impaired|captions|descriptions)\)")
KEY_NAMED = re.compile(r"^\s+enc_key_id *:", re.MULTILINE | re.IGNORECASE)
"""Matroska's way to say that a track is encrypted."""
CLOCKS = re.compile(r"^#tb (\d+): (\d+)/(\d+)$", re.MULTILINE)
PACKETS = re.compile(r"^(\d+), *(-?\d+), *-?\d+, *(\d+),", re.MULTILINE)
"""In ffmpeg's list: the track, when a packet is decoded, and for how long."""
LOOKED_AT = "60000"
"""Bytes of ffmpeg's list of packets, about a thousand: a track that ends much earlier than the others does so within."""
ABOUT_AS_LONG = Fraction(1, 2)


@dataclass(frozen=True)
class Track:
    """A stream of a file.

    Args:
        index: Its number in the file.
        kind: "video", "audio", "subtitle", "attachment" or "data".
        codec: ffmpeg's name of it.
        cover: A still picture that stands for the file.
        language: Three letters, or empty.
        default: Whether it is to be played where nobody chooses.
        size: Width and height in pixels as in "96x64", of video.
        average: Its frames per second over all its length, of video; 0 where that is not known.
        empty: Whether it has a name and nothing else.
        locked: Whether it is encrypted.
        cut: Whether an edit list plays several pieces of it.
        late: Whether an edit list leaves out its beginning; not looked for in pictures.
        charset: What its text is written in, as far as that is known not to be UTF-8.
        roles: What it is for, in ffmpeg's names, of subtitles.
        rewritten: The file that has its text in UTF-8, empty where the original is read.
    """

    index: int
    kind: str
    codec: str
    cover: bool = False
    language: str = ""
    default: bool = False
    size: str = ""
    average: float = 0.0
    empty: bool = False
    locked: bool = False
    cut: bool = False
    late: bool = False
    charset: str = ""
    roles: tuple[str, ...] = ()
    rewritten: str = ""

    @property
    def in_parts(self) -> bool:
        """Whether not all of it is played."""
        return self.cut or self.late

    def __str__(self) -> str:
        name = "cover" if self.cover else self.kind
        return f"{name} {self.codec}" + (f" ({self.language})" if self.language not in ("", "und") else "")


def read_tracks(header: str, locked: Collection[int] = ()) -> list[Track]:
    """The tracks that ffmpeg names, by number.

    Args:
        header: Its messages about the file.
        locked: The file's own numbers of those that are known to be encrypted.
    """
    tracks: dict[int, Track] = {}  # programs may share one, which is listed with each of them
    for match in STREAM.finditer(header):
        index, kind, codec, rest = int(match[1]), match[4].lower(), match[5].lower(), match[6]
        size = found[1] if (found := SIZE.search(rest)) else ""
        if kind == "data" and MADE_ANEW.search(rest):
            continue
        tracks[index] = Track(
            index,
            kind,
            codec,
            cover=kind == "video" and "(attached pic)" in rest,
            language=match[3] or "",
            default="(default)" in rest,
            size=size,
            average=float(found[1]) if (found := AVERAGE.search(rest)) else 0.0,
            roles=tuple(role.replace(" ", "_") for role in ROLES.findall(rest)) if kind == "subtitle" else (),
            empty=codec != "none" and ((kind == "video" and not size) or (kind == "audio" and ", 0 channels" in rest)),
            locked=int(match[2] or "0", 16) in locked or bool(KEY_NAMED.search(about(header, index))),
        )
    return [tracks[index] for index in sorted(tracks)]


def about(header: str, index: int) -> str:
    """All that ffmpeg says about one track."""
    match = next((match for match in STREAM.finditer(header) if int(match[1]) == index), None)
    return "" if match is None else match[0] + NEXT.split(header[match.end() :], maxsplit=1)[0]


def choose_picture(tracks: Sequence[Track], measured: Callable[[Sequence[Track]], "Lengths"]) -> tuple[Track | None, str]:
    """Which track is the picture.

    Args:
        tracks: All tracks.
        measured: Finds out how long some of them are; called only where there is something to choose from.

    Returns:
        The track, `None` where there is none, and in words why it is this one, empty where there is no other.
    """
    films = [track for track in tracks if track.kind == "video" and not (track.cover or track.locked)]
    left, why = films, ""

    def narrow(reason: str, keeps: Callable[[Track], bool]) -> None:
        nonlocal left, why
        fewer = [track for track in left if keeps(track)]
        if fewer and len(fewer) < len(left):
            left, why = fewer, reason

    narrow("no other carries pictures", lambda track: not track.empty)
    if len(left) > 1:
        lengths = measured(left)
        pictures = {track.index: lengths.get(track.index, (0, Fraction(0))) for track in left}
        longest = max(seconds for _, seconds in pictures.values())
        narrow("no other carries pictures", lambda track: pictures[track.index][0] > 0)
        narrow("no other holds more than a single picture", lambda track: pictures[track.index][0] > 1)
        narrow("it is marked as the default", lambda track: track.default)
        narrow("it lasts longer", lambda track: pictures[track.index][1] >= longest * ABOUT_AS_LONG)
    if len(films) < 2:
        return (films[0] if films else None), ""
    chosen = left[0]
    why = why if len(left) == 1 else "it is the first"
    looks = ", ".join(filter(None, (chosen.codec, chosen.size)))
    return chosen, f"Of its {len(films)} video tracks, number {films.index(chosen) + 1} is painted ({looks}): {why}."


Lengths = dict[int, tuple[int, Fraction]]
"""Numbers of tracks, and for each how many packets it has, and for how many seconds."""


def measure(before: Sequence[str], path: str, tracks: Sequence[Track]) -> Lengths:
    """How long the first parts of some tracks are; nothing is decoded.

    Args:
        before: Arguments before the input.
        path: A file's path or a URL.
        tracks: Which.
    """
    maps = [argument for track in tracks for argument in ("-map", f"0:{track.index}")]
    command = [*before, "-i", address(path), *maps, "-c", "copy", "-fs", LOOKED_AT, "-f", "framecrc", "-"]
    try:
        _, listed = look(command, STALL_TIMEOUT)
    except TimeoutError:
        return {}
    ticks = {int(number): Fraction(int(above), int(below)) for number, above, below in CLOCKS.findall(listed)}
    shown: dict[int, list[tuple[int, int]]] = {}
    for number, begin, length in PACKETS.findall(listed):
        shown.setdefault(int(number), []).append((int(begin), int(begin) + int(length)))
    return {
        tracks[number].index: (len(spans), (max(end for _, end in spans) - min(begin for begin, _ in spans)) * ticks[number])
        for number, spans in shown.items()
    }
