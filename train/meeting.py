"""Processes that will train together find each other, before JAX connects them: JAX aborts a program that waits in vain.

The first listens at the port that JAX will have, until each other one has said which it is.
"""

import socket
import time
from contextlib import ExitStack, suppress

from realtime_nst.errors import TrainingError

WAIT_SECONDS = 300.0
"""How long a process waits for the others."""
PAUSE = 0.5
"""Seconds between two tries to reach the first."""
MOST_BYTES = 200
GO = "go"


def meet(address: str, number: int, count: int, seconds: float = WAIT_SECONDS) -> None:
    """Wait until all processes are there.

    Args:
        address: Host and port of the first.
        number: Which this is, from 1.
        count: How many there are.
        seconds: How long.

    Raises:
        TrainingError: They have not come in time, the port is taken, or two say that they are the same one.
    """
    host, _, port = address.rpartition(":")
    if number == 1:
        _receive(int(port), count, time.monotonic() + seconds)
    else:
        _report(host.strip("[]"), int(port), number, count, time.monotonic() + seconds)


def _receive(port: int, count: int, until: float) -> None:
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    with ExitStack() as stack:
        try:
            door = stack.enter_context(socket.create_server(("", port), family=family, dualstack_ipv6=dual))
        except OSError as error:
            raise TrainingError(f"Port {port} of this machine cannot be used: {error.strerror}. Choose another one.") from error
        there: dict[int, socket.socket] = {}
        while len(there := {number: guest for number, guest in there.items() if not _gone(guest)}) < count - 1:
            door.settimeout(max(until - time.monotonic(), 0.01))
            try:
                guest, _ = door.accept()
            except TimeoutError:
                missing = ", ".join(f"{number}/{count}" for number in range(2, count + 1) if number not in there)
                raise TrainingError(
                    f"These processes have not come: {missing}. Start each with the same command, but for --process, and see "
                    f"that they reach port {port} of this machine."
                ) from None
            stack.enter_context(guest)
            number, of = _numbers(guest)
            if not 2 <= number <= count:  # another program, or one that counts otherwise
                with suppress(OSError):
                    guest.sendall(f"The first one is 1/{count}, and you said {number}/{of}\n".encode())
            elif of != count or (number in there and not _gone(there[number])):
                why = f"Two are {number}/{count}" if of == count else f"The first one is 1/{count}, and another one {number}/{of}"
                for each in (guest, *there.values()):
                    with suppress(OSError):
                        each.sendall(f"{why}\n".encode())
                raise TrainingError(f"{why}. Give each process a number of its own, and all the same count.")
            else:
                there[number] = guest
        for guest in there.values():
            with suppress(OSError):
                guest.sendall(f"{GO}\n".encode())


def _report(host: str, port: int, number: int, count: int, until: float) -> None:
    while True:
        try:
            with socket.create_connection((host, port), timeout=max(until - time.monotonic(), 0.01)) as door:
                door.sendall(f"{number}/{count}\n".encode())
                said = _line(door)
        except OSError as error:
            said, why = "", error.strerror or str(error)
        else:
            why = "it did not answer"
        if said == GO:
            return
        if said:
            raise TrainingError(f"{said}. Give each process a number of its own, and all the same count.")
        if time.monotonic() > until:
            raise TrainingError(
                f"The first process was not reached at '{host}:{port}': {why}. Start it there with --process 1/{count}, and see "
                "that nothing closes the port."
            )
        time.sleep(PAUSE)


def _gone(guest: socket.socket) -> bool:
    """Whether nobody is at the other end any more."""
    guest.setblocking(False)
    try:
        return not guest.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _numbers(guest: socket.socket) -> tuple[int, int]:
    """What a guest says it is, zeros where it says nothing that can be read."""
    guest.settimeout(5.0)
    with suppress(OSError, ValueError):
        number, _, count = _line(guest).partition("/")
        return int(number), int(count)
    return 0, 0


def _line(connection: socket.socket) -> str:
    with connection.makefile("rb") as file:
        return file.readline(MOST_BYTES).decode("utf-8", "replace").strip()
