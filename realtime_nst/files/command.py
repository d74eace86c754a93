"""The command `video`: which files, in which order, and what is told about them. How one is painted is in painting.py."""

import argparse
import sys
import time
from functools import partial

from realtime_nst import commands
from realtime_nst.backend import choose_backend
from realtime_nst.brush import Brush
from realtime_nst.controls import Controls
from realtime_nst.errors import NSTError, SinkError
from realtime_nst.files.containers import PIPE
from realtime_nst.files.outputs import Task, check_task, plan_tasks
from realtime_nst.files.painting import paint_video
from realtime_nst.files.progress import BarReport, JsonReport, QuietReport, Report
from realtime_nst.files.stylepath import read_path
from realtime_nst.files.wishes import Outcome, Wishes
from realtime_nst.interrupt import INTERRUPTED, on_interrupt
from realtime_nst.photos import check_photo_name
from realtime_nst.sources import check_file


def video(options: argparse.Namespace) -> int:
    """Paint video files."""
    if options.json and str(options.output) == PIPE:
        raise SinkError("--json and the video would both go to standard output. Give -o a file, or leave --json out.")
    if str(options.output) == PIPE and sys.stdout.isatty():
        raise SinkError("-o - would pour the video into the terminal. Add a pipe, as in `... -o - | ffplay -`, or name a file.")
    if options.preview is not None:
        check_photo_name(options.preview)
    if len(options.inputs) == 1 and not options.inputs[0].is_dir():
        check_file(options.inputs[0])
    tasks = plan_tasks(
        options.inputs, options.output, pattern=options.pattern, recursive=options.recursive, container=options.container
    )
    if len(tasks) == 1:
        check_task(tasks[0], options.inputs, overwrite=options.overwrite or options.skip_existing)
    report = _report(options)
    book = commands.find_all_styles(options)
    path = read_path(book, options.style, options.every)
    backend = choose_backend(options.backend, options.precision)
    brush = Brush(commands.load_stylizer(backend), options.strength, options.colours)
    wishes = Wishes(
        styles=path,
        engine=str(backend),
        look=brush.description(),
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
    controls = Controls(path.styles)
    with on_interrupt(controls.leave):
        return _paint_all(tasks, options, wishes, brush, report, controls)


def _paint_all(
    tasks: list[Task], options: argparse.Namespace, wishes: Wishes, brush: Brush, report: Report, controls: Controls
) -> int:
    """Paint one after another; what goes wrong with one does not stop the rest."""
    several = len(tasks) > 1 or any(path.is_dir() for path in options.inputs)
    painted = skipped = failed = 0
    inputs = [task.source for task in tasks]
    for task in tasks:
        if _stopped(controls):
            break
        if options.skip_existing and task.output.exists():
            skipped += 1
            report.event("skipped", input=str(task.source), output=str(task.output))
            continue
        try:
            if several:
                check_file(task.source)
                task.output.parent.mkdir(parents=True, exist_ok=True)
                check_task(task, inputs, overwrite=options.overwrite)
            started = time.monotonic()
            prepare = partial(brush.prepare, wishes.styles.styles[0])
            outcome = paint_video(task.source, task.output, wishes, brush.paint, prepare, report, controls)
        except (NSTError, OSError) as error:
            if not several and not options.json:
                raise
            failed += 1
            report.event("failed", input=str(task.source), output=str(task.output), error=str(error))
            if not options.json:
                commands.say(f"realtime-nst: {error}")
            continue
        if outcome.interrupted:
            _tell_interruption(task, outcome, options, report)
            break
        painted += 1
        _tell_success(task, outcome, time.monotonic() - started, options, report)
    if several:
        left = len(tasks) - painted - skipped - failed
        report.event("end", painted=painted, skipped=skipped, failed=failed, left=left)
        if not (options.quiet or options.json):
            rest = f", {left} not begun or not finished" if left else ""
            commands.say(f"{painted} painted, {skipped} skipped, {failed} failed{rest}.")
    if _stopped(controls) and painted + skipped + failed < len(tasks):
        return INTERRUPTED
    return 1 if failed else 0


def _stopped(controls: Controls) -> bool:
    """Whether the user has asked to stop, meanwhile."""
    return controls.quit


def _tell_success(task: Task, outcome: Outcome, seconds: float, options: argparse.Namespace, report: Report) -> None:
    report.event(
        "done",
        input=str(task.source),
        output=str(task.output),
        frames=outcome.frames,
        repeated=outcome.repeated,
        frames_per_second=round(outcome.frames_per_second, 2),
        seconds=round(seconds, 2),
    )
    if not (options.quiet or options.json):
        repeated = f" ({outcome.repeated} repeated the one before)" if outcome.repeated else ""
        commands.say(f"Wrote '{task.output}': {outcome.frames} frames{repeated}, {outcome.frames_per_second:.1f} frames/s.")


def _tell_interruption(task: Task, outcome: Outcome, options: argparse.Namespace, report: Report) -> None:
    report.event(
        "interrupted",
        input=str(task.source),
        output=str(task.output),
        frames=outcome.frames,
        partial=None if outcome.partial is None else str(outcome.partial),
    )
    if options.json:
        return
    if str(task.output) == PIPE:
        commands.say(f"Interrupted after {outcome.frames} frames.")
    elif outcome.partial is not None:
        commands.say(
            f"Interrupted: '{outcome.partial}' holds the first {outcome.frames} frames. The same command goes on from there."
        )
    elif outcome.kept:
        commands.say(f"Interrupted: {outcome.kept} painted frames are kept. The same command goes on from there.")
    else:
        commands.say(f"Interrupted before the first segment was finished; nothing of '{task.output}' is kept.")


def _report(options: argparse.Namespace) -> Report:
    if options.json:
        return JsonReport(_print_line)
    return QuietReport() if options.quiet else BarReport(commands.say)


def _print_line(line: str) -> None:
    print(line, flush=True)
