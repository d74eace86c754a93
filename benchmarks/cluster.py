"""How far a cluster scales: `python -m benchmarks.cluster simulate`, or `check`, `measure`, `cores` (Linux).

    simulate  a film on 1 to 64 workers, in simulated time, by the rules of `DaskFarm` and with figures that were measured;
              for clients with some numbers of cores by `--client-cores 2 4 8 16`
    check     the same for a few workers, and then in real time: real processes on a real scheduler, which sleep for painting
    measure   the figures: what each part of reading ahead costs in processor time, which a busy machine hardly changes; how
              fast one machine reads ahead, and how fast one paints on all its cores, or on one
    cores     a film on a worker that is pinned to a core, and on two of them, in turns

What is simulated: the client reads the film ahead, and a stretch can be given once it is read. It takes in one result at a
time, over its network and onto its disk. In the end idle workers paint what others are still at.
"""

import argparse
import heapq
import itertools
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from realtime_nst.cluster import dask_farm, labour
from realtime_nst.cluster.album import Album, movement
from realtime_nst.cluster.connection import connected, work
from realtime_nst.cluster.crew import is_wanted
from realtime_nst.cluster.orders import Commission, Order
from realtime_nst.cluster.scout import MOST
from realtime_nst.engines.backend import choose_backend
from realtime_nst.jobs.farm import FarmedFilm
from realtime_nst.jobs.painter import FrameHolder
from realtime_nst.jobs.progress import JsonReport
from realtime_nst.jobs.reel import Reel
from realtime_nst.jobs.stretches import STRETCH_FRAMES
from realtime_nst.jobs.workfolder import Note, WorkFolder
from realtime_nst.media.containers import container_of
from realtime_nst.media.encoders import choose_encoder
from realtime_nst.media.ffmpeg import executable
from realtime_nst.media.probing import probe
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.loop import Unattended
from realtime_nst.style.book import find_styles, style_folders
from realtime_nst.style.look import Look
from realtime_nst.style.schedule import StylePath

CLIP = Path(__file__).parents[1] / "samples" / "clip.mp4"
WANTED, MANY = 0.85, 32
SCHEDULER = """
import asyncio
from distributed import Scheduler
async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(serve())
"""


@dataclass(frozen=True)
class Costs:
    """What a film costs.

    Args:
        frames: Of the film.
        paint: Frames a second that a worker paints, from its order to its finished segments.
        vary: By which share that differs from stretch to stretch, at most.
        read: Frames a second that the client reads ahead.
        result: Bytes of a painted frame.
        link: Bytes a second of the client's network.
        disk: And of its disk.
        start: Seconds until a worker paints its first frame: it finds styles, and compiles.
        copy: Bytes of the film, if each worker needs a copy of it; 0 if they see it.
    """

    frames: int
    paint: float
    vary: float
    read: float
    result: float
    link: float
    disk: float
    start: float
    copy: float = 0.0

    @property
    def stretches(self) -> list[int]:
        """Frames of each stretch."""
        return [min(STRETCH_FRAMES, self.frames - first) for first in range(0, self.frames, STRETCH_FRAMES)]


@dataclass(frozen=True)
class Parts:
    """What reading ahead costs: milliseconds of processor time for a frame.

    Args:
        decode: Of ffmpeg, on all its threads together.
        take: To take it in, on a thread.
        shrink: To see whether it repeats the one before, and make it small, on another.
        follow: To see how the camera moved, in one process for each stretch.
    """

    decode: float
    take: float
    shrink: float
    follow: float

    def rate(self, cores: int) -> float:
        """Frames a second that are read with so many cores: none of them idle, unless one thread has no time."""
        all_together = self.decode + self.take + self.shrink + self.follow
        return 1000 / max(self.take, self.shrink, self.follow / MOST, all_together / cores)


