"""Training's tests run on TensorFlow, or on the backend that `KERAS_BACKEND` names, in a process of their own."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Compiling a step takes JAX longer than anything else here. Code of narrow networks need not be fast, so it is compiled
# quickly, and once: also for the programs that the tests start. Only this process and these find it, so that no other
# version's code ever does.
STEPS = tempfile.TemporaryDirectory(prefix="compiled-")
os.environ["JAX_COMPILATION_CACHE_DIR"] = STEPS.name
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.05"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"

if TYPE_CHECKING:
    from tests.train.small import Run


def pytest_unconfigure() -> None:
    """Throw away what was compiled: at the end of the tests, as processes that run them beside others may be killed then."""
    STEPS.cleanup()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and paintings, which tests leave as it is."""
    from tests.train.small import make_pictures

    folder = tmp_path_factory.mktemp("pictures")
    make_pictures(folder)
    return folder


@pytest.fixture(scope="session")
def run(pictures: Path) -> "Run":
    """One whole run: its job, the files that it wrote, and its reports."""
    from tests.train.small import Progress, Run, make_job, make_small, train

    with pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        reports: list[Progress] = []
        job = make_job(pictures, "whole")
        return Run(job, train(job, report=reports.append), reports)
