"""Commands given by workers: by whom, how often, and what is said where none can."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import WAIT, Cluster

pytest.importorskip("distributed")
PLAIN = """
import sys
from realtime_nst.cli.main import main
sys.exit(main(sys.argv[3:]))
"""
CLIENT = """
import json, sys
from pathlib import Path
from realtime_nst.cluster.commands import Command, share
from realtime_nst.cluster.connection import connected
from realtime_nst.errors import ClusterError
commands = [Command(name, tuple(words), seen=Path(seen)) for name, words, seen in json.loads(sys.argv[3])]
kept, notices, error = [], [], None
with connected(sys.argv[1]) as client:
    client.wait_for_workers(int(sys.argv[2]))
    try:
        share(
            client,
            commands,
            keep=lambda command, report: kept.append(command.name),
            at_work=lambda busy: None,
            notice=notices.append,
            stop=lambda: False,
        )
    except ClusterError as found:
        error = str(found)
print(json.dumps([sorted(kept), notices, error]))
"""
WELL = ["--version"]
BAD = ["image", "gone.jpg", "-o", "out.png"]


@pytest.fixture
def cluster(tmp_path: Path, weights: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path, weights)
    yield found
    found.end()


def given(cluster: Cluster, workers: int, *commands: tuple[str, list[str], Path]) -> Any:
    """What was done, what was told, and the error at the end."""
    listed = json.dumps([(name, words, str(seen)) for name, words, seen in commands])
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, cluster.address, str(workers), listed], capture_output=True, timeout=WAIT
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def blind_to(path: Path) -> str:
    """A worker that does not see a file."""
    hide = f"pathlib.Path.exists = lambda self: str(self) != {str(path)!r} and found(self)\n"
    return f"import pathlib\nfound = pathlib.Path.exists\n{hide}{PLAIN}"


def test_what_one_worker_cannot_do_another_one_does(cluster: Cluster, tmp_path: Path) -> None:
    cluster.worker("blind", program=blind_to(tmp_path))
    cluster.worker("anna", program=PLAIN)
    commands = [("one", WELL, tmp_path), ("two", WELL, tmp_path), ("bad", BAD, Path("/"))]
    kept, notices, error = given(cluster, 2, *commands)
    assert kept == ["one", "two"], "a bad one does not stop the others"
    assert error.startswith("'bad' failed 2 times, last on worker ") and "No file at 'gone.jpg'." in error
    missed = [line for line in notices if "It does not see" in line]
    assert missed and all(
        re.fullmatch(
            rf"'(one|two)' failed on worker blind: It does not see '{tmp_path}', which the client does. "
            "Name folders that all machines share. Another one takes it.",
            line,
        )
        for line in missed
    ), notices


@pytest.mark.parametrize("wrong", ["blind", "another version"])
def test_what_no_worker_can_do_is_one_line(cluster: Cluster, tmp_path: Path, wrong: str) -> None:
    other = "import realtime_nst; realtime_nst.__version__ = '0.0.9'\n" + PLAIN
    cluster.worker("anna", program=blind_to(tmp_path) if wrong == "blind" else other)
    kept, notices, error = given(cluster, 1, ("one", WELL, tmp_path))
    words = rf"It does not see '{tmp_path}'" if wrong == "blind" else r"It has realtime-nst 0\.0\.9, and the client "
    assert not kept and not notices and re.match(rf"'one' failed on worker anna: {words}", error), error
