"""Text subtitles that are not UTF-8, as old ones are not: in which characters they can be read.

ffmpeg leaves out each line that it cannot read, and goes on. It is the judge here, too: characters are those of a track
if it can read all lines by them.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from realtime_nst.files.containers import UNKNOWN, TrackPlan
from realtime_nst.files.ffmpeg import address, produce
from realtime_nst.files.probing import VideoInfo, looking
from realtime_nst.files.tracks import Track

LOST = re.compile(r"Invalid UTF-8 in decoded subtitles|Unable to recode subtitle|Error decoding subtitles")
"""What ffmpeg says of a line that it leaves out."""
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
PATIENCE = 600.0
"""Seconds of reading between two lines."""
BINARY = frozenset({"mov_text"})
"""Codecs that count the bytes of their lines, and cannot be read otherwise than they say."""


def legible(original: str, info: VideoInfo, plan: TrackPlan) -> VideoInfo:
    """What is in a file, with the characters of each text track that is not UTF-8 and is to be converted.

    Args:
        original: Path of the file.
        info: What is in it.
        plan: What happens to its tracks.
    """
    converted = {track.index for track, codec in plan.kept if track.kind == "subtitle" and codec != "copy"}
    tracks = (replace(track, charset=_charset(original, track)) if track.index in converted else track for track in info.tracks)
    return replace(info, tracks=tuple(tracks))


def in_characters(tracks: Sequence[Track]) -> list[str]:
    """Arguments before an original as an input: how text that is not UTF-8 is read."""
    known = [track for track in tracks if track.charset not in ("", UNKNOWN)]
    return [argument for track in known for argument in (f"-sub_charenc:{track.index}", track.charset)]


def _charset(original: str, track: Track) -> str:
    """Characters by which all lines of a track can be read: empty for UTF-8, `UNKNOWN` if there are none."""
    source = [*looking(original), "-i", address(str(Path(original).absolute())), "-map", f"0:{track.index}"]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        if produce([*source, "-f", "srt"], lines, PATIENCE, heed=LOST) is None:
            return ""
        if track.codec in BINARY or produce([*source, "-c", "copy", "-f", "data"], lines, PATIENCE) is not None:
            return UNKNOWN
        if b"\0" in lines.read_bytes():  # as in UTF-16: ffmpeg would take it for the end of a line
            return UNKNOWN
        guess = replace(track, charset=OF_LANGUAGES.get(track.language, USUAL))
        words = produce([*in_characters([guess]), *source, "-f", "srt"], lines, PATIENCE, heed=LOST)
        return guess.charset if words is None else UNKNOWN
