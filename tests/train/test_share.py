"""`train --cluster` and `evaluate --cluster`: real workers, kill -9 and Ctrl-C; figures and styles stay those of one machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from realtime_nst.cli.main import build_parser
from realtime_nst.style.book import find_styles
from realtime_nst.train.share import flags_of
from tests.clusters import ALL, WAIT, Cluster
from tests.conftest import wait_until
from tests.train.small_program import CLIENT, WORKER

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.config.backend() != "jax", reason="once is enough: on JAX, which gives the same bits each time"),
]
ROOT = Path(__file__).parents[2]
LONGEST = 4 * WAIT
"""Seconds for what starts a training or two."""


@pytest.fixture
def cluster(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = Cluster(tmp_path, weights)
    yield found
    found.end()


def end_of(client: "subprocess.Popen[bytes]", code: int = 0) -> str:
    """Wait for a client: what it said."""
    said = client.communicate(timeout=LONGEST)[1].decode()
    assert client.returncode == code and "Traceback" not in said, said
    return said


def alone(*words: object) -> None:
    """A command on one machine."""
    command = [sys.executable, "-m", "tests.train.small_program", str(ALL), os.devnull, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST)
    assert done.returncode == 0, done.stderr


def test_report_is_that_of_one_machine(cluster: Cluster, pictures: Path, weights: Path, tmp_path: Path) -> None:
    paintings = tmp_path / "paintings"
    paintings.mkdir()
    shutil.copy(pictures / "stripes.png", paintings / "great-wave.png")
    shutil.copy(pictures / "dots.png", paintings / "scream.png")
    words = ["evaluate", "--photos", pictures / "photos", "--paintings", paintings, "--count", 3, "--size", 32]
    words += ["--backend", "openvino", "--precision", "float32"]
    for worker in [cluster.worker(name, program=WORKER) for name in ("anna", "bert")]:
        assert any(b"is ready" in line for line in worker.stderr or ())
    client = cluster.command(*words, "--json", tmp_path / "shared.json", "--sheet", tmp_path / "shared.png", program=CLIENT)
    said = end_of(client)
    assert "anna: " in said and "bert: " in said, said
    alone(*words, "--json", tmp_path / "alone.json", "--sheet", tmp_path / "alone.png", "--weights", weights)
    assert json.loads((tmp_path / "shared.json").read_text()) == json.loads((tmp_path / "alone.json").read_text())
    assert (tmp_path / "shared.png").read_bytes() == (tmp_path / "alone.png").read_bytes()


def test_a_style_goes_on_elsewhere_where_its_worker_was_killed(
    cluster: Cluster, pictures: Path, weights: Path, tmp_path: Path
) -> None:
    words = ["--photos", pictures / "photos", "--output", tmp_path / "shared"]
    stripes, dots = pictures / "stripes.png", pictures / "dots.png"
    victim = cluster.worker("victim", free=4, program=WORKER)
    client = cluster.command("train", stripes, dots, "--name", "one", "other", *words, program=CLIENT)
    assert wait_until(Path(f"{cluster.gate('victim')}.reached").exists, LONGEST)
    victim.kill()
    cluster.worker("late", program=WORKER)
    said = end_of(client)
    assert "'one' failed on worker victim: It has gone. Another one takes it." in said, said
    steps = [line.split() for line in Path(f"{cluster.gate('late')}.steps").read_text().splitlines()]
    assert [int(step) for name, step in steps if name == "one"] == [4, 5], "it goes on from the checkpoint"
    assert [int(step) for name, step in steps if name == "other"] == [*range(6)]
    for name, picture in (("one", stripes), ("other", dots)):
        alone("train", picture, "--name", name, *words[:2], "--output", tmp_path / "alone", "--weights", weights)
    shared, single = (find_styles([tmp_path / folder, weights]) for folder in ("shared", "alone"))
    for name in ("one", "other"):
        assert np.array_equal(shared[name].vector, single[name].vector)


def test_ctrl_c_lets_workers_save_and_the_same_command_goes_on(cluster: Cluster, pictures: Path, tmp_path: Path) -> None:
    words = ["train", pictures / "stripes.png", "--photos", pictures / "photos", "--output", tmp_path / "out"]
    cluster.worker("anna", free=3, program=WORKER)
    client = cluster.command(*words, program=CLIENT)
    assert wait_until(Path(f"{cluster.gate('anna')}.reached").exists, LONGEST)
    client.send_signal(signal.SIGINT)
    assert f"Stopped; what was learned is in '{tmp_path / 'out'}'. The same command goes on from there." in end_of(client)
    cluster.gate("anna").touch()
    assert "See it: `realtime-nst webcam --style stripes" in end_of(cluster.command(*words, program=CLIENT))
    steps = [int(line.split()[-1]) for line in Path(f"{cluster.gate('anna')}.steps").read_text().splitlines()]
    assert steps == [*range(6)], "none was taken twice"


def test_flags_are_those_that_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [
        "train",
        "a.jpg",
        "--name",
        "a",
        "--photos",
        "photos",
        "--style-scales",
        "1",
        "2",
        "--seed",
        "0",
        "--vgg-weights",
        "v",
    ]
    given += ["--title=-x", "--minutes", "1.5", "--weights", "w", "--cluster", "local:2"]
    flags = flags_of(build_parser().parse_args(given), output=Path("out"))
    again = build_parser().parse_args(["train", str(tmp_path / "a.jpg"), "--name", "a", *flags])
    for name in ("photos", "weights", "output"):
        assert getattr(again, name) == tmp_path / {"weights": "w", "output": "out"}.get(name, name)
    assert (again.style_scales, again.seed, again.title, again.minutes) == ([1, 2], 0, "-x", 1.5)
    assert again.vgg_weights == str(tmp_path / "v") and again.cluster is None and again.new_body is None
