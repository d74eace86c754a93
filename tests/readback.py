"""Reading video files back without the application: pictures, times, tracks and sound, by ffmpeg alone.

Also pictures that carry their own number, so that a frame can be recognised after any encoder; and the program as one
that paints only so far, so that it can be stopped at a known frame however slow the machine is.
"""

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from realtime_nst.media.ffmpeg import executable

BITS = 12
NUMBERED = f"geq=lum='16+219*mod(floor(N/pow(2,floor(X*{BITS}/W))),2)':cb=128:cr=128"
"""A filter: the picture becomes its own number, a stripe per bit, the lowest at the left."""
CORNERS = (
    "color=red:size={w}x{h}:rate=25:duration=1,format=gbrp,"
    "drawbox=x=iw/2:y=0:w=iw/2:h=ih/2:color=lime:t=fill,drawbox=x=0:y=ih/2:w=iw/2:h=ih/2:color=blue:t=fill,"
    "drawbox=x=iw/2:y=ih/2:w=iw/2:h=ih/2:color=white:t=fill"
)
"""A source: red, green, blue and white quarters, from the upper left to the lower right."""
COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}

GATED = """
import os, sys, time
from functools import partial
from realtime_nst.painting import serving
from realtime_nst.engines.backend import Backend
from realtime_nst.cli.main import main
from realtime_nst.jobs import workfolder
from realtime_nst.engines.stabilizer import StabilizerEngine
from realtime_nst.engines.runner import runner_for
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.pipeline.stats import Stats
free, gate = int(sys.argv[1]), sys.argv[2]
def paint(image, vector, offset):
    global free
    free -= 1
    while free < 0 and not os.path.exists(gate):
        open(gate + ".reached", "w").close()
        time.sleep(0.005)
    return 255 - image
stabilizer = partial(StabilizerEngine, runner=runner_for(Backend("openvino", "float32", gpu=False)))
serving.load_stylizer = lambda backend: Stylizer(lambda body, width, height: paint, None, stabilizer)
workfolder.SEGMENT_FRAMES = 16
Stats.fps = 25.0
sys.exit(main(sys.argv[3:]))
"""
"""The program with short segments and a network that paints negatives: so many, and no more until a file exists.

It takes itself for fast also where it waits for that: one that is slow does not finish its segment when it is asked to stop.
"""
FORGETFUL = GATED.replace(
    "SEGMENT_FRAMES = 16", "SEGMENT_FRAMES = 16\nfrom realtime_nst.jobs import stretches\nstretches.STRETCH_FRAMES = 32"
)
FORGETFUL = FORGETFUL.replace(
    "return 255 - image", "import numpy\n    return numpy.roll(255 - image, [round(999 * way) for way in offset], (0, 1, 2))"
)
"""The same with stretches of two segments, and negatives that tell where the texture field is."""


def numbered_source(width: int = 96, height: int = 64, rate: str = "25", seconds: float = 2) -> list[str]:
    """Arguments for a clip of numbered pictures."""
    return ["-f", "lavfi", "-i", f"nullsrc=size={width}x{height}:rate={rate}:duration={seconds},format=yuv444p,{NUMBERED}"]


