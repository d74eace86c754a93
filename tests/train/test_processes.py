"""One training in several processes, on JAX: the same losses, one line where they do not go together, and no work lost."""

import json
import os
import signal
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from realtime_nst.errors import TrainingError
from realtime_nst.style.book import find_styles
from realtime_nst.train.command import check_flags
from realtime_nst.train.processes import agreed, own_folder, own_part
from tests.conftest import wait_until
from tests.train.small import Run, make_pictures

ROOT = Path(__file__).parents[2]
LONGEST = 900
"""Seconds for processes that should take ten, or minutes beside others; so late, they hang."""

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
on_jax = pytest.mark.skipif(keras.config.backend() != "jax", reason="only JAX connects processes")


def start(words: Sequence[object], **variables: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "KERAS_BACKEND": "jax", **variables}
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT, start_new_session=True
    )


def ended(processes: Sequence["subprocess.Popen[str]"]) -> list[tuple[int, str, str]]:
    """Exit code, output and messages of each."""
    try:
        said = [process.communicate(timeout=LONGEST) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def trained(pictures: Path, photos: Path, output: Path, gate: Path, port: int, number: int, free: int = 99) -> list[object]:
    """A command that learns two styles on the body of a small run, as one of two processes; it stops before some step."""
    pair = pictures / "stripes.png", pictures / "dots.png"
    flags = ("--name", "one", "two", "--weights", pictures / "whole", "--photos", photos, "--output", output)
    process = ("--coordinator", f"127.0.0.1:{port}", "--process", f"{number}/2") if port else ()
    return ["tests.train.small_program", free, gate, "train", *pair, *flags, *process]


def vectors_in(folder: Path, body: Path) -> dict[str, np.ndarray]:
    book = find_styles([folder, body])
    return {name: book[name].vector for name in ("one", "two") if name in book}


@on_jax
def test_two_processes_give_the_losses_of_one_and_the_first_has_the_files(run: Run, tmp_path: Path) -> None:
    origin, port = run.job.output.parent, free_port()
    alone = start(["tests.train.small_again", origin, tmp_path / "alone"])
    (code, printed, said), *_ = ended([alone])
    assert code == 0, said[-2000:]
    losses = json.loads(printed.splitlines()[-1])
    outputs = [tmp_path / name for name in ("first", "second")]
    ends = ended([start(["tests.train.small_again", origin, outputs[n], port, f"{n + 1}/2"]) for n in range(2)])
    for code, printed, said in ends:
        assert code == 0, said[-2000:]
        assert np.allclose(json.loads(printed.splitlines()[-1]), losses, rtol=1e-4)
    assert not outputs[1].exists()
    one, two = (find_styles([folder]) for folder in (tmp_path / "alone", outputs[0]))
    assert list(one) == list(two) == ["dots", "stripes"]
    assert all(np.allclose(one[name].vector, two[name].vector, atol=1e-3) for name in one)


@on_jax
def test_processes_with_other_photos_end_with_one_line(run: Run, tmp_path: Path) -> None:
    make_pictures(tmp_path)
    (tmp_path / "photos" / "0.png").unlink()
    (tmp_path / "photos" / "more.png").write_bytes((tmp_path / "photos" / "1.png").read_bytes())
    pictures, port = run.job.output.parent, free_port()
    folders = pictures / "photos", tmp_path / "photos"
    words = [trained(pictures, folders[n], tmp_path / "out", tmp_path / "gate", port, n + 1) for n in range(2)]
    for code, _, said in ended([start(each) for each in words]):
        lines = [line for line in said.splitlines() if line.startswith("realtime-nst:")]
        assert code == 1 and "Traceback" not in said
        assert len(lines) == 1 and "Process 2 of 2 has other photos" in lines[0] and "Start all with the same command" in lines[0]


def begun(pictures: Path, folder: Path, port: int, free: int = 99) -> "list[subprocess.Popen[str]]":
    """Two processes that learn two styles together in a folder; the second stops before some step until its gate is there."""
    frees, photos = (99, free), pictures / "photos"
    words = [trained(pictures, photos, folder / "out", folder / f"gate{n}", port, n, frees[n - 1]) for n in (1, 2)]
    return [start(each) for each in words]


def ended_by(signal_number: int, pictures: Path, folder: Path) -> list[tuple[int, str, str]]:
    """How both end when the second gets a signal after its third step."""
    pair, gate = begun(pictures, folder, free_port(), free=3), folder / "gate2"
    try:
        assert wait_until(Path(f"{gate}.reached").exists, LONGEST, pause=0.1)
        pair[1].send_signal(signal_number)
        gate.touch()
    finally:
        ends = ended(pair)
    assert not list((folder / "out").glob("*.h5")), "no half a style"
    return ends


@on_jax
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_ctrl_c_in_one_stops_and_saves_all(run: Run, tmp_path: Path) -> None:
    (code, _, said), (other, _, _) = ended_by(signal.SIGINT, run.job.output.parent, tmp_path)
    assert (code, other) == (0, 0) and "Stopped after step 4 of 6 and saved" in said


@on_jax
@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_one_that_is_killed_ends_all_and_they_go_on_from_the_first_one_s_checkpoint(run: Run, tmp_path: Path) -> None:
    pictures = run.job.output.parent
    (code, _, said), (other, _, _) = ended_by(signal.SIGKILL, pictures, tmp_path)
    assert (code, other) == (1, -signal.SIGKILL) and "Another process has ended" in said and "Traceback" not in said
    steps = [tmp_path / f"gate{number}.steps" for number in (1, 2)]
    for file in steps:
        file.unlink()
    for code, _, said in ended(begun(pictures, tmp_path, free_port())):
        assert code == 0, said[-2000:]
    assert [file.read_text().split()[1::2] for file in steps] == [["2", "3", "4", "5"]] * 2, "the checkpoint travels"
    (code, _, said), *_ = ended([start(trained(pictures, pictures / "photos", tmp_path / "alone", tmp_path / "gate", 0, 1))])
    assert code == 0, said[-2000:]
    together, alone = (vectors_in(tmp_path / name, pictures / "whole") for name in ("out", "alone"))
    assert len(together) == 2 and all(np.allclose(together[name], alone[name], atol=1e-3) for name in together)


def test_one_process_is_all_there_is_without_a_coordinator(tmp_path: Path) -> None:
    batch = {"frames": np.zeros((4, 8, 8, 3)), "styles": np.arange(2)}
    part = own_part(batch)
    assert all(np.array_equal(part[name], batch[name]) for name in batch)
    assert agreed(True, 1e9 + 0.5) == (True, 1e9 + 0.5) and agreed(False, 2.0) == (False, 2.0)
    with own_folder(tmp_path) as folder:
        assert folder == tmp_path


@pytest.mark.once
@pytest.mark.parametrize(
    ("flags", "backend", "complaint"),
    [
        ({"coordinator": "here:7000"}, "jax", "go together"),
        ({"process": (1, 2)}, "jax", "go together"),
        ({"coordinator": "auto", "process": (1, 2)}, "jax", "go together"),
        ({"coordinator": "auto", "cluster": "local"}, "jax", "Leave one out"),
        ({"coordinator": "here:7000", "process": (1, 2)}, "tensorflow", "Set KERAS_BACKEND=jax"),
    ],
)
def test_flags_that_do_not_go_together(
    flags: dict[str, Any], backend: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    given = dict.fromkeys(("origin", "body", "new_body", "collection", "batch", "coordinator", "process", "cluster"))
    with pytest.raises(TrainingError, match=complaint):
        check_flags(Namespace(**{**given, **flags}))
