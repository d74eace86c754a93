"""`Place`: where to listen for messages, a host and a port."""

import ipaddress
import socket
from dataclasses import dataclass

from realtime_nst.errors import ControlError

HERE = "127.0.0.1"
HIGHEST_PORT = 65535
WAITING = 64
"""Connections that wait to be taken."""


@dataclass(frozen=True)
class Place:
    """A host and a port of it.

    Args:
        host: A name or an address of this machine; 0.0.0.0 is all of them.
        port: From 1; 0 is any free one.
    """

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def bind(self, kind: socket.SocketKind, flag: str) -> socket.socket:
        """A socket that listens there.

        Args:
            kind: `SOCK_STREAM` or `SOCK_DGRAM`.
            flag: That asked for it, for the error.

        Raises:
            ControlError: The host is none of this machine's, or the port is taken.
        """
        try:
            family, _, _, _, address = socket.getaddrinfo(self.host, self.port, type=kind)[0]
            if kind == socket.SOCK_STREAM:
                return socket.create_server(address, family=family, backlog=WAITING)
            listening = socket.socket(family, kind)
            try:
                listening.bind(address)
            except OSError:
                listening.close()
                raise
        except OSError as error:
            why = error.strerror or str(error)
            raise ControlError(f"Nothing can listen at {self}: {why}. Choose another host or port with {flag}.") from error
        return listening

    def at(self, listening: socket.socket) -> "Place":
        """The same place with the port that a socket has."""
        return Place(self.host, int(listening.getsockname()[1]))

    def outward(self) -> str:
        """The host as other machines may call it: for all of this machine's addresses, the one that leads to the network."""
        if self.host not in ("0.0.0.0", "::"):
            return self.host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # of no machine; nothing is sent, but the system chooses a way
                return str(probe.getsockname()[0])
            except OSError:
                return socket.gethostname()


def parse_place(text: str) -> Place:
    """A place from text as in "8080", "0.0.0.0:8080" or "[::1]:8080"; without a host it is this machine alone.

    Raises:
        ValueError: Something else.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or HERE
    if not (port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT) or " " in host or (":" in host and "[" not in text):
        raise ValueError(f"'{text}' is no place to listen at. Write a port, or host:port, as in 8080 or 0.0.0.0:8080.")
    return Place(host, int(port))
