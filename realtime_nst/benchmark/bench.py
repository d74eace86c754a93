"""How fast it is on this machine: the network, the loop of `video`, a live show, starts and memory.

Everything is measured in one run and in turns, because a machine's speed drifts. Starts and memory are those of
new processes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from itertools import cycle, product
from pathlib import Path
from statistics import median

import numpy as np

from realtime_nst.engines.backend import Backend, for_files
from realtime_nst.errors import SinkError
from realtime_nst.frames import Frame
from realtime_nst.inputs.sources import PatternSource
from realtime_nst.jobs.film_source import FilmSource
from realtime_nst.jobs.painter import FramePainter
from realtime_nst.live.controls import Controls
from realtime_nst.live.painter import LivePainter
from realtime_nst.live.settings import Settings
from realtime_nst.media.encoding import FrameWriter
from realtime_nst.media.probing import probe
from realtime_nst.outputs.sinks import NullSink
from realtime_nst.painting import serving
from realtime_nst.painting.camera_motion import CameraMotion
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.painting.stream import Stream
from realtime_nst.painting.stylizer import Stylizer
from realtime_nst.pipeline.loop import Unattended, run
from realtime_nst.pipeline.stats import Stats
from realtime_nst.style.look import DEFAULT_STABILITY, PLAIN, Look
from realtime_nst.style.schedule import StylePath
from realtime_nst.style.style import Style

ROUNDS = 5
SCATTERED = 1.25
"""How many times as long a frame on all cores takes as one of several at once, where the cores share no cache: 1.45 measured,
and 1.0 where they share one."""
SWITCHES = 2
"""Times in a round that the style changes and changes back."""
STABLE = Look(stability=DEFAULT_STABILITY)
PICTURES = 8
CLIP_FPS = Fraction(30)
LIVE_FRAMES, LIVE_FPS = 90, 30.0
WATCH = """
import json, os, subprocess, sys, time
started, memory = time.perf_counter(), None
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
if sys.platform == "win32":
    code = child.wait()
else:
    _, status, usage = os.wait4(child.pid, 0)  # unlike `wait`, it tells the memory
    code = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(json.dumps([time.perf_counter() - started, memory]))
