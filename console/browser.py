"""Opening a file in a browser where there is one on this machine, and how to get it where there is none."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path


def available(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a page would open before the person's eyes: not over SSH, and only with a desktop."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return bool(desktop) or sys.platform in ("darwin", "win32")


def open_page(path: Path) -> bool:
    """Open a file; False where no browser took it. Blocks for as long as the browser needs to start."""
    import webbrowser

    return webbrowser.open(path.as_uri())


def fetching(path: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The command that copies a file of this machine to the person's own, as far as the SSH connection tells."""
    there = environment.get("SSH_CONNECTION", "").split()
    host = there[2] if len(there) == 4 else socket.gethostname()
    host = f"[{host}]" if ":" in host else host
    return f"scp '{getpass.getuser()}@{host}:{path}' ."
