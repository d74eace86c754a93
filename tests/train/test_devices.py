"""The same run on another backend and on several devices, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from realtime_nst.errors import TrainingError
from realtime_nst.train import model
from tests.train.small import Run

ROOT = Path(__file__).parents[2]
LONGEST = 1800
"""Seconds for a process that should take ten, or minutes beside others; so late, it hangs."""

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.skipif(keras.config.backend() != "jax", reason="once is enough: in JAX's suite, where the step is compiled"),
]


def losses_elsewhere(origin: Path, output: Path, backend: str, devices: int = 1) -> list[float]:
    """The losses of six steps from the body in `origin`, in a new process."""
    command = [sys.executable, "-m", "tests.train.small_again", str(origin), str(output)]
    flags = os.environ["XLA_FLAGS"]
    if devices > 1:  # other flags would be another code to compile, and that of one device is there
        flags += f" --xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": flags}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=LONGEST)
    assert done.returncode == 0, done.stderr[-2000:]
    losses: list[float] = json.loads(done.stdout.splitlines()[-1])
    return losses


@pytest.fixture(scope="module")
def losses(run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Those of JAX on one device."""
    return losses_elsewhere(run.job.output.parent, tmp_path_factory.mktemp("jax"), "jax")


def test_tensorflow_and_jax_give_the_same_losses(run: Run, tmp_path: Path, losses: list[float]) -> None:
    others = losses_elsewhere(run.job.output.parent, tmp_path, "tensorflow")
    assert len(losses) == 6 and np.allclose(others, losses, rtol=2e-4), (others, losses)


def test_two_devices_give_the_losses_of_one(run: Run, tmp_path: Path, losses: list[float]) -> None:
    others = losses_elsewhere(run.job.output.parent, tmp_path, "jax", devices=2)
    assert len(losses) == 6 and np.allclose(others, losses, rtol=2e-4), (others, losses)


def test_jax_trains_where_tensorflow_is_not_installed() -> None:
    hidden = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import realtime_nst.train.command, realtime_nst.train.trainer, keras\n"
        "assert keras.config.backend() == 'jax'\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, env=environment, timeout=LONGEST)
    assert done.returncode == 0, done.stderr[-2000:]


def test_batch_that_does_not_split_evenly_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.keras.distribution, "list_devices", lambda: ["cpu:0", "cpu:1", "cpu:2"])
    with pytest.raises(TrainingError, match="--batch 4 does not split evenly over 3 devices. Use a multiple of 3"):
        model.share_devices(4)
    with pytest.raises(TrainingError, match="--batch 9 does not split evenly over 3 devices. Use a multiple of 6"):
        model.share_devices(9, 2)
