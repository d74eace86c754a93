"""Running ffmpeg: starting it, ending it, and finding what it meant to say. No other module starts a process.

It is the executable that imageio-ffmpeg ships, so that nothing has to be installed, and a process of its own,
so that a codec that crashes does not take the program along. What it is run for is known elsewhere:
probing.py, decoding.py, encoding.py, joining.py.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg

from realtime_nst.media.addresses import is_address

if sys.platform != "win32":
    import fcntl

STALL_TIMEOUT = 25.0
"""Seconds without any progress after which ffmpeg counts as hanging."""
TELLING = re.compile(
    r"error|invalid|no such|denied|no space|failed|matches no|too large|must be|unsupported|not (?:found|supported|compatible)",
    re.IGNORECASE,
)
PIPE = subprocess.PIPE
PIPE_BYTES = 1 << 20
"""The most that Linux gives a pipe of an ordinary user."""
NOWHERE = subprocess.DEVNULL
Process = subprocess.Popen[bytes]
USELESS = ("Conversion failed", "Error opening input file", "Error opening output file", "Svt[warn]", "Svt[info]")
VAGUE = (
    "Error while opening encoder",
    "Task finished with error",
    "Terminating thread",
    "Error sending frames",
    "Could not open",
)
"""Beginnings of lines that say that something went wrong, not what."""
FULL = "No space left"
MARKED = ("-nostats", "-loglevel", "repeat+level+info")
"""Arguments that have ffmpeg mark where each of its messages begins."""
MARK = rb"(?:\[[^\]\n]* @ [^\]\n]*\] )*\[(?:panic|fatal|error|warning|info)\] "
FATAL = re.compile(r"(?:\[[^\]]* @ [^\]]*\] )*\[(?:panic|fatal|error)\] ")
"""The mark of messages that may say why nothing came of it; a title may say that something is invalid, too."""
LONGEST_MESSAGE = 1023
"""Bytes at which ffmpeg cuts a message off, with its line end."""
BETWEEN = re.compile(rb"\n(?=%b)|(?<=[^\n]{%d})(?=%b)" % (MARK, LONGEST_MESSAGE, MARK))
CHILD = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() == int(sys.argv[1]):  # it has not died meanwhile
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""Become another program that the system kills when this one dies, as after `kill -9`."""


@cache
def executable() -> str:
    """The path of ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def address(path: str) -> str:
    """A path or URL as ffmpeg takes it: without a prefix it would read `10:30.mp4` as a protocol named 10."""
    return path if is_address(path) else f"file:{path}"


def start(arguments: Sequence[str], *, before: Sequence[str] = (), **pipes: Any) -> Process:
    """Start ffmpeg with some arguments, perhaps by way of another program.

    Standard input is closed unless `stdin` says otherwise.
    """
    command = [executable(), "-hide_banner", *arguments]
    process = subprocess.Popen([*before, *command], **{"stdin": NOWHERE, **pipes}, **_apart())
    for pipe in (process.stdin, process.stdout):
        _widen(pipe)
    return process


def ask(arguments: Sequence[str], timeout: float) -> tuple[int, str]:
    """Run ffmpeg for what it says.

    Returns:
        Its exit code and its messages.

    Raises:
        TimeoutError: It took longer than `timeout` seconds.
    """
    done = _finished(arguments, timeout)
    return done.returncode, done.stderr.decode("utf-8", "replace")


def look(arguments: Sequence[str], timeout: float) -> tuple[str, str]:
    """Run ffmpeg for what is in a file.

    Returns:
        Its messages as `messages` has them, and what it wrote to standard output.

    Raises:
        TimeoutError: It took longer than `timeout` seconds.
    """
    done = _finished([*MARKED, *arguments], timeout)
    return messages(done.stderr), done.stdout.decode("utf-8", "replace")


def messages(log: bytes) -> str:
    """One line for each message of a log with `MARKED`, without the mark of those that only inform.

    What has no mark of its own goes on the line before: the rest of a title of several lines, which may look like
    anything, and also what follows a message that ffmpeg forgot to end.
    """
    lines = (b" ".join(message.split(b"\n")) for message in BETWEEN.split(log))
    return "\n".join(line.replace(b"[info] ", b"", 1).decode("utf-8", "replace").rstrip() for line in lines)


def produce(
    arguments: Sequence[str],
    output: Path,
    timeout: float = STALL_TIMEOUT,
    folder: Path | None = None,
    beside: Path | None = None,
    heed: re.Pattern[str] | None = None,
) -> str | None:
    """Let ffmpeg write a file, however long that takes, as long as the file or ffmpeg's own count of frames changes.

    Args:
        arguments: All but the name of the file.
        output: The file; an existing one is replaced. After a failure it is gone.
        timeout: Seconds that it may stand still.
        folder: Where relative names are looked for; `output` must be absolute then.
        beside: Another file by which progress is seen.
        heed: What ffmpeg may say that counts as a failure although it goes on.

    Returns:
        `None` when all went well, otherwise what ffmpeg said.
    """
    command = ["-loglevel", "error", "-progress", "-", "-y", *arguments, address(str(output))]
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as news:
        process = start(command, before=dying_along(), stdout=news, stderr=errors, cwd=folder)
        try:
            code = watch(process, output, timeout, lambda: (_counted(news), _state(beside or output)))
        finally:
            stop(process)
        text = _text(errors) if heed else ""
        heard = heed.search(text) if heed else None
        if code == 0 and output.exists() and heard is None:
            return None
        output.unlink(missing_ok=True)
        if heard is not None and FULL not in text:
            return heard[0]
        return f"nothing for {timeout:.0f} seconds." if code is None else said(errors, str(output))


def watch(process: Process, output: Path, timeout: float, counted: Callable[[], object] = lambda: None) -> int | None:
    """The exit code of a process that writes a file, however long it takes; `None` once it stood still for too long.

    Args:
        process: It is looked at five times a second.
        output: The file.
        timeout: Seconds for which neither the file nor `counted` changes.
        counted: What the process says of how far it is.
    """
    seen: object = None
    since = time.monotonic()
    while (code := wait(process, 0.2)) is None:
        now = (_state(output), counted())
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > timeout:
            return None
    return code


def wait(process: Process, seconds: float) -> int | None:
    """The exit code of a process, or `None` if it still runs after some seconds."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def interrupt(process: Process) -> None:
    """Ask a process to finish what it writes with what it has."""
    try:
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))  # the former exists on Windows
    except OSError:
        pass  # it has ended


