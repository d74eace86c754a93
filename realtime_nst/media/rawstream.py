"""Raw RGB frames with exact times as a byte stream that ffmpeg reads: Matroska, as little of it as possible.

ffmpeg's own raw video carries no times, so a variable frame rate could not pass a pipe in it. The stream has one
cluster per frame and a clock of nanoseconds.

Reference:
    RFC 8794 (EBML) and RFC 9559 (Matroska); the numbers below are the identifiers of their elements.
"""

from fractions import Fraction

NANOSECONDS = 1_000_000_000
UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
RGB24 = b"RGB\x18"
KEYFRAME = b"\x81\x00\x00\x80"  # track 1, no time of its own within the cluster


def stream_head(width: int, height: int, rate: Fraction) -> bytes:
    """What comes before the first frame."""
    head = _element(
        0x1A45DFA3,
        _number(0x4286, 1),
        _number(0x42F7, 1),
        _number(0x42F2, 4),
        _number(0x42F3, 8),
        _element(0x4282, b"matroska"),
        _number(0x4287, 4),
        _number(0x4285, 2),
    )
    info = _element(0x1549A966, _number(0x2AD7B1, 1), _element(0x4D80, b"realtime-nst"), _element(0x5741, b"realtime-nst"))
    video = _element(0xE0, _number(0xB0, width), _number(0xBA, height), _element(0x2EB524, RGB24))
    track = _element(
        0xAE,
        _number(0xD7, 1),
        _number(0x73C5, 1),
        _number(0x83, 1),
        _element(0x86, b"V_UNCOMPRESSED"),
        _number(0x23E383, round(NANOSECONDS / rate)),
        video,
    )
    return head + (0x18538067).to_bytes(4, "big") + UNKNOWN_SIZE + info + _element(0x1654AE6B, track)


def frame_head(seconds: Fraction, size: int) -> bytes:
    """What comes before each frame.

    Args:
        seconds: When it is shown.
        size: Its bytes.
    """
    moment = _number(0xE7, round(seconds * NANOSECONDS))
    block = b"\xa3" + _length(len(KEYFRAME) + size) + KEYFRAME
    return (0x1F43B675).to_bytes(4, "big") + _length(len(moment) + len(block) + size) + moment + block


def _element(identifier: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + _length(len(body)) + body


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, "big"))


def _length(size: int) -> bytes:
    return (size | 1 << 56).to_bytes(8, "big")
