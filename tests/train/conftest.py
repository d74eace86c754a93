"""Training's tests run on TensorFlow, or on the backend that `KERAS_BACKEND` names, in a process of their own."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

if TYPE_CHECKING:
    from tests.train.small import Run


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