def number_in(image: np.ndarray) -> int:
    """The number that a picture carries."""
    height, width = image.shape[:2]
    middles = [int((bit + 0.5) * width / BITS) for bit in range(BITS)]
    rows = image[height // 4 : 3 * height // 4].astype(float).mean(axis=(0, 2))
    return sum(1 << bit for bit, x in enumerate(middles) if rows[x] > 128)


def about(path: Path) -> str:
    """What ffmpeg says about a file."""
    done = subprocess.run([executable(), "-hide_banner", "-i", f"file:{path}"], capture_output=True)
    return done.stderr.decode("utf-8", "replace")


def tracks(path: Path) -> list[str]:
    """Kind and codec of each track, as in "audio aac eng"."""
    found = re.findall(r"^\s*Stream #0:\d+(?:\[[^\]]*\])?(?:\((\w+)\))?: (\w+): (\w+)(.*)$", about(path), re.MULTILINE)
    return [
        f"{'cover' if 'attached pic' in rest else kind.lower()} {codec}" + (f" {language}" if language not in ("", "und") else "")
        for language, kind, codec, rest in found
    ]


def picture_line(path: Path) -> str:
    """ffmpeg's line about the picture: codec, pixel format, colour tags, size, aspect, rate."""
    return next(line for line in about(path).splitlines() if ": Video: " in line and "attached pic" not in line)


def views(path: Path) -> str:
    """How two views lie in the first picture of a file (3D), in ffmpeg's words; empty where it says nothing."""
    command = [executable(), "-hide_banner", "-i", f"file:{path}", "-map", "0:v:0", "-vf", "showinfo=checksum=0"]
    said = subprocess.run([*command, "-frames:v", "1", "-f", "null", "-"], capture_output=True).stderr.decode("utf-8", "replace")
    assert re.search(r"\bn: *0 pts:", said), said
    found = re.search(r"side data - .*\btype - ([a-z ]+\w)(.*)$", said, re.MULTILINE)
    return "" if found is None else found[1] + (" (inverted)" if "inverted" in found[2] else "")


def duration(path: Path) -> float:
    """Seconds, as the file says."""
    match = re.search(r"Duration: (\d+):(\d\d):(\d\d\.\d+)", about(path))
    assert match, "no duration"
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def all_tracks(path: Path) -> list[str]:
    """Arguments that use all tracks: in these kinds of files ffmpeg counts from the first track that is used."""
    return ["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-f", "null", "-"] if path.suffix in (".ts", ".flv") else []


def read_back(path: Path, *, filters: str = "null") -> tuple[list[Fraction], np.ndarray]:
    """Times in seconds and pictures `(frames, height, width, 3)` of a file, rotation applied."""
    if re.search(r"yuv4\d\dp1[02]le", picture_line(path)):  # else ffmpeg takes them for darker
        filters += ",scale=flags=bicubic+accurate_rnd+full_chroma_int"
    command = [executable(), "-hide_banner", "-nostdin", "-i", f"file:{path}", *all_tracks(path), "-map", "0:V:0"]
    command += ["-vf", f"{filters},format=rgb24,sidedata=mode=delete,showinfo=checksum=0"]
    command += ["-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True)
    said = done.stderr.decode("utf-8", "replace")
    base = re.search(r"config in time_base: (\d+)/(\d+)", said)
    shown = re.findall(r"\bn: *\d+ pts: *(\S+) .* s:(\d+)x(\d+) i:", said)
    assert base and shown, said[-2000:]
    width, height = int(shown[0][1]), int(shown[0][2])
    tick = Fraction(int(base[1]), int(base[2]))
    images = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    assert len(images) == len(shown)
    return [int(pts) * tick for pts, _, _ in shown], images


def numbers(path: Path) -> list[int]:
    """The numbers that the pictures of a file carry."""
    return [number_in(image) for image in read_back(path)[1]]


def digest(path: Path, stream: str) -> str:
    """A hash of the compressed packets of a track, times left out: equal only if it was copied bit by bit."""
    command = [executable(), "-v", "error", "-i", f"file:{path}", "-map", f"0:{stream}", "-c", "copy", "-f", "streamhash", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().rpartition("=")[2]


def begins(path: Path, stream: str) -> float:
    """Seconds at which the first packet of a track is."""
    command = [
        executable(),
        "-v",
        "error",
        "-copyts",
        "-i",
        f"file:{path}",
        "-map",
        f"0:{stream}",
        "-c",
        "copy",
        "-f",
        "framecrc",
        "-",
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    base = next(line for line in lines if line.startswith("#tb ")).partition(": ")[2]
    first = next(line for line in lines if not line.startswith("#")).split(",")[2]
    return float(int(first) * Fraction(base))


def sound(path: Path, track: int = 0, rate: int = 48000) -> np.ndarray:
    """Samples of an audio track from the beginning of the file, mono, -1 to 1; silence before it starts."""
    command = [executable(), "-v", "error", "-i", f"file:{path}", *all_tracks(path), "-map", f"0:a:{track}"]
    command += ["-af", f"aresample={rate}:async=1:first_pts=0", "-ac", "1", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)


def lag(before: np.ndarray, after: np.ndarray, rate: int = 48000) -> float:
    """Seconds by which one sound is later than another, by correlation."""
    size = 1 << (len(before) + len(after)).bit_length()
    product = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)), size)
    peak = int(np.argmax(product))
    return (peak if peak < size // 2 else peak - size) / rate


def psnr(before: np.ndarray, after: np.ndarray) -> float:
    """Decibels between pictures or stacks of them."""
    errors = [np.mean((one.astype(np.float32) - other) ** 2) for one, other in zip(before, after, strict=True)]
    error = float(np.mean(errors))  # in pieces, which takes a fraction of the time and of the memory
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def corner_colours(image: np.ndarray) -> list[str]:
    """Names of the colours in the middle of each quarter, from the upper left to the lower right."""
    height, width = image.shape[:2]
    names = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            colour = image[y, x].astype(int)
            names.append(min(COLOURS, key=lambda name: int(np.abs(colour - COLOURS[name]).sum())))
    return names


def disc_source(width: int, height: int, aspect: str) -> list[str]:
    """Arguments for a clip of a white disc on black, round where a pixel is as wide as `aspect` times its height."""
    disc = f"geq=lum='16+219*lt(hypot((X-W/2+0.5)*{aspect}\\,Y-H/2+0.5)\\,min(H\\,W*{aspect})/3)':cb=128:cr=128"
    source = f"color=black:size={width}x{height}:rate=25:duration=1,format=yuv444p,{disc},setsar={aspect}"
    return ["-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"]


def disc_in(image: np.ndarray) -> tuple[int, int]:
    """Width and height in pixels of the disc in a picture."""
    bright = image.mean(axis=2) > 128
    return int(bright.any(axis=0).sum()), int(bright.any(axis=1).sum())


MEASURED = """
import sys, threading, time
from pathlib import Path
from realtime_nst.cli.main import main

def tree(process):
    children = [task.read_text().split() for task in Path(f"/proc/{process}/task").glob("*/children")]
    return [process, *(found for child in sum(children, []) for found in tree(child))]

def used(process):
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):  # it has just ended
        return 0

most = 0
def watch():
    global most
    while True:
        try:
            most = max(most, sum(map(used, tree("self"))))
        except OSError:
            pass
        time.sleep(0.1)

threading.Thread(target=watch, daemon=True).start()
code = main(sys.argv[1:])
print(most)
sys.exit(code)
"""
"""The program, and the most memory that it and its ffmpeg took together."""


def most_memory(*arguments: object) -> int:
    """Bytes that a command and its ffmpeg took together, at most."""
    done = subprocess.run([sys.executable, "-c", MEASURED, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1])
