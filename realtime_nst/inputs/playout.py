"""When frames of films and streams are shown: by their own times, against the clock.

`Playout` is for what can be had faster than it plays, or comes in pieces: its frames wait until they are due. `Newest` is
for what a camera pushes at the speed of life: nothing waits, and what has piled up on the way is left out. Both know
numbers only: the times of frames, and those of the clock. `manner_of` tells which of them a source needs.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from realtime_nst.media.probing import VideoInfo

PUSHING = frozenset({"rist", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts", "rtp", "rtsp", "rtsps", "srt", "srtp"})
PUSHING |= {"tcp", "tls", "udp", "udplite"}
"""Kinds of addresses at which the sender decides when frames come."""
TIMELESS = frozenset({"h264", "hevc", "image2pipe", "jpeg_pipe", "m4v", "mjpeg", "mpjpeg", "png_pipe"})
"""Containers without times: those that ffmpeg makes up for their frames are not the camera's."""

SLACK = 0.25
"""Seconds by which a frame may be late and still count as in time, so that a busy machine does not slow a film down."""
GAP = 1.0
"""Seconds between the times of two frames from which on they do not tell how long to wait."""
PILED_UP = 0.25
"""Seconds of a pushed stream that may come at once, as frames do on a network; more have been waiting somewhere."""
FORGETTING = 0.5
"""Share of the clock by which frames may outrun it and not count as piled up."""
LONGEST_SKIP = 1.0
"""Seconds after which a frame is shown, however many wait behind it."""


@dataclass(frozen=True)
class Manner:
    """How the frames of a source come.

    Args:
        waits: Whether they can wait until they are due.
        behind: Seconds by which it may fall behind before frames are left out.
        silence: Seconds without a frame that are nothing unusual.
        patience: Seconds without a frame after which it counts as broken off, if not earlier.
        timed: Whether its times are those of the camera.
    """

    waits: bool = True
    behind: float = math.inf
    silence: float = 0.0
    patience: float = 0.0
    timed: bool = True


FILM = Manner()
SERVED = Manner(behind=1.0)
SEGMENTED = Manner(behind=12.0, silence=20.0, patience=40.0)
"""Segments last up to ten seconds, and one or two may be late."""
PUSHED = Manner(waits=False)
TIMELESS_PUSHED = Manner(waits=False, timed=False)


def manner_of(address: str, info: VideoInfo) -> Manner:
    """How the frames of a stream come.

    Args:
        address: Its address.
        info: What is known of it.
    """
    if address.partition("://")[0].lower() in PUSHING:
        return PUSHED if info.container not in TIMELESS else TIMELESS_PUSHED
    if info.duration is not None:
        return FILM
    if info.container in TIMELESS:
        return TIMELESS_PUSHED
    return SEGMENTED if info.container in ("dash", "hls") else SERVED


class Playout:
    """Choose the moment of each frame of one connection.

    A frame that comes late is shown at once, and all later ones that much later. Times that jump are taken to go on.

    Args:
        interval: Seconds between two frames, as a rule.
        behind: Seconds that delays may add up to. Beyond, frames that wait already are left out.
    """

    def __init__(self, interval: float, behind: float = math.inf) -> None:
        self._interval = interval
        self._allowed = behind
        self._behind = self._last = 0.0
        self._skipping = False
        self._origin: float | None = None

    def due(self, time: Fraction | None, now: float) -> float | None:
        """The moment at which a frame is to be shown, or `None` if it is to be left out.

        Args:
            time: The frame's own, in seconds; `None` where it has none.
            now: Of the clock, in seconds.

        Returns:
            A moment of the clock; one before `now` says that the frame is late.
        """
        moment = self._last + self._interval if time is None else float(time)
        if self._origin is None:
            self._origin, self._last = now - moment, moment
        step, self._last = moment - self._last, moment
        if not 0 <= step <= GAP:
            self._origin -= step - self._interval
            self._behind = max(0.0, self._behind - max(0.0, step))
        self._skipping = self._behind > (0.0 if self._skipping else self._allowed)
        late = now - (self._origin + moment)
        if self._skipping and late < -self._interval / 2:
            self._origin -= step
            self._behind -= step
            return None
        if late > SLACK:
            self._origin += late - SLACK
            self._behind += late - SLACK
        return self._origin + moment


class Replay:
    """Tell the frames that a live stream in segments, connected to again, shows for the second time.

    Each connection begins some segments before the newest, so that the clock tells whether the times of two are the same.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._last = Fraction(0)
        self._begins = self._same = self._over = False

    def connect(self) -> None:
        """Begin a connection."""
        self._begins = True

    def over(self) -> bool:
        """The stream has an end now: whether what it holds has been shown while it had none. It may begin anew later."""
        self._over = self._ahead is not None
        return self._over

    def seen(self, time: Fraction | None, now: float) -> bool:
        """Whether a frame has been shown over an earlier connection.

        Args:
            time: The frame's own, in seconds; `None` where it has none.
            now: When it came, in seconds of the clock.
        """
        if time is None:
            return False
        if self._begins:
            ahead, before = float(time) - now, self._ahead
            self._same = before is not None and not self._over and abs(ahead - before) < SEGMENTED.behind
            self._begins, self._over, self._ahead = False, False, ahead
        self._same = self._same and time <= self._last
        if not self._same:
            self._last = time
        return self._same


class Newest:
    """Tell frames that have been waiting somewhere from those that come as they are made."""

    def __init__(self) -> None:
        self._origin: float | None = None
        self._now = 0.0
        self._newest = 0.0
        self._since: float | None = None

    def old(self, time: Fraction | None, now: float) -> bool:
        """Whether a frame belongs to a pile, so that a newer one may be had at once.

        Args:
            time: The frame's own, in seconds; `None` where it has none.
            now: When it came, in seconds of the clock.
        """
        if time is None:
            return False
        self._newest, passed, self._now = now - float(time), now - self._now, now
        if self._origin is None or self._newest >= self._origin:
            self.settle()
            return False
        early = self._origin - self._newest
        if early <= PILED_UP and self._since is None:
            self._origin -= min(early, FORGETTING * passed)
            return False
        self._since = now if self._since is None else self._since
        if now - self._since > LONGEST_SKIP:
            self.settle()
            return False
        return True

    def settle(self) -> None:
        """The last frame is the newest that there is."""
        self._origin, self._since = self._newest, None
