"""Ends the engine that commands and workflows under test have started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def stop_engine(folder: Path) -> None:
    """End the engine of a data directory, if one runs."""
    command = [sys.executable, "-m", "engine", "stop", "--data-dir", str(folder)]
    subprocess.run(command, capture_output=True, timeout=60, check=False)
