"""Processes that will train together find each other, before JAX connects them: JAX aborts a program that waits in vain.

The first listens at the port that JAX will have, until each other one has said which it is. The connections stay: by them the
first sees that the others have left, and leaves last, as JAX wants it.
"""

import socket
import time
from contextlib import ExitStack, suppress

from realtime_nst.errors import TrainingError

WAIT_SECONDS = 300.0
"""How long a process waits for the others."""
LEAVING_SECONDS = 10.0
"""How long the first waits for the others to leave."""
PAUSE = 0.5
"""Seconds between two tries to reach the first."""
MOST_BYTES = 200
GO = "go"


class Meeting:
    """All processes are there, once this is made.

    Args:
        address: Host and port of the first.
        number: Which this is, from 1.
        count: How many there are.
        seconds: How long to wait for the others.

    Raises:
        TrainingError: They have not come in time, the port is taken, or two say that they are the same one.
    """

    def __init__(self, address: str, number: int, count: int, seconds: float = WAIT_SECONDS) -> None:
        host, _, port = address.rpartition(":")
        until = time.monotonic() + seconds
        self._others = (
            _receive(int(port), count, until) if number == 1 else [_report(host.strip("[]"), int(port), number, count, until)]
        )
        self._first = number == 1

    def wait_until_alone(self, seconds: float = LEAVING_SECONDS) -> None:
        """Wait until all but the first have left, or the time is over; only the first waits."""
        until = time.monotonic() + seconds
        for other in self._others if self._first else ():
            other.settimeout(max(until - time.monotonic(), 0.01))
            with suppress(OSError):
                other.recv(1)  # nothing comes but its end

    def leave(self) -> None:
        """Have the first see that this one has left."""
        for other in self._others:
            other.close()


def _receive(port: int, count: int, until: float) -> list[socket.socket]:
    """The connections to the other processes."""
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    with ExitStack() as stack:
        try:
            door = stack.enter_context(socket.create_server(("", port), family=family, dualstack_ipv6=dual))
        except OSError as error:
            raise TrainingError(f"Port {port} of this machine cannot be used: {error.strerror}. Choose another one.") from error
        guests = stack.enter_context(ExitStack())
        there: dict[int, socket.socket] = {}
        while len(there := _still(there)) < count - 1:
            door.settimeout(max(until - time.monotonic(), 0.01))
            try:
                guest, _ = door.accept()
            except TimeoutError:
                missing = ", ".join(f"{number}/{count}" for number in range(2, count + 1) if number not in there)
                raise TrainingError(
                    f"These processes have not come: {missing}. Start each with the same command, but for --process, and see "
                    f"that they reach port {port} of this machine."
                ) from None
            guests.enter_context(guest)
            number, of = _numbers(guest)
            if not 2 <= number <= count:  # another program, or one that counts otherwise
                _say(guest, f"The first one is 1/{count}, and you said {number}/{of}")
                guest.close()
            elif of != count or number in (there := _still(there)):
                why = f"Two are {number}/{count}" if of == count else f"The first one is 1/{count}, and another one {number}/{of}"
                for each in (guest, *there.values()):
                    _say(each, why)
                raise TrainingError(f"{why}. Give each process a number of its own, and all the same count.")
            else:
                there[number] = guest
        for guest in there.values():
            _say(guest, GO)
        guests.pop_all()
        return list(there.values())


def _report(host: str, port: int, number: int, count: int, until: float) -> socket.socket:
    """The connection to the first process."""
    while True:
        said, why = "", "it did not answer"
        try:
            with ExitStack() as stack:
                door = stack.enter_context(socket.create_connection((host, port), timeout=max(until - time.monotonic(), 0.01)))
                _say(door, f"{number}/{count}")
                said = _line(door)
                if said == GO:
                    stack.pop_all()
                    return door
        except OSError as error:
            why = error.strerror or str(error)
        if said:
            raise TrainingError(f"{said}. Give each process a number of its own, and all the same count.")
        if time.monotonic() > until:
            raise TrainingError(
                f"The first process was not reached at '{host}:{port}': {why}. Start it there with --process 1/{count}, and see "
                "that nothing closes the port."
            )
        time.sleep(PAUSE)


def _say(to: socket.socket, words: str) -> None:
    with suppress(OSError):
        to.sendall(f"{words}\n".encode())


def _still(there: dict[int, socket.socket]) -> dict[int, socket.socket]:
    """Those that have not gone; the connections of the others are closed."""
    for guest in there.values():
        if _gone(guest):
            guest.close()
    return {number: guest for number, guest in there.items() if guest.fileno() >= 0}


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
