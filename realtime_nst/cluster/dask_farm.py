"""`DaskFarm`: the stretches of a film on the workers of a Dask cluster, each given to whoever is free.

Dask carries orders and results, and knows which workers there are; who paints what is decided here, where it is known
what a stretch is, which worker could not do it, and that the last ones are worth being painted twice.
"""

import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from realtime_nst import __version__
from realtime_nst.cluster.crew import TRIES, Waiting, check_scheduler, in_words, workers_of
from realtime_nst.cluster.hands import LEAST_TRIES, Hand
from realtime_nst.cluster.orders import Commission, Order
from realtime_nst.cluster.originals import Original
from realtime_nst.cluster.scout import Scout
from realtime_nst.errors import ClusterError
from realtime_nst.files import on_disk
from realtime_nst.jobs.farm import FarmedFilm
from realtime_nst.jobs.film_source import FilmSource
from realtime_nst.jobs.options import Outcome
from realtime_nst.jobs.progress import Report
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.media.encoders import alike
from realtime_nst.pipeline.loop import Remote
from realtime_nst.pipeline.stage import Stage

PAUSE = 0.05
"""Seconds between two looks at what the workers do; they are told of frames once a second."""
LOOK_SECONDS = 1.0
"""Seconds between two looks at which workers there are."""
AHEAD = 100_000
"""Orders that may be written before they are given: each is small."""


class DaskFarm:
    """Paints films on a cluster.

    Args:
        client: Dask's, connected.
        backend: What workers compute with, where they were not told: as for `choose_backend`.
        precision: Likewise.
        engine: What this machine would compute with.
    """

    def __init__(self, client: Any, backend: str, precision: str, engine: str) -> None:
        self._client, self._backend, self._precision, self._engine = client, backend, precision, engine

    def paint(self, film: FarmedFilm, work: WorkFolder, report: Report, remote: Remote) -> tuple[Outcome, FilmSource]:
        """As `Farm` has it."""
        look, styles = film.picture_painter.look, film.styles
        commission = Commission(
            version=__version__,
            original=Original.of(film.source),
            reel=replace(film.reel, encoder=alike(film.reel.encoder, film.reel.info.height)),
            styles=tuple((style.name, style.vector, style.body.sha256) for style in styles.styles),
            every=styles.every,
            look=look,
            backend=self._backend,
            precision=self._precision,
            topic=f"realtime-nst-{uuid.uuid4().hex[:8]}",
        )
        field = bool(look.strength > 0 and look.follow_camera and styles.styles[0].body.architecture.field)
        scout = Scout(film, work, field=field)
        shift = _Shift(self._client, commission, film, work, report, self._engine)
        orders = Stage(scout, keep="all", depth=AHEAD, name="capture")
        report.begin(film.name, film.expected, work.frames + work.frames_ahead)
        try:
            while not (remote.quit or shift.over(orders)):
                scout.source.check()
                while (order := orders.get(timeout=0.0)) is not None:
                    shift.waiting.append(order)
                shift.go_on(all_known=orders.finished)
                remote.poll(0.0)
                time.sleep(PAUSE)
        finally:
            orders.close()
            scout.close()
            shift.end()
            orders.join(None)
            report.end()
        seconds = time.monotonic() - shift.began
        outcome = Outcome(work.frames + work.frames_ahead, 0, shift.painted / max(seconds, 1e-9))
        return replace(outcome, interrupted=remote.quit, kept=outcome.frames if remote.quit else 0), scout.source


