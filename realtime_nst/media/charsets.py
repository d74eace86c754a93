"""Text subtitles that are not UTF-8, as old ones are not: read line by line, and written anew as a file in UTF-8.

ffmpeg leaves out each line that it cannot read, and goes on; one that is read in wrong characters becomes rubbish. So lines that
are UTF-8 stay as they are, whatever the others are.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from realtime_nst.media.containers import UNKNOWN, TrackPlan
from realtime_nst.media.ffmpeg import address, produce
from realtime_nst.media.probing import VideoInfo, looking
from realtime_nst.media.tracks import Track

LOST = re.compile(r"Invalid UTF-8 in decoded subtitles|Unable to recode subtitle|Error decoding subtitles")
"""What ffmpeg says of a line that it leaves out."""
ALL_MAY_FAIL = ("-max_error_rate", "1")
"""Arguments by which ffmpeg keeps the lines that it can read also where these are few."""
USUAL = "CP1252"
"""Of Western Europe and America; Latin-1 is a part of it."""
OF_LANGUAGES = {
    **dict.fromkeys(("alb", "sqi", "bos", "ces", "cze", "hrv", "hun", "pol", "ron", "rum", "slk", "slo", "slv"), "CP1250"),
    **dict.fromkeys(("bel", "bul", "mac", "mkd", "rus", "srp", "ukr"), "CP1251"),
    **dict.fromkeys(("ell", "gre"), "CP1253"),
    **dict.fromkeys(("aze", "tur"), "CP1254"),
    **dict.fromkeys(("heb", "yid"), "CP1255"),
    **dict.fromkeys(("ara", "fas", "per", "urd"), "CP1256"),
    **dict.fromkeys(("est", "lav", "lit"), "CP1257"),
    **dict.fromkeys(("chi", "zho"), "GB18030"),
    "jpn": "CP932",
    "kor": "CP949",
    "tha": "CP874",
    "vie": "CP1258",
}
"""Characters that were usual for a language (ISO 639-2) where they are others."""
CYRILLIC = "\u0400-\u04ff"
GUESSES = (
    ("CP932", re.compile(".*[\u3041-\u30fa]", re.DOTALL)),
    ("CP1251", re.compile(rf"(?!.*(?:[A-Za-z][{CYRILLIC}]|[{CYRILLIC}][A-Za-z])).*[{CYRILLIC}]{{3}}", re.DOTALL)),
    (USUAL, re.compile("")),
    ("CP1250", re.compile("")),
)
"""Characters that may be meant where no language says so, and what is found in a text that they are right for: Japanese has
syllables (kana), and Cyrillic whole words."""
FOREIGN = re.compile("[\ue000-\uf8ff]")
"""What no text has: places without a meaning of their own."""
FORMATS = {"subrip": "srt", "srt": "srt", "text": "srt", "ass": "ass", "ssa": "ass", "webvtt": "webvtt"}
"""Kinds of text files that hold lines of these codecs byte by byte."""
EXTRACT_TIMEOUT = 600.0
"""Seconds of reading between two lines."""


def legible(original: str, info: VideoInfo, plan: TrackPlan, folder: Path) -> VideoInfo:
    """What is in a file, with each text track that is not UTF-8 and is to be converted written anew.

    Args:
        original: Path of the file.
        info: What is in it.
        plan: What happens to its tracks.
        folder: Where the new files of tracks are put.
    """
    converted = {track.index for track, codec in plan.kept if track.kind == "subtitle" and codec != "copy"}
    tracks = (_legible(original, track, folder) if track.index in converted else track for track in info.tracks)
    return replace(info, tracks=tuple(tracks))


def rewritten(tracks: Sequence[Track], cut: Sequence[str]) -> Iterator[str]:
    """Arguments that open tracks that have been written anew, as inputs after the original.

    Args:
        tracks: All tracks.
        cut: Arguments before each that choose a part.
    """
    for track in tracks:
        if track.rewritten:
            yield from (*cut, "-i", address(track.rewritten))
    if any(track.charset == UNKNOWN for track in tracks):
        yield from ALL_MAY_FAIL


def decoded(data: bytes, language: str) -> tuple[str, str]:
    """A text some lines of which are not UTF-8.

    Args:
        data: Its bytes.
        language: Three letters, or empty.

    Returns:
        The text, and how such lines were read, in words; these are empty where there are none.
    """
    lines = data.split(b"\n")
    alien = {number for number, line in enumerate(lines) if not _fits(line, "UTF-8")}
    fine = sum(not line.isascii() for number, line in enumerate(lines) if number not in alien)
    if fine >= len(alien):  # UTF-8 with damage
        how = f"{USUAL} in {len(alien)} {'line' if len(alien) == 1 else 'lines'}" if alien else ""
        return "\n".join(map(_mended, lines)), how
    charset = _guess(b"\n".join(lines[number] for number in sorted(alien)), OF_LANGUAGES.get(language, ""))
    read = [_mended(line, charset) if number in alien else line.decode() for number, line in enumerate(lines)]
    return "\n".join(read), charset


def _legible(original: str, track: Track, folder: Path) -> Track:
    """A track as it can be read: as it is, written anew, or else with `UNKNOWN` characters."""
    source = [*looking(original), "-i", address(str(Path(original).absolute())), "-map", f"0:{track.index}"]
    format = FORMATS.get(track.codec, "srt")
    with tempfile.TemporaryDirectory() as place:
        lines = Path(place) / "lines"
        if produce([*source, "-f", "srt"], lines, EXTRACT_TIMEOUT, heed=LOST) is None:
            return track
        if track.codec not in FORMATS or produce([*source, "-c", "copy", "-f", format], lines, EXTRACT_TIMEOUT) is not None:
            return replace(track, charset=UNKNOWN)
        data = lines.read_bytes()
    text, how = decoded(data, track.language)
    if b"\0" in data or not how:  # as in UTF-16: ffmpeg would take it for the end of a line
        return replace(track, charset=UNKNOWN)
    new = folder.absolute() / f"words{track.index}.{format}"
    new.write_text(text, "utf-8", newline="\n")
    return replace(track, charset=how, rewritten=str(new))


def _guess(data: bytes, charset: str) -> str:
    """Characters in which all of some lines can be read; if there are none, the usual ones."""
    if charset and _fits(data, charset):
        return charset
    fitting = ((name, sign) for name, sign in GUESSES if _fits(data, name))
    return next((name for name, sign in fitting if sign.match(data.decode(name))), USUAL)


def _fits(data: bytes, charset: str) -> bool:
    try:
        return not FOREIGN.search(data.decode(charset))
    except UnicodeDecodeError:
        return False


def _mended(line: bytes, charset: str = "UTF-8") -> str:
    """A line, read in the usual characters where it cannot be read in its own."""
    done = ""
    while True:
        try:
            return done + line.decode(charset)
        except UnicodeDecodeError as error:
            done += line[: error.start].decode(charset)
            done += "".join(map(_western, line[error.start : error.end]))
            line = line[error.end :]


def _western(byte: int) -> str:
    """A byte as a letter; Latin-1 has one for each."""
    letter = bytes([byte])
    return letter.decode(USUAL if _fits(letter, USUAL) else "latin-1")