sys.exit(code)
"""
"""A small program that runs another one and tells its seconds and megabytes: on Linux a process begins with the peak of
the one that starts it, and this one would hide what the other takes."""


@dataclass(frozen=True)
class Row:
    """One size and precision; medians.

    Args:
        size: Width x height.
        precision: Of the network.
        network_ms: The network alone, one frame after the other, as in a show.
        many_ms: The network alone with as many frames at once as `video` paints; per frame.
        loop_ms: From a video file to nowhere: decoding and stylizing, a frame, as `video` does it without holding still.
        loop_share: Rate of the loop over that of the network with so many frames at once.
        hold_ms: What holding still takes beside it, as `video` and `webcam` do; a difference, at least 0.
        least_ms: The least that the machine allows, by the roofline.
        least_share: That over the shorter of `network_ms` and `many_ms`: what the network reaches when the machine lets it.
        switch_ms: What the first frame of another style takes longer than the second one; a difference, at least 0.
        age_ms: From capture to output at 30 frames a second, as in `webcam` without holding still; 95th percentile.
        first_start_s: From the command to its end after one stylized frame, nothing compiled before.
        second_start_s: The same again.
        memory_mb: Largest resident memory of that second process; `None` where the system does not tell.
        hold_spread_ms: How far the differences behind `hold_ms` lie from it, by `cost`.
        switch_spread_ms: Likewise.
        follow_ms: What following the camera takes beside all this, where strokes go along with it: a picture that moves.
    """

    size: str
    precision: str
    network_ms: float
    many_ms: float
    loop_ms: float
    loop_share: float
    hold_ms: float
    least_ms: float
    least_share: float
    switch_ms: float
    age_ms: float
    first_start_s: float
    second_start_s: float
    memory_mb: float | None
    hold_spread_ms: float = 0.0
    switch_spread_ms: float = 0.0
    follow_ms: float = 0.0


COLUMNS = {
    "size": "size",
    "precision": "precision",
    "network_ms": "network ms",
    "network_fps": "frames/s",
    "many_fps": "at once frames/s",
    "loop_fps": "loop frames/s",
    "loop_share": "of that",
    "hold_ms": "hold ms",
    "follow_ms": "follow ms",
    "least_ms": "limit ms",
    "least_share": "of limit",
    "switch_ms": "switch ms",
    "age_ms": "age ms",
    "first_start_s": "start s",
    "second_start_s": "again s",
    "memory_mb": "memory MB",
}


def measure(
    style: Style, other: Style, backend: Backend, width: int, height: int, options: argparse.Namespace, least: float
) -> Row:
    """All figures of one row."""
    stylizer, several = serving.load_stylizer(backend), serving.load_stylizer(for_files(backend))
    pattern = PatternSource(width, height, fps=None)
    pictures = [pattern.image(index) for index in range(PICTURES)]
    for picture, look in product(pictures, (PLAIN, STABLE)):  # compiles, and warms up
        stylizer.paint(picture, style, look)
        several.paint(picture, style)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, pictures, options.frames)
        info, painter, path = probe(str(clip)), PicturePainter(several, PLAIN), StylePath([style])
        rounds, switches = [], []
        for _ in range(ROUNDS):
            alone = painting(stylizer, pictures, style, options.frames)
            held = painting(stylizer, pictures, style, options.frames, STABLE)
            many = at_once(FramePainter(painter, path, 0.0, 30.0), pictures, options.frames)
            stats = Stats()
            film = FilmSource(str(clip), info)
            run(film, FramePainter(painter, path, 0.0, film.fps), NullSink(), Unattended(), stats)
            loop = 1.0 / stats.mean_fps
            rounds.append((alone, many, loop, many / loop, held - alone))
            switches += switch(stylizer, pictures[0], style, other)
    alone, many, loop, share, _ = (median(column) for column in zip(*rounds))
    hold, hold_spread = cost([extra for *_, extra in rounds])
    switched, switch_spread = cost(switches)
    stats = Stats()
    live = PatternSource(width, height, LIVE_FPS)
    show = LivePainter(stylizer, Controls([style], settings=Settings(stability=0)), [style.body], width, height)
    run(live, partial(map, show), NullSink(), Unattended(), stats, frames=LIVE_FRAMES)
    first, second, memory = starts(width, height, backend, options)
    return Row(
        size=f"{width}x{height}",
        precision=backend.precision,
        network_ms=1000 * alone,
        many_ms=1000 * many,
        loop_ms=1000 * loop,
        loop_share=share,
        hold_ms=1000 * hold,
        least_ms=least,
        least_share=least / (1000 * min(alone, many)),
        switch_ms=1000 * switched,
        age_ms=stats.latency_ms(95),
        first_start_s=first,
        second_start_s=second,
        memory_mb=memory,
        hold_spread_ms=1000 * hold_spread,
        switch_spread_ms=1000 * switch_spread,
        follow_ms=1000 * following(pictures[0], options.frames),
    )


def write_clip(path: Path, pictures: Sequence[np.ndarray], frames: int) -> None:
    """A video of a few pictures in turn."""
    height, width = pictures[0].shape[:2]
    writer = FrameWriter(path, width, height, CLIP_FPS)
    for _, picture in zip(range(frames), cycle(pictures)):
        writer.write(picture)
    writer.close()


def painting(stylizer: Stylizer, pictures: Sequence[np.ndarray], style: Style, frames: int, look: Look = PLAIN) -> float:
    """Seconds a frame of the network alone, or with what a look adds."""
    stream, started = Stream(stylizer), time.perf_counter()
    for _, picture in zip(range(frames), cycle(pictures)):
        stream.paint(picture, style, look)
    return (time.perf_counter() - started) / frames


def at_once(painter: FramePainter, pictures: Sequence[np.ndarray], frames: int) -> float:
    """Seconds a frame, several at once as in a film."""
    film = (Frame(picture, index, 0.0) for index, picture in zip(range(frames), cycle(pictures)))
    started = time.perf_counter()
    for _ in painter(film):
        pass
    return (time.perf_counter() - started) / frames


def following(picture: np.ndarray, frames: int) -> float:
    """Seconds that it takes to see how the camera moved, while a picture moves by a pixel with each frame; the median."""
    motion, seconds = CameraMotion(), []
    for index in range(frames):
        moved = np.roll(picture, index, axis=1)
        started = time.perf_counter()
        motion(moved)
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def switch(stylizer: Stylizer, picture: np.ndarray, style: Style, other: Style) -> list[float]:
    """Seconds that the first frame of another style takes longer than the second one, once for each change."""
    stylizer.paint(picture, style)
    extra = []
    for wanted in SWITCHES * (other, style):
        first, second = (painting(stylizer, [picture], wanted, 1) for _ in range(2))
        extra.append(first - second)
    return extra


def cost(differences: Sequence[float]) -> tuple[float, float]:
    """What something takes by several measured differences: their median, and within what half of them lie about it.

    Nothing takes less than no time: a median below 0 is noise, and the spread is at least as large.
    """
    middle = median(differences)
    spread = median(abs(difference - middle) for difference in differences)
    return max(middle, 0.0), max(spread, -middle)


def starts(width: int, height: int, backend: Backend, options: argparse.Namespace) -> tuple[float, float, float | None]:
    """Seconds of a first and a second start with one frame, and the second's memory in MB."""
    command = [sys.executable, "-P", "-m", "realtime_nst", "webcam", "--camera", "pattern", "--size", f"{width}x{height}"]
    command += ["--no-window", "--frames", "1", "--backend", backend.name, "--precision", backend.precision]
    command += ["--weights", str(options.weights)] if options.weights else []
    seconds: list[float] = []
    memory: float | None = None
    with tempfile.TemporaryDirectory() as cache:  # that of a new user
        environment = {**os.environ, "REALTIME_NST_CACHE": cache}
        for _ in range(2):
            watched = subprocess.run([sys.executable, "-I", "-S", "-c", WATCH, *command], env=environment, capture_output=True)
            if watched.returncode:
                raise SinkError(f"A start to measure failed. It said: {watched.stderr.decode(errors='replace').strip()}")
            took, memory = json.loads(watched.stdout)
            seconds.append(took)
    return seconds[0], seconds[1], memory


def table(rows: Sequence[Row]) -> str:
    """The rows with the names of their columns, aligned."""
    lines = [list(COLUMNS.values())]
    for row in rows:
        facts = {**asdict(row), **{f"{of}_fps": 1000 / getattr(row, f"{of}_ms") for of in ("network", "many", "loop")}}
        for name in ("hold", "switch"):
            facts[f"{name}_ms"] = f"{facts[f'{name}_ms']:.1f}±{facts[f'{name}_spread_ms']:.1f}"
        lines.append([_cell(name, facts[name]) for name in COLUMNS])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines)


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return "?" if value is None else str(value)
    if name.endswith("share"):
        return f"{value:.0%}"
    return f"{value:.0f}" if name == "memory_mb" else f"{value:.1f}"
