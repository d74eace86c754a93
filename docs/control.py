"""Write the table of actions into `docs/control.md`: `python docs/control.py`."""

import re
from pathlib import Path

from realtime_nst.live.actions import table_in_markdown

PAGE = Path(__file__).with_name("control.md")
TABLE = re.compile(r"^\| name \|.*\n(?:\|.*\n)*", re.MULTILINE)


def with_table(text: str) -> str:
    """The page with the table as it is now."""
    return TABLE.sub(lambda found: table_in_markdown(), text)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
