"""Log lines in the form of the XGBoost container: ``[2025-06-22:07:11:20:INFO] Single node training.``"""

from __future__ import annotations

import sys
import time


def info(message: str) -> None:
    """A line of level INFO."""
    _line("INFO", message)


def warning(message: str) -> None:
    """A line of level WARNING."""
    _line("WARNING", message)


def plain(text: str) -> None:
    """A line without time and level."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _line(level: str, message: str) -> None:
    plain(f"[{time.strftime('%Y-%m-%d:%H:%M:%S', time.gmtime())}:{level}] {message}")
