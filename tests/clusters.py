"""A scheduler and workers that are processes of their own, each of which paints only so far, and clients of them."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.cluster import SCHEDULER
from tests.conftest import wait_until
from tests.readback import FORGETFUL

ALL, WAIT = 1_000_000, 240


class Cluster:
    """Processes of a test, ended with it.

    Args:
        folder: Where their gates and words are.
        weights: What workers have.
    """

    def __init__(self, folder: Path, weights: Path) -> None:
        self._folder, self._weights = folder, weights
        self._processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE)
        assert self.scheduler.stdout is not None
        self.address = self.scheduler.stdout.readline().decode().strip()

    def worker(
        self, name: str, free: int = ALL, program: str = FORGETFUL, weights: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """One that paints so many frames, and more once its gate is there."""
        arguments = ["worker", self.address, "--name", name, "--weights", str(weights or self._weights)]
        return self._program(program, free, name, arguments)

    def client(self, *arguments: object, program: str = FORGETFUL) -> subprocess.Popen[bytes]:
        """`video` with the cluster."""
        return self.command("video", *arguments, program=program)

    def command(self, *words: object, program: str = FORGETFUL) -> subprocess.Popen[bytes]:
        """Any command with the cluster."""
        return self._program(
            program, ALL, "client", [*map(str, words), "--cluster", self.address, "--weights", str(self._weights)]
        )

    def paint(self, *arguments: object) -> list[dict[str, object]]:
        """The same, to its end: what it told."""
        return told(self.client(*arguments, "--json"))

    def gate(self, name: str) -> Path:
        return self._folder / f"gate-{name}"

    def waits(self, name: str) -> bool:
        """Wait until a worker is at its last free frame."""
        return wait_until(Path(f"{self.gate(name)}.reached").exists, WAIT)

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()

    def _program(self, program: str, free: int, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program, str(free), str(self.gate(name)), *arguments]
        return self._start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _start(self, command: list[str], **pipes: int) -> subprocess.Popen[bytes]:
        self._processes.append(subprocess.Popen(command, **pipes))
        return self._processes[-1]


def told(client: subprocess.Popen[bytes], code: int = 0) -> list[dict[str, object]]:
    """Wait for a client with `--json`, and read what it told."""
    out, errors = client.communicate(timeout=WAIT)
    assert client.returncode == code, (client.returncode, out.decode(), errors.decode())
    assert b"Traceback" not in errors, errors.decode()
    return [json.loads(line) for line in out.splitlines()]


def events(news: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
    return [event for event in news if event["event"] == kind]
