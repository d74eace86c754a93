"""`Hand`: one worker as its client sees it: what it was asked for last, and what came of that."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from realtime_nst.cluster import labour
from realtime_nst.cluster.connection import dask
from realtime_nst.cluster.orders import Abilities, Commission, Order
from realtime_nst.jobs.workfolder import Note

COUNT = count()
"""Numbers for tasks: none has the name of another one."""
LEAST_TRIES = 2
"""Stretches that a worker may fail at, one after another, before it gets no more."""


class Hand:
    """A worker. It is asked for one thing at a time, so that nothing waits at a slow one.

    Args:
        client: Dask's.
        address: Of the worker.
        name: As users know it.
        commission: What it is to work on.

    `order` is what it paints, if it does, `since` when it began, and `frames` how many it has painted of that.
    """

    def __init__(self, client: Any, address: str, name: str, commission: Commission) -> None:
        self.address, self.name = address, name
        self.ready = self.refused = False
        self.order: Order | None = None
        self.since = 0.0
        self.frames = self.failures = self.painted = 0
        self.engine = ""
        self._client, self._commission = client, commission
        self._pieces: Iterator[tuple[int, bytes]] | None = None
        self._has_copy = False
        self._future = self._ask("greet", labour.greet, commission)

    @property
    def idle(self) -> bool:
        """Whether it can be given an order."""
        return self.ready and not self.refused and self.order is None

    def give(self, order: Order) -> None:
        """Let it paint a stretch."""
        self.order, self.since, self.frames = order, time.monotonic(), 0
        what = f"paint segment {order.number}"
        self._future = self._ask(what, labour.paint, self._commission, order)

    def take_back(self) -> None:
        """Let it stop."""
        if self._future is not None:
            self._future.cancel(force=True)
        self._future = self.order = None

    def look(self) -> list[tuple[Note, bytes]] | None:
        """What it has painted since the last look; `None` while there is nothing.

        Raises:
            Exception: Why it could not do what it was asked for.
        """
        future = self._future
        if future is None or not future.done():
            return None
        self._future = None
        result = future.result()
        if self.order is not None:
            self.failures = 0
            return list(result)
        if isinstance(result, Abilities):
            self.engine, self.ready = result.engine, result.has_original
        elif result is True:
            self.ready, self._pieces = True, None
        if not self.ready:
            self._send_piece()
        return None

    def forget(self) -> None:
        """What it has a copy of, it needs no more."""
        if self._has_copy:
            dask().fire_and_forget(self._ask("forget", labour.forget, self._commission.original))

    def _send_piece(self) -> None:
        """Send the next piece of the original, which it cannot read where the client does."""
        if self._pieces is None:
            self._pieces, self._has_copy = self._commission.original.pieces(), True
        place, data = next(self._pieces)  # the last one makes it whole
        self._future = self._ask("keep", labour.keep, self._commission.original, place, data)

    def _ask(self, what: str, function: Callable[..., object], *arguments: object) -> Any:
        key = f"{what}-{self._commission.topic}-{next(COUNT)}"
        return self._client.submit(
            function, *arguments, key=key, workers=[self.address], allow_other_workers=False, pure=False, retries=0
        )
