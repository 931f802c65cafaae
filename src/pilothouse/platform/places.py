"""Where an instance keeps its files."""

import os
from pathlib import Path


def data_folder() -> Path:
    """Return the data folder: PILOTHOUSE_DATA, else `.pilothouse` beside a checkout, else the user's data directory."""
    if named := os.environ.get("PILOTHOUSE_DATA"):
        return Path(named).expanduser().resolve()
    checkout = Path.cwd()
    if (checkout / "src" / "pilothouse").is_dir():
        return checkout / ".pilothouse"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "pilothouse"
