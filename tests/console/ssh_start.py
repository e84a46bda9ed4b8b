"""What a login over SSH does in a test: starts a run as the product starts one, then becomes the console.

Usage: python -m tests.console.ssh_start [FOLDER]; without a folder it is a later login.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.console.command import COMMAND
from workflows import detached, runs
from workflows.configuration import Configuration


def main() -> None:
    """Start the run, wait for its first sign, become the console."""
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        detached.spawn(
            "tests.console.slow_run", folder, Configuration(), log=folder / "process.log", cwd=folder / "work"
        )
        while runs.read(folder).status != "running":
            time.sleep(0.02)
    os.execv(COMMAND, [COMMAND])


if __name__ == "__main__":
    main()
