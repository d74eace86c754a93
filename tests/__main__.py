"""All tests: `python -m tests`, with pytest's arguments if you like. `python -m tests --quick` runs those that find most
breakage, in less than a minute on two cores.

Keras reads its backend once per process, so the suites run in a process each: the application on OpenVINO,
training and the TensorFlow engine on TensorFlow, and the same on JAX where it is installed.
"""

import importlib.util
import os
import subprocess
import sys

NOTHING_CHOSEN = 5
"""pytest's exit code when its arguments leave no test: a suite without slow tests, for example."""

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
        return subprocess.run([sys.executable, "-m", "pytest", "-q", *files, *arguments], env=on("openvino")).returncode
    codes = []
    for backend in ("openvino", "tensorflow", "jax"):
        if importlib.util.find_spec(backend) is None:
            print(f"{backend} is not installed: its suite is left out.")
            continue
        folder = "tests" if backend == "openvino" else "tests/train"
        print(f"--- {backend}: pytest {folder}", flush=True)
        code = subprocess.run([sys.executable, "-m", "pytest", folder, *arguments], env=on(backend)).returncode
        codes.append(0 if code == NOTHING_CHOSEN else code)
    return next((code for code in codes if code), 0)


def on(backend: str) -> dict[str, str]:
    """The environment in which Keras runs on a backend."""
    return {**os.environ, "KERAS_BACKEND": backend}


if __name__ == "__main__":
    sys.exit(main())
