"""Write the reference of the Python API as a web page, from the docstrings: `python docs/api.py [FOLDER]`."""

import sys
from pathlib import Path

import pdoc

TEMPLATES = Path(__file__).with_name("api")
USUAL = Path("output/api")


def write_pages(folder: Path) -> None:
    """Write `index.html`, which leads to the page, and the page; they need no network."""
    pdoc.render.configure(docformat="google", show_source=False, search=False, template_directory=TEMPLATES)
    pdoc.pdoc("realtime_nst", "!realtime_nst.", output_directory=folder)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else USUAL
    write_pages(folder)
    print(f"Wrote '{folder / 'index.html'}'.")
