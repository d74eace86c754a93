"""The command `export`."""

import argparse

from realtime_nst.cli import console
from realtime_nst.errors import ExportError
from realtime_nst.exporting.folder import export as export_styles
from realtime_nst.style.book import StyleBook
from realtime_nst.style.style import Style


def export(options: argparse.Namespace) -> int:
    """Write the network and its styles for other programs."""
    styles = chosen(console.find_all_styles(options), options.styles or ["all"])
    half = options.precision == "float16"
    floats = options.input == "float32"
    export_styles(styles, options.format, options.output, size=options.size, half=half, baked=options.baked, floats=floats)
    console.say(f"Wrote '{options.output}'; its README.md says how to use it.")
    return 0


def chosen(book: StyleBook, names: list[str]) -> list[Style]:
    """The styles that names stand for; "all" are all of the body of those beside it, or of the only body.

    Raises:
        StyleError: An unknown name, or no style can be used.
        ExportError: "all" could be the styles of several bodies.
    """
    named = {style.name: style for style in (book.mix(name) for name in names if name != "all")}
    if "all" in names:
        if not len(book):
            raise next(iter(book.broken.values()))
        bodies = [style.body for style in named.values()] or book.bodies
        if len({body.sha256 for body in bodies}) > 1:
            raise ExportError(
                f"'all' could be the styles of {' or '.join(repr(body.name) for body in bodies)}, which are different networks. "
                f"Name one of the styles, too, as in `export {book.values()[0].name} all`."
            )
        named |= {style.name: style for style in book.values() if style.body.sha256 == bodies[0].sha256}
    return list(named.values())
