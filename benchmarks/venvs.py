"""Virtual environments of the peers, installed once into the cache folder: theirs, never the one that is measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Unavailable(Exception):
    """A peer cannot be had on this machine; the text says why."""


def cache() -> Path:
    """Where peers and their data are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mlconsole-bench"


def environment(name: str, *requirements: str) -> Path:
    """The folder of an environment with these packages; its programs are in ``bin``.

    Raises:
        Unavailable: They cannot be installed.
    """
    folder = cache() / name
    if (folder / "ready").exists():
        return folder
    print(f"installing {' '.join(requirements)} into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        pip = [str(folder / "bin" / "pip"), "--disable-pip-version-check", "install", "-q", *requirements]
        subprocess.run(pip, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise Unavailable(
            f"{' '.join(requirements)} cannot be installed: {said[-1] if said else error}"
        ) from error
    (folder / "ready").touch()
    return folder
