"""Processes that find each other before they train together, with real sockets."""

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from realtime_nst.errors import TrainingError
from realtime_nst.train.meeting import Meeting
from tests.conftest import PATIENCE, wait_until

pytestmark = pytest.mark.once


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def begun(pool: ThreadPoolExecutor, port: int, who: Sequence[tuple[int, int]], seconds: float) -> list[Future[None]]:
    return [pool.submit(meet, f"127.0.0.1:{port}", number, count, seconds) for number, count in who]


def meet(address: str, number: int, count: int, seconds: float) -> None:
    Meeting(address, number, count, seconds).leave()


def listening(port: int) -> bool:
    """Whether the first is there; it takes this for a stranger."""
    with socket.socket() as stranger:
        return stranger.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (3, 2, 1)])
def test_all_go_when_all_are_there(pool: ThreadPoolExecutor, port: int, order: tuple[int, ...]) -> None:
    early = begun(pool, port, [(number, 3) for number in order[:2]], PATIENCE)
    time.sleep(0.2)
    assert not any(future.done() for future in early), "one is missing"
    for future in [*early, *begun(pool, port, [(order[2], 3)], PATIENCE)]:
        future.result(PATIENCE)
    with socket.create_server(("", port)):  # which the first has left to JAX
        pass


def test_one_alone_does_not_wait(port: int) -> None:
    meet(f"127.0.0.1:{port}", 1, 1, 0.0)


def test_a_name_of_ipv6_is_understood(pool: ThreadPoolExecutor, port: int) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    first = pool.submit(meet, f"[::1]:{port}", 1, 2, PATIENCE)
    meet(f"[::1]:{port}", 2, 2, PATIENCE)
    first.result(PATIENCE)


def test_the_first_says_who_has_not_come(pool: ThreadPoolExecutor, port: int) -> None:
    first, second = begun(pool, port, [(1, 3), (2, 3)], 1.5)
    with pytest.raises(TrainingError, match=rf"have not come: 3/3\. .+ port {port} of this machine"):
        first.result(PATIENCE)
    with pytest.raises(TrainingError, match="was not reached"):
        second.result(PATIENCE)


def test_others_say_where_they_looked_for_the_first(port: int) -> None:
    with pytest.raises(TrainingError, match=rf"not reached at '127\.0\.0\.1:{port}': .+ Start it there with --process 1/2"):
        meet(f"127.0.0.1:{port}", 2, 2, 0.5)
    with pytest.raises(TrainingError, match="not reached at 'nowhere.invalid:7000'"):
        meet("nowhere.invalid:7000", 2, 2, 0.5)


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TrainingError, match=rf"Port {port} of this machine cannot be used: .+ Choose another one"):
            meet(f"127.0.0.1:{port}", 1, 2, 0.5)


@pytest.mark.parametrize(
    ("others", "complaint"), [([(2, 3), (2, 3)], "Two are 2/3"), ([(2, 4)], "The first one is 1/3, and another one 2/4")]
)
def test_some_that_do_not_go_together_end_all(
    pool: ThreadPoolExecutor, port: int, others: list[tuple[int, int]], complaint: str
) -> None:
    for future in begun(pool, port, [(1, 3), *others], PATIENCE):
        with pytest.raises(TrainingError, match=complaint):
            future.result(PATIENCE)


def test_the_first_leaves_last(pool: ThreadPoolExecutor, port: int) -> None:
    meetings = [pool.submit(Meeting, f"127.0.0.1:{port}", number, 3, PATIENCE) for number in (1, 2, 3)]
    first, second, third = (future.result(PATIENCE) for future in meetings)
    second.wait_until_alone(), third.wait_until_alone()
    alone = pool.submit(first.wait_until_alone, PATIENCE)
    second.leave()
    time.sleep(0.2)
    assert not alone.done()
    third.leave()
    alone.result(PATIENCE)
    first.wait_until_alone(), first.leave()


def test_the_first_does_not_wait_for_ever(pool: ThreadPoolExecutor, port: int) -> None:
    meetings = [pool.submit(Meeting, f"127.0.0.1:{port}", number, 2, PATIENCE) for number in (1, 2)]
    first, second = (future.result(PATIENCE) for future in meetings)
    first.wait_until_alone(0.2)
    first.leave(), second.leave()


def test_strangers_are_nobody(pool: ThreadPoolExecutor, port: int) -> None:
    (first,) = begun(pool, port, [(1, 2)], PATIENCE)
    assert wait_until(lambda: listening(port))
    for words in (b"GET / HTTP/1.1\r\n\r\n", b"9/9\n", b"\xff\n", b""):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(words)
    (second,) = begun(pool, port, [(2, 2)], PATIENCE)
    first.result(PATIENCE)
    second.result(PATIENCE)


def test_one_that_was_started_again_is_itself(pool: ThreadPoolExecutor, port: int) -> None:
    (first,) = begun(pool, port, [(1, 3)], PATIENCE)
    assert wait_until(lambda: listening(port))
    with socket.create_connection(("127.0.0.1", port)) as ended:
        ended.sendall(b"2/3\n")
    for future in [*begun(pool, port, [(2, 3), (3, 3)], PATIENCE), first]:
        future.result(PATIENCE)