def simulate(costs: Costs, workers: int, seed: int = 0) -> float:
    """Seconds until a film is painted."""
    rng, stretches = random.Random(seed), costs.stretches
    seconds = [frames / costs.paint * rng.uniform(1 - costs.vary, 1 + costs.vary) for frames in stretches]
    read = [frames / costs.read for frames in itertools.accumulate(stretches)]
    waiting, done, busy, count = deque(range(len(stretches))), set[int](), dict[int, tuple[int, float]](), itertools.count()
    free_link = 0.0
    begin = costs.start + workers * costs.copy / costs.link
    events: list[tuple[float, int, str, int]] = []

    def later(moment: float, what: str, worker: int) -> None:
        heapq.heappush(events, (moment, next(count), what, worker))

    for worker in range(workers):
        later(begin, "free", worker)
    now = 0.0
    while len(done) < len(stretches):
        now, _, what, worker = heapq.heappop(events)
        if what == "free":
            if waiting and read[waiting[0]] <= now:
                busy[worker] = waiting.popleft(), now
            elif waiting:
                later(read[waiting[0]], "free", worker)
                continue
            else:
                alone = Counter(number for number, _ in busy.values())
                slow = [(since, number) for number, since in busy.values() if alone[number] == 1]
                if not slow:
                    continue
                busy[worker] = min(slow)[1], now
            later(now + seconds[busy[worker][0]], "painted", worker)
        elif what == "painted" and worker in busy:
            size = stretches[busy[worker][0]] * costs.result
            free_link = max(free_link, now) + size / costs.link + size / costs.disk
            later(free_link, "kept", worker)
        elif what == "kept" and worker in busy:
            done.add(busy[worker][0])
            for other in [other for other, (number, _) in busy.items() if number == busy[worker][0]]:
                del busy[other]
                later(now + dask_farm.PAUSE / 2, "free", other)
    return now


def table(costs: Costs, counts: list[int]) -> None:
    """Print how long a film takes, and how much of the workers' time is used."""
    one = simulate(costs, 1)
    print(f"{costs.frames} frames: {costs}")
    print("| workers | minutes | frames/s | efficiency | client takes in | client reads |")
    print("|---|---|---|---|---|---|")
    for workers in counts:
        seconds = simulate(costs, workers)
        taking = costs.frames * costs.result * (1 / costs.link + 1 / costs.disk) / seconds
        reading = costs.frames / costs.read / seconds
        efficiency = one / (workers * seconds)
        rate = costs.frames / seconds
        print(f"| {workers} | {seconds / 60:.1f} | {rate:.0f} | {efficiency:.0%} | {taking:.0%} of the time | {reading:.0%} |")
    rates = range(50, 5_000, 10)
    needed = next((rate for rate in rates if one / (MANY * simulate(replace(costs, read=rate), MANY)) >= WANTED), None)
    print(f"For {WANTED:.0%} on {MANY} workers the client would have to read {needed or 'more than any'} frames/s.")


def clients(costs: Costs, parts: Parts, cores: list[int], counts: list[int]) -> None:
    """Print how long a film takes, and how much of the workers' time is used, with clients of some numbers of cores."""
    print(f"{costs.frames} frames: {costs}, {parts}")
    print("|".join(["", " workers ", *(f" client with {count} cores, {parts.rate(count):.0f} frames/s " for count in cores), ""]))
    print("|---" * (len(cores) + 1) + "|")
    for workers in counts:
        cells = []
        for count in cores:
            read = replace(costs, read=parts.rate(count))
            seconds = simulate(read, workers)
            cells.append(f" {seconds / 60:.1f} min, {simulate(read, 1) / (workers * seconds):.0%} ")
        print("|".join(["", f" {workers} ", *cells, ""]))


# In real time.


@contextmanager
def processes() -> Iterator[list["subprocess.Popen[str]"]]:
    """A list of processes that are ended with it."""
    started: list[subprocess.Popen[str]] = []
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def scheduler(started: list["subprocess.Popen[str]"]) -> str:
    """Start a scheduler; its address."""
    process = subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE, text=True)
    started.append(process)
    return (process.stdout or sys.stdin).readline().strip()


def farmed(path: Path, output: Path) -> FarmedFilm:
    """A film as `video` would have it painted, with the usual look."""
    info = probe(str(path))
    encoder = choose_encoder(container_of(output), info.width, info.height)[0]
    reel = Reel(info, encoder, Fraction(0), None, info.time_base)
    painter = PicturePainter(serving.load_stylizer(choose_backend("auto", "auto")), Look(stability=8, follow_camera=True))
    style = find_styles(style_folders(None))["wave"]
    return FarmedFilm(path, output.name, reel, StylePath([style]), painter, None)


