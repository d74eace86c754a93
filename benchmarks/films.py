"""What several at once give a whole film, or a folder of photos: `python -m benchmarks.films CLIP|FOLDER`, against one at a time.

Each turn is the command `video` or `image` in a process of its own, with decoding, encoding and all; the first ones do not count.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from realtime_nst.cli import image, video
from realtime_nst.cli.main import main as realtime_nst

ALONE, AT_ONCE = "one at a time", "several at once"


def main(arguments: list[str]) -> int:
    """Measure, and print seconds and memory of both."""
    if arguments[:1] == ["--paint"]:
        if arguments[1] == ALONE:
            video.for_files = lambda backend: backend
            image.cores = lambda: 1
        started = time.perf_counter()
        code = realtime_nst(arguments[2:])
        print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return code
    parser = argparse.ArgumentParser(prog="python -m benchmarks.films", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="a film, or a folder of photos")
    parser.add_argument("--size", default="640x480", metavar="WxH", help="of a film (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: %(default)s)")
    options = parser.parse_args(arguments)
    found: dict[str, list[tuple[float, float]]] = {ALONE: [], AT_ONCE: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds + 1):
            for how, turns in found.items():
                if options.source.is_dir():
                    words = ["image", str(options.source), "-o", f"{folder}/photos"]
                else:
                    words = ["video", str(options.source), "-o", f"{folder}/film.mp4", "--quiet", "--size", options.size]
                command = [sys.executable, "-m", "benchmarks.films", "--paint", how, *words, "--style", "wave", "--overwrite"]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                seconds, memory = map(float, said.split()[-2:])
                turns.append((seconds, memory))
    for how, turns in found.items():
        print(f"{how:<16} {median(turn[0] for turn in turns[1:]):6.2f} s  {max(turn[1] for turn in turns[1:]):5.0f} MB")
    gains = [alone[0] / several[0] - 1 for alone, several in zip(*(turns[1:] for turns in found.values()), strict=True)]
    print(f"several at once: {median(gains):+.0%} pictures a second ({min(gains):+.0%} to {max(gains):+.0%})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
