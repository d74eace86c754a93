"""The command `video`: which files, in which order, and what is told about them. How one is painted is in jobs/film.py."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from realtime_nst.cli import console
from realtime_nst.engines.backend import choose_backend, for_files
from realtime_nst.errors import NSTError, SinkError
from realtime_nst.jobs.farm import Farm
from realtime_nst.jobs.fetching import check_address, fetch, let_go, place_for
from realtime_nst.jobs.film import paint_video
from realtime_nst.jobs.options import Outcome, VideoOptions
from realtime_nst.jobs.outputs import Task, check_task, plan_tasks
from realtime_nst.jobs.preview import check_preview
from realtime_nst.jobs.progress import BarReport, JsonReport, QuietReport, Report
from realtime_nst.jobs.workfolder import being_placed, work_path
from realtime_nst.media.addresses import mask
from realtime_nst.media.containers import PIPE, numbered
from realtime_nst.media.filekinds import check_file, check_film, left_out
from realtime_nst.painting import serving
from realtime_nst.painting.picture_painter import PicturePainter
from realtime_nst.pipeline.interrupt import INTERRUPTED, on_interrupt
from realtime_nst.pipeline.loop import Remote, Unattended
from realtime_nst.style.look import Look
from realtime_nst.style.schedule import read_path


def video(options: argparse.Namespace) -> int:
    """Paint video files."""
    if options.json and options.output == PIPE:
        raise SinkError("--json and the video would both go to standard output. Give -o a file, or leave --json out.")
    report = _report(options)
    try:
        with tempfile.TemporaryDirectory() as folder:  # for films on their way into a pipe
            _plan_fetching(options, Path(folder))
            return _video(options, report)
    except NSTError as error:
        report.event("failed", error=str(error))
        raise


def _video(options: argparse.Namespace, report: Report) -> int:
    if options.output == PIPE and sys.stdout.isatty():
        raise SinkError("-o - would pour the video into the terminal. Add a pipe, as in `... -o - | ffplay -`, or name a file.")
    if len(options.inputs) == 1 and not options.inputs[0].is_dir() and not options.addresses:
        check_file(options.inputs[0])
    if options.cluster is not None and (options.output == PIPE or options.preview is not None):
        raise SinkError("--cluster paints many places of a film at once: no pipe and no --preview can show them. Leave one out.")
    console.check_choice(options, "videos")
    folder = options.output.endswith(("/", os.sep))
    one_file = len(options.inputs) == 1 and not options.inputs[0].is_dir()
    if options.container and one_file and not (folder or Path(options.output).is_dir()):
        raise SinkError(f"--container is for videos in a folder; the ending of '{options.output}' says what it is. Leave it out.")
    tasks = plan_tasks(
        options.inputs,
        Path(options.output),
        folder=folder,
        pattern=options.pattern,
        recursive=options.recursive,
        container=options.container,
    )
    sources = [task.source for task in tasks]
    if options.preview is not None:
        check_preview(options.preview, sources=sources, outputs=[task.output for task in tasks], overwrite=options.overwrite)
    for path in options.inputs:
        if path.is_dir() and not options.pattern and (words := left_out(path, "video", recursive=options.recursive)):
            report.notice(words)
    if not _several(tasks, options):
        if folder:
            tasks[0].output.parent.mkdir(parents=True, exist_ok=True)
        check_task(tasks[0], sources, overwrite=options.overwrite or options.skip_existing)
        if not options.addresses:
            check_film(tasks[0].source)
    book = console.find_all_styles(options)
    path = read_path(book, options.style, options.every)
    backend = choose_backend(options.backend, options.precision, options.device)
    look = Look(options.strength, float(options.colours), options.stability, options.texture, options.follow_camera)
    picture_painter = PicturePainter(serving.load_stylizer(for_files(backend)), look)
    video_options = VideoOptions(
        styles=path,
        engine=str(backend),
        look=picture_painter.description(),
        size=options.size,
        begin=options.start,
        end=options.end,
        codec=options.codec,
        crf=options.crf,
        preset=options.preset,
        overwrite=options.overwrite,
        restart=options.restart,
        partial=options.partial,
        preview=options.preview,
    )
    remote = Unattended()
    if options.cluster is None:
        with on_interrupt(remote.leave):
            return _paint_all(tasks, options, video_options, picture_painter, report, remote)
    from realtime_nst.cluster.connection import connected  # which needs what only `pip install '.[cluster]'` brings
    from realtime_nst.cluster.dask_farm import DaskFarm

    here = ["--weights", str(options.weights)] if options.weights else []
    with on_interrupt(remote.leave), connected(options.cluster, here) as client:
        farm = DaskFarm(client, options.backend, options.precision, str(backend))
        return _paint_all(tasks, options, video_options, picture_painter, report, remote, farm)


def _paint_all(
    tasks: list[Task],
    options: argparse.Namespace,
    video_options: VideoOptions,
    picture_painter: PicturePainter,
    report: Report,
    remote: Remote,
    farm: Farm | None = None,
) -> int:
    """Paint one after another; what goes wrong with one does not stop the rest."""
    several = _several(tasks, options)
    painted = skipped = failed = 0
    inputs = [task.source for task in tasks]
    for task in tasks:
        if _stopped(remote):
            break
        if options.skip_existing and not task.error and numbered(task.output, 1).exists() and not being_placed(task.output):
            skipped += 1
            report.event("skipped", input=_input(task, options), output=str(task.output))
            if not (options.quiet or options.json):
                console.say_skipped(task.output, several=several)
            continue
        try:
            if task.error:
                raise task.error
            if several:
                if task.source not in options.addresses:
                    check_file(task.source)
                    check_film(task.source)
                task.output.parent.mkdir(parents=True, exist_ok=True)
                check_task(task, inputs, overwrite=options.overwrite)
            if not _is_here(task, options, report, remote):
                console.say("Interrupted while a film was fetched; nothing of it is kept.")
                break
            started = time.monotonic()
            outcome = paint_video(task.source, task.output, video_options, picture_painter, report, remote, farm)
        except (NSTError, OSError) as error:
            if not several:
                raise
            failed += 1
            report.event("failed", input=_input(task, options), output=str(task.output), error=str(error))
            if not options.json:
                console.say(f"realtime-nst: {error}")
            continue
        finally:
            if task.source in options.addresses and not work_path(task.output).exists():
                let_go(task.source)
        if outcome.interrupted:
            _tell_interruption(task, outcome, options, report)
            break
        painted += 1
        _tell_success(task, outcome, time.monotonic() - started, options, report)
    if several:
        left = len(tasks) - painted - skipped - failed
        report.event("end", painted=painted, skipped=skipped, failed=failed, left=left)
        if not (options.quiet or options.json):
            console.say_summary(painted, skipped, failed, left)
    if _stopped(remote) and painted + skipped + failed < len(tasks):
        return INTERRUPTED
    return 1 if failed else 0


def _plan_fetching(options: argparse.Namespace, folder: Path) -> None:
    """Put in the place of each address the file that it will become; `options.addresses` has the addresses of these.

    Args:
        options: The flags.
        folder: One that is deleted at the end.
    """
    output = Path(options.output)
    if options.output != PIPE:
        many = len(options.inputs) > 1 or options.output.endswith(("/", os.sep)) or output.is_dir()
        folder = output if many else output.parent
    places = {name: place_for(name, folder) for name in options.inputs if isinstance(name, str)}
    for name in places:
        check_address(name)
    options.inputs = [places.get(name, name) for name in options.inputs]
    options.addresses = {place: name for name, place in places.items()}


def _is_here(task: Task, options: argparse.Namespace, report: Report, remote: Remote) -> bool:
    """Fetch an original that is at an address; False if the user has asked to stop meanwhile."""
    if task.source not in options.addresses:
        return True
    if options.restart:
        let_go(task.source)
    return fetch(options.addresses[task.source], task.source, report.notice, lambda: _stopped(remote))


def _input(task: Task, options: argparse.Namespace) -> str:
    """An original as it is told of."""
    return mask(options.addresses.get(task.source, "")) or str(task.source)


def _several(tasks: list[Task], options: argparse.Namespace) -> bool:
    return len(tasks) != 1 or any(path.is_dir() for path in options.inputs)


def _stopped(remote: Remote) -> bool:
    """Whether the user has asked to stop, meanwhile."""
    return remote.quit


def _tell_success(task: Task, outcome: Outcome, seconds: float, options: argparse.Namespace, report: Report) -> None:
    report.event(
        "done",
        input=_input(task, options),
        output=str(task.output),
        frames=outcome.frames,
        repeated=outcome.repeated,
        frames_per_second=round(outcome.frames_per_second, 2),
        seconds=round(seconds, 2),
    )
    if not (options.quiet or options.json):
        repeated = f" ({outcome.repeated} repeated the one before)" if outcome.repeated else ""
        wrote = "Painted" if str(task.output) == PIPE else f"Wrote '{task.output}':"
        speed = f", {outcome.frames_per_second:.1f} frames/s" if outcome.frames_per_second else ""
        console.say(f"{wrote} {outcome.frames} {'frame' if outcome.frames == 1 else 'frames'}{repeated}{speed}.")


def _tell_interruption(task: Task, outcome: Outcome, options: argparse.Namespace, report: Report) -> None:
    report.event(
        "interrupted",
        input=_input(task, options),
        output=str(task.output),
        frames=outcome.frames,
        partial=None if outcome.partial is None else str(outcome.partial),
    )
    if options.json:
        return
    if str(task.output) == PIPE:
        console.say(f"Interrupted after {outcome.frames} frames.")
    elif outcome.partial is not None:
        console.say(
            f"Interrupted: '{outcome.partial}' holds the first {outcome.frames} frames. The same command goes on from there."
        )
    elif outcome.kept:
        console.say(f"Interrupted: {outcome.kept} painted frames are kept. The same command goes on from there.")
    else:
        console.say(f"Interrupted before the first segment was finished; nothing of '{task.output}' is kept.")


def _report(options: argparse.Namespace) -> Report:
    if options.json:
        return JsonReport(_print_line)
    return QuietReport() if options.quiet else BarReport(console.say)


def _print_line(line: str) -> None:
    print(line, flush=True)
