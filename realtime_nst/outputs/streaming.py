"""`StreamSink`: frames to a streaming server or another program, through ffmpeg, at the times at which they were captured."""

import tempfile
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame
from realtime_nst.media.addresses import mask
from realtime_nst.media.ffmpeg import NOWHERE, PIPE, said, start, stop, wait
from realtime_nst.media.rawstream import frame_head, stream_head

FORMATS = {"rtmp": "flv", "rtmps": "flv", "udp": "mpegts", "tcp": "mpegts", "srt": "mpegts", "rtp": "rtp_mpegts", "rtsp": "rtsp"}
"""What each kind of address carries."""
SERVED = ("rtmp", "rtmps", "rtsp")
"""Kinds of address that have a port of their own; others must name one, and may wait there for who wants the stream."""
KEY_FRAME_SECONDS = 2
CLOSE_TIMEOUT = 5.0
CLOCK = 90_000
"""Ticks per second of MPEG's clock."""


def check_stream(address: str) -> str:
    """The format for an address, which is of a kind in `FORMATS`.

    Raises:
        SinkError: It leads nowhere.
    """
    kind = address.partition("://")[0].lower()
    try:
        parts = urlsplit(address)
        somewhere = parts.port is not None or (kind in SERVED and bool(parts.hostname))
    except ValueError:  # of a port that is no number up to 65535
        somewhere = False
    if not somewhere:
        raise SinkError(f"'{mask(address)}' leads nowhere: {kind}://HOST:PORT was expected, with a port up to 65535.")
    return FORMATS[kind]


class StreamSink:
    """Encode frames as H.264 and send them; the stream runs as fast as life, however many there are.

    Args:
        address: As in `rtmp://server/app/key` or `udp://127.0.0.1:5000`.
        width: Width of the frames in pixels.
        height: Height of the frames in pixels.
        rate: Frames per second of the stream; ffmpeg repeats or leaves out frames.

    Raises:
        SinkError: The address leads nowhere.
    """

    def __init__(self, address: str, width: int, height: int, rate: Fraction) -> None:
        self.address = address
        self._errors = tempfile.TemporaryFile()
        self._closed = False
        command = ["-loglevel", "error", "-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"]
        command += ["-f", "matroska", "-i", "-"]  # raw frames with their times: ffmpeg's own raw video has none
        command += ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency"]
        command += ["-pix_fmt", "yuv420p", "-fps_mode", "cfr", "-r", str(rate), "-g", str(round(rate * KEY_FRAME_SECONDS))]
        command += ["-f", check_stream(address), address]
        self._head = stream_head(width, height, rate)
        self._started: float | None = None
        self._moment = Fraction(-1)
        self._process = start(command, stdin=PIPE, stdout=NOWHERE, stderr=self._errors)

    def write(self, frame: Frame) -> None:
        """Send a frame.

        Raises:
            SinkError: ffmpeg stopped, for example because the server refused.
        """
        pipe: Any = self._process.stdin
        if self._started is None:
            self._started = frame.captured_at
        self._moment = max(Fraction(round((frame.captured_at - self._started) * CLOCK), CLOCK), self._moment + Fraction(1, CLOCK))
        try:
            pipe.write(self._head + frame_head(self._moment, frame.image.nbytes))
            self._head = b""
            pipe.write(np.ascontiguousarray(frame.image).reshape(-1).data)
        except (OSError, ValueError) as error:
            raise self._failure() from error

    def close(self) -> None:
        if self._closed:
            return
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass  # bytes that a dead ffmpeg did not take
        wait(self._process, CLOSE_TIMEOUT)
        self.discard()

    def discard(self) -> None:
        if not self._closed:
            self._closed = True
            stop(self._process)
            self._errors.close()

    def _failure(self) -> SinkError:
        if self._closed:
            return SinkError(f"The stream to '{mask(self.address)}' was closed.")
        if wait(self._process, CLOSE_TIMEOUT) is None:
            self._process.kill()
        words = said(self._errors, self.address)
        return SinkError(f"The stream to '{mask(self.address)}' ended. ffmpeg said: {words} Check the address and the server.")