class PacedScout:
    """In the place of a `Scout`: orders at a pace, of a film that is never read."""

    costs: Costs

    def __init__(self, film: FarmedFilm, work: WorkFolder, *, field: bool) -> None:
        self.source = self

    def __iter__(self) -> Iterator[Order]:
        first = 0
        for frames in self.costs.stretches:
            time.sleep(frames / self.costs.read)
            number = 2 * (first // STRETCH_FRAMES)
            yield Order(number, first, frames, None, None, (0.0, 0.0), ((Fraction(number), 0), (Fraction(number + 1), 0)))
            first += frames

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


def sleeping(costs: Costs) -> None:
    """Let this worker sleep for as long as it would paint."""
    from distributed import get_worker

    def paint(commission: Commission, order: Order) -> list[tuple[Note, bytes]]:
        worker = get_worker()
        task = worker.get_current_task()
        end = time.monotonic() + order.frames / costs.paint
        while (left := end - time.monotonic()) > 0 and is_wanted(worker, task):
            time.sleep(min(left, 0.1))
        half = order.frames // 2
        data = bytes(int(half * costs.result))
        return [
            (Note(frames, 0, 0, *found, None, len(data)), data) for frames, found in zip((half, order.frames - half), order.ends)
        ]

    labour.paint = paint  # type: ignore[assignment]


def check(costs: Costs, counts: list[int]) -> None:
    """Print simulated and real seconds for some numbers of workers that sleep."""
    costs = replace(costs, vary=0.0, start=0.0, link=float("inf"))
    print(costs)
    for workers in counts:
        with processes() as started, tempfile.TemporaryDirectory() as folder:
            address = scheduler(started)
            for number in range(workers):
                words = ["sleep", "--paint", costs.paint, "--result", costs.result, "--scheduler", address, "--name", number]
                started.append(subprocess.Popen([sys.executable, "-m", "benchmarks.cluster", *map(str, words)], text=True))
            with connected(address) as client:
                client.wait_for_workers(workers)
                farm = dask_farm.DaskFarm(client, "auto", "auto", str(choose_backend("auto", "auto")))
                film = farmed(CLIP, Path(folder) / "out.mkv")
                dask_farm.Scout = PacedScout  # type: ignore[misc, assignment]
                real = []
                for run in range(2):  # in the first one, workers load what they need
                    PacedScout.costs = costs if run else replace(costs, frames=workers * STRETCH_FRAMES)
                    work_folder = WorkFolder(Path(folder) / f"{run}.mkv", {})
                    began = time.monotonic()
                    farm.paint(film, work_folder, JsonReport(lambda line: None), Unattended())
                    real.append(time.monotonic() - began)
                    work_folder.remove()
        foreseen, one = simulate(costs, workers), simulate(costs, 1)
        print(
            f"{workers} workers: {foreseen:.1f} s simulated, {real[-1]:.1f} s real "
            f"(efficiency {one / workers / foreseen:.0%}, {one / workers / real[-1]:.0%})",
            flush=True,
        )


def looped(clip: Path, folder: Path, size: str, frames: int) -> Path:
    """A film of so many frames in a size, made of a clip that is shown again and again."""
    path = folder / "film.mp4"
    scaled = ["-vf", f"scale={size.replace('x', ':')}", "-frames:v", str(frames), "-c:v", "libx264", "-preset", "veryfast", "-an"]
    subprocess.run([executable(), "-v", "error", "-stream_loop", "-1", "-i", str(clip), *scaled, str(path)], check=True)
    return path


def parts_of(path: Path) -> Parts:
    """What reading a film ahead costs here; one of some stretches."""
    film, album = farmed(path, path.with_suffix(".mkv")), Album()
    stretches = film.reel.stretches(film.picture_painter.memory)
    if stretches is None:
        raise ValueError("path: nothing is held of this film.")
    holder = FrameHolder(album, film.styles, 0.0, float(film.reel.info.rate), stretches=stretches)
    source, count, shrink, follow = film.reel.source(str(path), checked=False), 0, 0.0, 0.0
    process, children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for frame in source:
        began = time.thread_time()
        holder.hold(frame)
        held = time.thread_time()
        if stretches.ends(frame.index):
            movement(*album.stretch)
        shrink, follow, count = shrink + held - began, follow + time.thread_time() - held, count + 1
    source.close()
    take, after = time.process_time() - process - shrink - follow, resource.getrusage(resource.RUSAGE_CHILDREN)
    decode = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return Parts(*(1000 * seconds / count for seconds in (decode, take, shrink, follow)))


def measure(clip: Path, size: str, frames: int) -> None:
    """Print how fast one machine reads ahead and paints."""
    with tempfile.TemporaryDirectory() as folder:
        film = looped(clip, Path(folder), size, frames)
        figures = vars(parts_of(film)).items()
        print(
            "simulate " + " ".join(f"--{name} {ms:.2f}" for name, ms in figures), "(milliseconds of processor time)", flush=True
        )
        for field in (True, False):
            output = Path(folder) / "read.mkv"
            work_folder = WorkFolder(output, {})
            scout = dask_farm.Scout(farmed(film, output), work_folder, field=field)
            began = time.monotonic()
            stretches = len(list(scout))
            seconds = time.monotonic() - began
            scout.close()
            work_folder.release()
            what = "with the camera followed" if field else "with a field that stands"
            print(f"reads {frames / seconds:.0f} frames/s {what}, {stretches} stretches", flush=True)
        everyone = os.sched_getaffinity(0)
        for cores in (everyone, {min(everyone)}):
            output = Path(folder) / f"{len(cores)}.mkv"
            os.sched_setaffinity(0, cores)
            command = [sys.executable, "-m", "realtime_nst", "video", str(film), "-o", str(output), "--json"]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            rate = json.loads(done.stdout.splitlines()[-1])["frames_per_second"]
            print(
                f"paints {rate:.1f} frames/s on {len(cores)} cores, {output.stat().st_size / frames:.0f} bytes a frame",
                flush=True,
            )
        os.sched_setaffinity(0, everyone)


def cores(clip: Path, size: str, frames: int, rounds: int) -> None:
    """Print frames a second of one worker pinned to a core and of two of them, in turns, and how much more two give."""
    with processes() as started, tempfile.TemporaryDirectory() as folder:
        film, places = looped(clip, Path(folder), size, frames), sorted(os.sched_getaffinity(0))[:2]
        crews = {}
        for count in (1, 2):
            crews[count] = address = scheduler(started)
            for core in places[:count]:
                command = ["taskset", "-c", str(core), sys.executable, "-m", "realtime_nst", "worker", address]
                started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True))
            with connected(address) as client:
                client.wait_for_workers(count)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(rounds + 1):  # in the first one, workers compile
            for count, address in crews.items():
                command = [
                    sys.executable,
                    "-m",
                    "realtime_nst",
                    "video",
                    str(film),
                    "-o",
                    str(Path(folder) / f"{turn}-{count}.mkv"),
                ]
                done = subprocess.run([*command, "--cluster", address, "--json"], stdout=subprocess.PIPE, check=True, text=True)
                rate = json.loads(done.stdout.splitlines()[-1])["frames_per_second"]
                print(
                    f"{count} {'worker' if count == 1 else 'workers'}: {rate:.1f} frames/s{'' if turn else ', compiling'}",
                    flush=True,
                )
                if turn:
                    rates[count].append(rate)
        ratios = [two / one for one, two in zip(rates[1], rates[2])]
        print(
            f"Two workers give {statistics.median(ratios):.2f} times the frames of one ({min(ratios):.2f} to {max(ratios):.2f})."
        )


