"""The ``mlconsole`` command. Only what its start needs is imported here: each subcommand imports its own parts."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    from console.cli.failures import guarded

    return guarded(given)


if __name__ == "__main__":
    sys.exit(main())
