"""Who may come in: this machine, or whoever has the token; no page of another site; and nobody too often."""

import hmac
import ipaddress
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from realtime_nst.control.places import Place

TOKEN_VARIABLE = "REALTIME_NST_TOKEN"
TAKEN = "/taken/"
"""Below it are pictures of visitors, each at an address that is a secret of its own."""
PAGES = ("/", "/view", "/kiosk")
"""What a link elsewhere may lead to."""
PEERS = 1000
"""Addresses whose requests are counted; the ones counted first are forgotten."""


class RefusedError(Exception):
    """A request that is not served.

    Args:
        status: Of HTTP.
        words: Why, in one line.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Bucket:
    """How often something may happen: so many at once, and then so many a second.

    Args:
        rate: A second.
        burst: At once.
        clock: Seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._since = burst, clock()

    def take(self) -> float:
        """Take one. Returns the seconds to wait until there is one; 0 if there is."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._since) * self._rate)
        self._since = now
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._rate


def new_token() -> str:
    """What opens a show to other machines: the user's own, or one that nobody guesses."""
    return os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(16)


class Access:
    """The rules of one server.

    Args:
        place: Where it listens. Where other machines reach it, a token is needed for everything.
        token: The token.
        rate: Requests a second that one address may send.
        burst: Requests at once.
    """

    def __init__(self, place: Place, token: str, rate: float = 100.0, burst: float = 300.0) -> None:
        self.place = place
        self.token = "" if place.loopback else token
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, Bucket] = {}

    @property
    def cookie(self) -> str:
        """The name of the cookie with the token; browsers share cookies between the ports of a host."""
        return f"realtime-nst-{self.place.port}"

    @property
    def link(self) -> str:
        """What opens the page."""
        return self.entrance("/")

    def entrance(self, path: str) -> str:
        """What opens a page, with the token that it needs."""
        return self.link_to(path) + (f"?token={self.token}" if self.token else "")

    def link_to(self, path: str) -> str:
        """The whole address of a path."""
        host = self.place.outward() if self.token else self.place.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.place.port}{path}"

    def check(self, method: str, path: str, headers: Mapping[str, str], tokens: list[str | None], peer: str) -> None:
        """Let a request in, or not.

        Args:
            method: Of HTTP.
            path: Without the query.
            headers: Of the request, in any letters.
            tokens: Those that came with it.
            peer: The address that it came from.

        Raises:
            RefusedError: It is not let in.
        """
        host = headers.get("Host", "")
        if not self._knows(host):  # a name that another site points here would make its pages ours
            raise RefusedError(403, "This server does not go by that name. Open it by the address that it printed.")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RefusedError(403, "A page of another site must not do this.")
        from_elsewhere = headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
        if from_elsewhere and not (
            method == "GET" and (path in PAGES or path.startswith(TAKEN)) and headers.get("Sec-Fetch-Dest") == "document"
        ):
            raise RefusedError(403, "A page of another site must not do this.")
        if self.token and not path.startswith(TAKEN) and not any(_same(token, self.token) for token in tokens):
            raise RefusedError(401, "The token is missing or wrong. Open the link that the show printed, with its token.")
        if self._bucket(peer).take():
            raise RefusedError(429, "Too many requests. Send fewer, or use the WebSocket at /api/socket.")

    def _bucket(self, peer: str) -> Bucket:
        if peer not in self._buckets and len(self._buckets) >= PEERS:
            del self._buckets[next(iter(self._buckets))]
        return self._buckets.setdefault(peer, Bucket(self._rate, self._burst))

    def _knows(self, header: str) -> bool:
        """Whether a Host header is one of this server: an address, which nobody can point elsewhere, or its own name."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        try:
            return ipaddress.ip_address(name).is_loopback or not self.place.loopback
        except ValueError:
            own = {"localhost"}
            if not self.place.loopback:
                machine = socket.gethostname().lower()
                own |= {self.place.host.lower(), machine, f"{machine}.local"}
            return name in own


def _same(one: str | None, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how much of them is."""
    return one is not None and hmac.compare_digest(one.encode(errors="replace"), other.encode())
