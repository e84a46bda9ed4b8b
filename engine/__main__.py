"""``python -m engine``: the command line of the embedded engine."""

from engine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
