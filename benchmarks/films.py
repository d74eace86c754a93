"""What several frames at once give a whole film: `python -m benchmarks.films CLIP [--size WxH]`, against one at a time, in turns.

Each turn is the command `video` in a process of its own, with decoding, encoding and all; the first ones do not count.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from realtime_nst.cli import video
from realtime_nst.cli.main import main as realtime_nst

ALONE, AT_ONCE = "one at a time", "several at once"


def main(arguments: list[str]) -> int:
    """Measure, and print seconds and memory of both."""
    if arguments[:1] == ["--paint"]:
        if arguments[1] == ALONE:
            video.for_files = lambda backend: backend
        started = time.perf_counter()
        code = realtime_nst(arguments[2:])
        print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return code
    parser = argparse.ArgumentParser(prog="python -m benchmarks.films", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--size", default="640x480", metavar="WxH", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: %(default)s)")
    options = parser.parse_args(arguments)
    found: dict[str, list[tuple[float, float]]] = {ALONE: [], AT_ONCE: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds + 1):
            for how, turns in found.items():
                words = ["--paint", how, "video", str(options.clip), "-o", f"{folder}/film.mp4", "--overwrite", "--quiet"]
                command = [sys.executable, "-m", "benchmarks.films", *words, "--style", "wave", "--size", options.size]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                seconds, memory = map(float, said.split()[-2:])
                turns.append((seconds, memory))
    for how, turns in found.items():
        print(f"{how:<16} {median(turn[0] for turn in turns[1:]):6.2f} s  {max(turn[1] for turn in turns[1:]):5.0f} MB")
    gains = [alone[0] / several[0] - 1 for alone, several in zip(*(turns[1:] for turns in found.values()), strict=True)]
    print(f"several at once: {median(gains):+.0%} frames a second ({min(gains):+.0%} to {max(gains):+.0%})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
