"""The command `webcam`: flags, and what was set by key in earlier shows, to a `Show`. It prints."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realtime_nst.cli.arguments import DEFAULT_STYLE
from realtime_nst.cli.console import find_all_styles, say
from realtime_nst.control.places import HERE, Place
from realtime_nst.control.remotes import remotes
from realtime_nst.errors import SinkError, StyleError
from realtime_nst.frames import LiveSource
from realtime_nst.inputs.sources import open_source
from realtime_nst.inputs.switching import SwitchableSource
from realtime_nst.live.picture_folder import PictureFolder
from realtime_nst.live.settings import Settings, forget_settings, read_settings, remembered
from realtime_nst.live.show import Show
from realtime_nst.media.addresses import is_address
from realtime_nst.media.opencv import has_opencv
from realtime_nst.outputs.registry import kind_of
from realtime_nst.style.book import StyleBook
from realtime_nst.style.style import Style


def webcam(options: argparse.Namespace) -> int:
    """Paint a camera until the user quits."""
    check_live_outputs(options.output, overwrite=options.overwrite)
    if options.no_window and not (options.output or options.virtual_camera or options.frames or options.http):
        raise SinkError(
            "With --no-window alone nobody would see anything. Add -o FILE, --virtual-camera, --http PORT or --frames N."
        )
    if not options.snapshots.is_dir():
        raise SinkError(f"No folder '{options.snapshots}' for snapshots. Create it, or choose another with --snapshots.")
    if options.reset:
        forget_settings()
    given = given_settings(options)
    remembers = options.remember or options.studio or not options.no_window
    before = read_settings() if remembers else Settings()
    usual = before.with_flags({"style": ""}) if before.style == DEFAULT_STYLE else before
    book = find_all_styles(options)
    style, there = starting_style(book, options.style, before.style)
    kept = ", ".join(remembered(usual if there else before.with_flags({"style": ""}), given))
    if kept:
        say(f"Kept from an earlier show: {kept}. --reset forgets that.")
    settings = before.with_flags(given)
    if not has_opencv():  # a smaller process size needs it; and a window says by itself what is missing
        settings = settings.with_flags({"scale": 1.0})
    source: LiveSource = open_source(options.camera, options.size, options.fps)
    if options.http:
        size = source.width, source.height
        source = SwitchableSource(options.camera, source, lambda camera: open_source(camera, size, options.fps))
    try:
        steered = bool(options.http or options.osc or options.midi)
        show = Show(options, settings, book, style, source, say, kept, steered=steered, remembers=remembers)
        if options.remember:
            show.controls.keep(given)
        if options.refine:
            show.refiner.check_style(style)
            show.controls.refining = True
        watched = PictureFolder(options.pictures, book, show.controls, say) if options.pictures else nullcontext()
        with watched, remotes(options, show, say):
            return show.play()
    finally:
        source.close()


def studio(options: argparse.Namespace) -> int:
    """Paint a camera into a page of this machine's browser, until the user quits."""
    options.http = Place(options.host or HERE, options.port)
    return webcam(options)


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What is set by flags, by the names of `Settings`; `--cycle` without seconds leaves these as they are."""
    given = vars(options).copy()
    if options.cycle is not None:
        given |= {"cycle": options.cycle or None, "cycling": True}
    return {name: given[name] for name in asdict(Settings()) if given[name] is not None}


def starting_style(book: StyleBook, asked: str | None, last: str) -> tuple[Style, bool]:
    """The style of the flag, or the one that was set before, or the default; if that is not there the first.

    Returns:
        The style, and False if the one that was set before is no longer there.

    Raises:
        StyleError: The style of the flag is not there.
    """
    if asked is not None:
        return book.mix(asked), True
    if last:
        with suppress(StyleError):
            return StyleBook(book.values()).mix(last), True  # a name: no file is meant
        say(f"The style '{last}' of an earlier show is no longer there.")
    return book.mix(DEFAULT_STYLE) if DEFAULT_STYLE in book or not len(book) else book.values()[0], not last


def check_live_outputs(outputs: Sequence[str], *, overwrite: bool) -> None:
    """Make sure that each output is a stream's address or a file that can be written, and another than the others.

    Raises:
        SinkError: It is not.
    """
    seen: set[str] = set()
    for output in outputs:
        kind_of(output).check(output, overwrite)
        place = output if is_address(output) else str(Path(output).resolve())
        if place in seen:
            raise SinkError(f"'{output}' is given twice. Name each output once.")
        seen.add(place)
