"""Parameters of AWS calls as they may be shown and stored: no secrets, no bodies, nothing long."""

from __future__ import annotations

from typing import Any

LONGEST_TEXT = 400
LONGEST_LIST = 20
_SECRET = ("secret", "password", "sessiontoken", "accesskeyid", "credential")


def trimmed(value: Any, name: str = "") -> Any:
    """A copy for the eyes: secrets hidden, bytes and streams as their size, long texts and lists cut."""
    if name and any(word in name.lower() for word in _SECRET):
        return "(hidden)"
    if isinstance(value, dict):
        return {str(key): trimmed(item, str(key)) for key, item in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"
    if isinstance(value, str):
        if name == "Body":
            return f"({len(value)} characters)"
        return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        short = [trimmed(item) for item in value[:LONGEST_LIST]]
        return short if len(value) <= LONGEST_LIST else [*short, f"… ({len(value)} items)"]
    if hasattr(value, "read"):
        return "(a stream)"
    return str(value)[:LONGEST_TEXT]
