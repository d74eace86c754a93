"""Which tracks of an MP4 or QuickTime file play only in pieces: edit lists, as phones and editors write them to cut.

A copy of such a track is not what is played. ffmpeg marks what must not be heard, plays it silently to get its decoder
going, and copies it like all the rest. This module knows what ffmpeg has read, not what becomes of it.
"""

import re
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from realtime_nst.media.ffmpeg import STALL_TIMEOUT, address, ask
from realtime_nst.media.probing import VideoInfo, looking
from realtime_nst.media.tracks import Track

EDIT = re.compile(r"Processing st: (\d+), edit list \d+ - media time: (\d+), duration: [1-9]")
"""A piece that is played, in ffmpeg's messages; empty ones, before which nothing is played, begin at -1."""
CLOCK = re.compile(r"^ *Stream #0:(\d+).*?, \d+, (\d+)/(\d+): ", re.MULTILINE)
LEAD = Fraction(15, 100)
"""Seconds that a track may begin before what is heard of it, as encoders need for their first samples.

Pictures are not counted: their lists also say how far they are out of order, and a decoder needs what is before.
"""


def edited(path: str, info: VideoInfo) -> VideoInfo:
    """What is in a file, with each track marked that plays in pieces, or begins before what is played of it.

    Args:
        path: A file's path or a URL.
        info: From `probe`.
    """
    if not info.edits:
        return info
    try:
        _, text = ask(["-loglevel", "debug", *looking(path), "-i", address(path)], STALL_TIMEOUT)
    except TimeoutError:
        return info
    pieces = defaultdict[int, list[int]](list)
    for number, begin in EDIT.findall(text):
        pieces[int(number)].append(int(begin))
    ticks = {int(number): Fraction(int(above), int(below)) for number, above, below in CLOCK.findall(text)}

    def marked(track: Track) -> Track:
        begins = pieces[track.index]
        late = len(begins) == 1 and track.kind != "video" and begins[0] * ticks.get(track.index, 0) > LEAD
        return replace(track, cut=len(begins) > 1, late=late)

    return replace(info, tracks=tuple(map(marked, info.tracks)))