def stop(process: Process) -> None:
    """Kill a process if it still runs, and release its pipes. Safe to call twice."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:
            pass  # bytes that a dead ffmpeg did not take


def said(errors: IO[bytes], path: str) -> str:
    """The most telling line of the messages in an open file."""
    return last_words(_text(errors, 20_000), path)


def last_words(text: str, path: str) -> str:
    """The most telling line of ffmpeg's messages, without its own prefixes and the file's path."""
    lines = [line for line in text.splitlines() if FATAL.match(line)] or text.splitlines()
    lines = [re.sub(r"^(?:\[[^\]]*\]\s*)+", "", line).strip() for line in lines]
    lines = [line.replace(path, "the file") for line in lines if line and not line.startswith(USELESS)]
    telling = [line for line in lines if TELLING.search(line)]
    exact = [line for line in telling if not line.startswith(VAGUE)]
    full = [line for line in lines if FULL in line]
    return ((full or exact or telling or lines or ["nothing"])[0])[:200].rstrip(".") + "."


def _text(errors: IO[bytes], most: int = -1) -> str:
    errors.seek(0)
    return errors.read(most).decode("utf-8", "replace")


def _finished(arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[bytes]:
    command = [executable(), "-hide_banner", "-nostdin", *arguments]
    try:
        return subprocess.run(command, capture_output=True, stdin=NOWHERE, timeout=timeout, **_apart())
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer within {timeout:.0f} seconds") from error


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def _counted(news: IO[bytes]) -> list[str]:
    """Frames, bytes and time in the latest of ffmpeg's reports; it goes on to write them when it stands still."""
    news.seek(max(0, news.seek(0, os.SEEK_END) - 1000))
    lines = news.read().decode("utf-8", "replace").rpartition("progress=")[0].rpartition("progress=")[2]
    return re.findall(r"^(?:frame|total_size|out_time_us)=(.*)$", lines, re.MULTILINE)


def dying_along() -> list[str]:
    """What to start ffmpeg by, where it would go on alone: other than with a pipe, nothing tells it that nobody waits."""
    return [sys.executable, "-I", "-S", "-c", CHILD, str(os.getpid())] if sys.platform == "linux" else []


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a good part of a frame: otherwise both ends wake each other dozens of times for each."""
    if pipe is None or sys.platform != "linux":
        return
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # the user's share of pipe memory is spent


def _apart() -> dict[str, Any]:
    """Keep Ctrl-C away from ffmpeg: it would stop in mid-file, before the program has sent its last frame."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