class _Shift:
    """One film's work on the cluster.

    `waiting` are the stretches that nobody paints yet, `painted` counts frames that came back.
    """

    def __init__(
        self, client: Any, commission: Commission, film: FarmedFilm, work: WorkFolder, report: Report, engine: str
    ) -> None:
        self.waiting: deque[Order] = deque()
        self.painted = 0
        self.began = time.monotonic()
        self._client, self._commission, self._film, self._work = client, commission, film, work
        self._report, self._engine = report, engine
        self._hands: dict[str, Hand] = {}
        self._news: dict[tuple[str, int], int] = {}
        self._failed: Counter[int] = Counter()
        self._causes: dict[str, str] = {}
        self._looked = 0.0
        self._lonely = Waiting(report.notice)
        client.subscribe_topic(commission.topic, self._hear)

    def over(self, orders: "Stage[Order]") -> bool:
        """Whether all stretches are painted."""
        return orders.finished and not self.waiting and all(hand.order is None for hand in self._hands.values())

    def go_on(self, *, all_known: bool) -> None:
        """Take what is finished, and give what is free to whom is free.

        Args:
            all_known: Whether no stretch will come any more.

        Raises:
            NSTError: A stretch failed too often, or nobody can paint.
        """
        check_scheduler(self._client)
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            self._look_around()
        for hand in list(self._hands.values()):
            self._take(hand)
        for hand in self._hands.values():
            if hand.idle and (order := self._next(all_known)) is not None:
                hand.give(order)
        self._tell()

    def end(self) -> None:
        """Nobody need work any longer."""
        if self._client.status != "running":
            return
        self._client.unsubscribe_topic(self._commission.topic)
        for hand in self._hands.values():
            hand.take_back()
            hand.forget()

    def _look_around(self) -> None:
        """See who has come and who has gone."""
        workers = workers_of(self._client)
        if workers is None:
            return
        for address in set(self._hands) - set(workers):
            hand = self._hands.pop(address)
            self._report.event("worker", worker=hand.name, state="left")
            if hand.order is not None:
                self._fail(hand, hand.order, "It has gone.")
        for address in set(workers) - set(self._hands):
            self._hands[address] = Hand(self._client, address, workers[address], self._commission)
        if self._hands and all(hand.refused for hand in self._hands.values()):
            name, cause = next(iter(self._causes.items()))
            raise ClusterError(f"No worker can paint '{self._film.source}'. Worker {name}: {cause}")
        self._lonely.look(anybody=any(hand.ready and not hand.refused for hand in self._hands.values()))

    def _take(self, hand: Hand) -> None:
        """Take what a worker has finished, well or not."""
        order, was_ready = hand.order, hand.ready
        try:
            result = hand.look()
            if result is not None and order is not None:
                _check(order, result)
        except Exception as error:  # of the worker, or of Dask's about it: whatever it is, another one may do better
            check_scheduler(self._client)
            if order is not None:
                hand.order = None
                self._fail(hand, order, in_words(error))
            else:
                self._refuse(hand, in_words(error))
            return
        if result is not None and order is not None:
            hand.order = None
            self._keep(order, result, hand)
        if hand.ready and not was_ready:
            self._report.event("worker", worker=hand.name, state="joined", engine=hand.engine)
            if hand.engine != self._engine:
                self._report.notice(
                    f"Worker {hand.name} computes with {hand.engine}, this machine with {self._engine}: "
                    "its pictures may differ by what nobody sees."
                )

    def _keep(self, order: Order, result: list[tuple[Note, bytes]], hand: Hand) -> None:
        """Put the segments of a stretch into the work folder, unless another worker has been faster."""
        others = [other for other in self._hands.values() if other.order is not None and other.order.number == order.number]
        if all(number in self._work for number in order.segments):
            return
        suffix = f".{self._commission.reel.encoder.segment_format}"
        for number, (note, data) in zip(order.segments, result, strict=True):
            if number in self._work:  # of a stretch that one machine has begun
                continue
            path = self._work.file(number, suffix)
            path.write_bytes(data)
            on_disk(path)
            self._work.put(number, note)
        for other in others:
            other.take_back()
        hand.painted += order.frames
        self.painted += order.frames
        seconds = round(time.monotonic() - hand.since, 2)
        self._report.event("segment", number=order.number, worker=hand.name, frames=order.frames, seconds=seconds)

    def _fail(self, hand: Hand, order: Order, cause: str) -> None:
        """A worker could not do a stretch."""
        if all(number in self._work for number in order.segments):
            return
        self._failed[order.number] += 1
        hand.failures += 1
        if self._failed[order.number] >= TRIES:
            raise ClusterError(
                f"Segment {order.number} of '{self._film.name}' failed {TRIES} times, last on worker {hand.name}: {cause} "
                "What is finished is kept; the same command goes on."
            )
        self._report.event("failed_segment", number=order.number, worker=hand.name, error=cause)
        if not any(other.order is not None and other.order.number == order.number for other in self._hands.values()):
            self.waiting.appendleft(order)
        if hand.failures >= LEAST_TRIES:
            self._refuse(hand, cause)

    def _refuse(self, hand: Hand, cause: str) -> None:
        hand.refused = True
        self._causes[hand.name] = cause
        self._report.event("worker", worker=hand.name, state="refused", error=cause)
        self._report.notice(f"Worker {hand.name} gets nothing to do: {cause}")

    def _next(self, all_known: bool) -> Order | None:
        """What an idle worker does: what nobody does yet, or in the end what another one has been at for longest."""
        if self.waiting:
            return self.waiting.popleft()
        if not all_known:
            return None
        busy = Counter(other.order.number for other in self._hands.values() if other.order is not None)
        slow = [other for other in self._hands.values() if other.order is not None and busy[other.order.number] == 1]
        slowest = min(slow, key=lambda other: other.since, default=None)
        if slowest is None or time.monotonic() - slowest.since < LOOK_SECONDS:
            return None
        return slowest.order

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """News of a worker, on a thread of Dask's."""
        _, news = event
        self._news[news["worker"], news["number"]] = news["frames"]

    def _tell(self) -> None:
        """Tell how far all of them are."""
        under_way: dict[int, int] = {}
        for hand in self._hands.values():
            if hand.order is not None:
                frames = self._news.get((hand.address, hand.order.number), 0)
                under_way[hand.order.number] = max(frames, under_way.get(hand.order.number, 0))
        seconds = max(time.monotonic() - self.began, 1e-9)
        count = self.painted + sum(under_way.values())
        speeds = {hand.name: hand.painted / seconds for hand in self._hands.values() if hand.ready and not hand.refused}
        self._report.crew(count, count / seconds, speeds)


def _check(order: Order, result: list[tuple[Note, bytes]]) -> None:
    """Make sure that a worker has painted the frames that were meant.

    Raises:
        ClusterError: It has not.
    """
    found = tuple((note.time, note.check) for note, _ in result)
    if found != order.ends or sum(note.frames for note, _ in result) != order.frames:
        raise ClusterError("It reads other frames from the film than this machine. Install the same ffmpeg on both.")
