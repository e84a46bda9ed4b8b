"""What asks for changes in this process, for the audit log: a command without its arguments, an action of the console, a run."""

from __future__ import annotations

_origin = "python"


def came_from(name: str) -> None:
    """From now on changes are asked for by this."""
    global _origin
    _origin = name


def origin() -> str:
    """What asks for changes now; ``python`` where somebody imports the package."""
    return _origin
