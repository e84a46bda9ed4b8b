"""The console on scripted services, as a program for a pseudo-terminal. Its argument chooses what goes wrong."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from console import curtain


def main() -> int:
    """Run it; ``hang`` makes every call hang, ``crash`` makes the key r raise, ``late`` takes a moment to start, ``stuck`` never does."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    try:
        curtain.drop("embedded")
        return opened(what, folder)
    finally:
        curtain.lift()


def opened(what: str, folder: Path) -> int:
    """The console behind the curtain."""
    if what == "late":
        time.sleep(1.0)
    if what == "stuck":
        time.sleep(600)
    from console.app import make_app
    from console.process import run
    from tests.console.scripted import populated

    services = populated()
    if what == "hang":
        services.hangs()
    if what == "crash":

        def refresh() -> None:
            secret = "hunter2"
            raise RuntimeError(f"no {len(secret)}")

        services.refresh = refresh  # type: ignore[method-assign]
    return run(make_app(services, theme_name="mlconsole-dark"), folder)


if __name__ == "__main__":
    sys.exit(main())
