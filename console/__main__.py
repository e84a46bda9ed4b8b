"""The ``mlconsole`` command. Only what its start needs is imported here: each subcommand imports its own parts."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from console import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        with contextlib.suppress(OSError):  # a disk that is full is told below
            print(f"mlconsole {__version__}", flush=True)
            return 0
    if given[:1] == ["engine"] and "_MLCONSOLE_COMPLETE" not in os.environ:
        from console.cli.passing import become

        with contextlib.suppress(Exception):  # it comes again below, where failures are told
            become(given[1:])
    from console.cli.failures import guarded

    return guarded(given)


if __name__ == "__main__":
    sys.exit(main())
