"""All tests: `python -m tests`, with pytest's arguments if you like. `python -m tests --quick` runs those that find most
breakage, in less than a minute on two cores.

Keras reads its backend once per process, so the suites run one after another, each with a backend: the application on
OpenVINO, training and the TensorFlow engine on TensorFlow, and the same on JAX where it is installed, but for what does not
depend on the backend (`once`). Each is spread over the processor, a test file at a time; `-n 0` keeps it in one process, as
`--pdb` does.
"""

import importlib.util
import os
import subprocess
import sys

NOTHING_CHOSEN = 5
"""pytest's exit code when its arguments leave no test: a suite without slow tests, for example."""

SPREAD = ("-n", "auto", "--maxprocesses", "4")
"""A process per core; few, as each has a Keras backend in memory."""
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
    """Run the suites one after another; the exit code is that of the first that failed."""
    arguments = sys.argv[1:]
    if "--quick" in arguments:
        arguments.remove("--quick")
        files = [f"tests/test_{name}.py" for name in QUICK.split()]
        return pytest("openvino", "-q", *files, *arguments)
    slow = "slow" in arguments
    codes, trained = [], False
    for backend in ("openvino", "tensorflow", "jax"):
        if importlib.util.find_spec(backend) is None:
            print(f"{backend} is not installed: its suite is left out.")
            continue
        folder = "tests" if backend == "openvino" else "tests/train"
        which = ("slow and not alone" if slow else "not slow") + (" and not once" if trained else "")
        print(f"--- {backend}: pytest {folder}", flush=True)
        given = (*arguments, "-m", which) if slow else ("-m", which, *arguments)  # of two the last one counts
        codes.append(pytest(backend, folder, *SPREAD, *(BY_TEST if slow else BY_FILE), *given))
        trained = trained or folder == "tests/train"
    if slow:
        print("--- openvino: pytest tests, one test at a time", flush=True)
        codes.append(pytest("openvino", "tests", *arguments, "-m", "slow and alone"))
    return next((code for code in codes if code not in (0, NOTHING_CHOSEN)), 0)


def pytest(backend: str, *arguments: str) -> int:
    """The exit code of a run of pytest in which Keras runs on a backend."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
