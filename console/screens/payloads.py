"""Requests and answers as a person reads them."""

from __future__ import annotations

import json

from console.formatting import printable, size

MOST_SHOWN = 200_000


def pretty(body: bytes, content_type: str) -> str:
    """The body to be read: JSON indented, binary as what it is, never steering the terminal."""
    if "json" in content_type and "lines" not in content_type:
        try:
            return json.dumps(json.loads(body), indent=2, ensure_ascii=False)[:MOST_SHOWN]
        except ValueError:
            pass
    if "npy" in content_type:
        header = body[:128].decode("latin-1", "replace")
        return f"a NumPy array of {size(len(body))}: {printable(header[10:]).strip()}"
    text = body[:MOST_SHOWN].decode("utf-8", "replace")
    if text.count("\ufffd") > len(text) // 4:
        return f"{size(len(body))} that are no text: {body[:24].hex(' ')} …"
    return "\n".join(printable(line) for line in text.splitlines())