def main() -> None:
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("simulate", "check", "measure", "cores", "sleep"))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--frames", type=int, help="of the film (two hours; for measure and cores 1920, for check 40 stretches)")
    parser.add_argument("--paint", type=float, default=30.0, help="frames a second that a worker paints")
    parser.add_argument("--vary", type=float, default=0.1, help="by which share that differs from stretch to stretch")
    parser.add_argument("--read", type=float, default=150.0, help="frames a second that the client reads ahead")
    parser.add_argument("--client-cores", type=int, nargs="+", help="what it would read with so many cores, by the next four")
    for name, ms in (("decode", 3.5), ("take", 0.9), ("shrink", 0.7), ("follow", 3.0)):
        parser.add_argument(f"--{name}", type=float, default=ms, help="milliseconds of the client's processors for a frame")
    parser.add_argument("--result", type=float, default=60e3, help="bytes of a painted frame")
    parser.add_argument("--link", type=float, default=1e9 / 8, help="bytes a second of the client's network")
    parser.add_argument("--disk", type=float, default=200e6, help="bytes a second of its disk")
    parser.add_argument("--start", type=float, default=5.0, help="seconds until a worker paints")
    parser.add_argument("--copy", type=float, default=0.0, help="bytes of the film, if each worker needs a copy")
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scheduler")
    parser.add_argument("--name")
    options = parser.parse_args()
    frames = options.frames or {"simulate": 180_000, "check": 40 * STRETCH_FRAMES}.get(options.what, 4 * STRETCH_FRAMES)
    numbers = {name: getattr(options, name) for name in ("paint", "vary", "read", "result", "link", "disk", "start", "copy")}
    costs = Costs(frames, **numbers)
    parts = Parts(options.decode, options.take, options.shrink, options.follow)
    if options.what == "simulate" and options.client_cores:
        clients(costs, parts, options.client_cores, options.workers)
    elif options.what == "simulate":
        table(costs, options.workers)
    elif options.what == "check":
        check(costs, options.workers)
    elif options.what == "measure":
        measure(options.clip, options.size, frames)
    elif options.what == "cores":
        cores(options.clip, options.size, frames, options.rounds)
    else:
        sleeping(costs)
        work(options.scheduler, options.name, lambda text: None)


if __name__ == "__main__":
    main()
