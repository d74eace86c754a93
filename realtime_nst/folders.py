"""Where this program keeps what is its user's: trained styles, settings, and compiled networks."""

from pathlib import Path

import platformdirs

from realtime_nst.errors import SinkError

NAME = "realtime-nst"


def user_folder(kind: str) -> Path:
    """The user's own folder for this program's "data", "config" or "cache"; it need not exist.

    Raises:
        SinkError: The user has no home.
    """
    places = {"data": platformdirs.user_data_path, "config": platformdirs.user_config_path, "cache": platformdirs.user_cache_path}
    try:
        return places[kind](NAME, appauthor=False)
    except RuntimeError as error:  # neither HOME nor an entry among the system's users
        raise SinkError("This user has no home folder for styles and settings. Set HOME to one that can be written.") from error
