"""All tests: `python -m tests`, with pytest's arguments if you like.

Keras reads its backend once per process, so the suites run in a process each: the application on OpenVINO,
training and the TensorFlow engine on TensorFlow, and the same on JAX where it is installed.
"""

import importlib.util
import os
import subprocess
import sys

NOTHING_CHOSEN = 5
"""pytest's exit code when its arguments leave no test: a suite without slow tests, for example."""


def main() -> int:
    """Run the suites one after another; the exit code is that of the first that failed."""
    codes = []
    for backend in ("openvino", "tensorflow", "jax"):
        if importlib.util.find_spec(backend) is None:
            print(f"{backend} is not installed: its suite is left out.")
            continue
        folder = "tests" if backend == "openvino" else "tests/train"
        print(f"--- {backend}: pytest {folder}", flush=True)
        environment = {**os.environ, "KERAS_BACKEND": backend}
        code = subprocess.run([sys.executable, "-m", "pytest", folder, *sys.argv[1:]], env=environment).returncode
        codes.append(0 if code == NOTHING_CHOSEN else code)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
