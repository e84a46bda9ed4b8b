"""The console on scripted services, as a program for a pseudo-terminal. Its argument chooses what goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

from console.app import make_app, run
from tests.console.scripted import populated


def main() -> int:
    """Run it; ``hang`` makes every call hang, ``crash`` makes the key r raise."""
    what, folder = sys.argv[1], Path(sys.argv[2])
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
