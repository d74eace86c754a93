"""All tests: `python -m tests`, with pytest's arguments if you like. `python -m tests --quick` runs those that find most
breakage, in less than a minute on two cores.

Keras reads its backend once per process, so each backend has a suite: the application on OpenVINO, training and the TensorFlow
engine on TensorFlow, and the same on JAX where it is installed, but for what does not depend on the backend (`once`). They run
beside each other, because the application's tests often wait: for sockets, windows, ffmpeg. Its suite is spread over the
processor, a test file at a time; each of the others is one process, which compiles only once what its files share. With
`-n` or `--pdb` the suites run one after another: `-n 0` keeps each in one process, as `--pdb` does.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile

NOTHING_CHOSEN = 5
"""pytest's exit code when its arguments leave no test: a suite without slow tests, for example."""

SPREAD = ("-n", "auto", "--maxprocesses", "4", "--max-worker-restart", "0")
"""A process per core; few, as each has a Keras backend in memory, and those of the other suites are beside them. One that a
hanging test has ended stays ended: in a new one that test would hang again."""
WHOLE = ("-n", "0")
"""One process, which compiles once what many tests need."""
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
"""What the tests of a file share is made once; files are run in their order, the longest ones first."""
BY_TEST = ("--dist", "worksteal")
"""A slow test takes as long as a file."""

QUICK = """
architecture architecture_numbers app remote stage stats controls settings styles weightfile buffers crossfade pace
overlay upscale stabilizer recolour runner contrast picture_painter imaging photos depth picturefile photofiles
videofiles sinks video live shipped_styles api
"""
"""Test files of the quick suite, whose tests take milliseconds: all layers, every shipped style, one film, the API."""


def main() -> int:
    """Run the suites; the exit code is that of the first that failed."""
    arguments = sys.argv[1:]
    if "--quick" in arguments:
        arguments.remove("--quick")
        files = [f"tests/test_{name}.py" for name in QUICK.split()]
        return pytest("openvino", "-q", *files, *arguments)
    slow, trained = "slow" in arguments, False
    suites: list[tuple[str, ...]] = []
    for backend in ("openvino", "tensorflow", "jax"):
        if importlib.util.find_spec(backend) is None:
            print(f"{backend} is not installed: its suite is left out.")
            continue
        folder = "tests" if backend == "openvino" else "tests/train"
        which = ("slow and not alone" if slow else "not slow") + (" and not once" if trained else "")
        spread = SPREAD if slow or folder == "tests" else WHOLE
        given = (*arguments, "-m", which) if slow else ("-m", which, *arguments)  # of two the last one counts
        suites.append((backend, folder, *spread, *(BY_TEST if slow else BY_FILE), *given))
        trained = trained or folder == "tests/train"
    alone = any(argument.startswith(("-n", "--pdb")) for argument in arguments)
    codes = [pytest(*suite) for suite in suites] if alone else beside_each_other(suites)
    if slow:
        codes.append(pytest("openvino", "tests", *arguments, "-m", "slow and alone"))
    return next((code for code in codes if code not in (0, NOTHING_CHOSEN)), 0)


def pytest(backend: str, *arguments: str) -> int:
    """The exit code of a run of pytest in which Keras runs on a backend."""
    return beside_each_other([(backend, *arguments)])[0]


def beside_each_other(suites: Sequence[tuple[str, ...]]) -> list[int]:
    """The exit codes of runs of pytest, each a backend and arguments. The first is shown as it goes, the others at their end."""
    with ExitStack() as stack:
        begun = []
        for backend, *arguments in suites:
            said = stack.enter_context(TemporaryFile()) if begun else None
            command, environment = [sys.executable, "-m", "pytest", *arguments], {**os.environ, "KERAS_BACKEND": backend}
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=said and subprocess.STDOUT)
            begun.append((stack.enter_context(process), said))
        codes = []
        for (backend, *arguments), (process, said) in zip(suites, begun):
            print(f"--- {backend}: pytest {' '.join(arguments)}", flush=True)
            codes.append(process.wait())
            if said:
                said.seek(0)
                shutil.copyfileobj(said, sys.stdout.buffer)
                sys.stdout.flush()
    return codes


if __name__ == "__main__":
    sys.exit(main())
