"""Reads a channel: JSON Lines with a review and its label (0 or 1)."""

from __future__ import annotations

import json
from pathlib import Path

EXPECTED = 'expected JSON Lines {"label": 0 or 1, "review": "…"}'


class DataError(ValueError):
    """The data cannot be trained on; the text names the file, what is wrong and what is expected."""


def read_reviews(folder: Path, channel: str) -> tuple[list[str], list[int]]:
    """Texts and labels of all JSON Lines files below a channel's folder.

    Raises:
        DataError: No file, a line of another form, or one class only.
    """
    files = sorted(path for path in folder.rglob("*.jsonl") if path.is_file())
    if not files:
        raise DataError(f"channel {channel!r} holds no .jsonl file ({folder}); {EXPECTED}")
    texts: list[str] = []
    labels: list[int] = []
    for path in files:
        # Not splitlines(): that also parts at U+2028 and its like, which JSON allows inside a text.
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                text, label = row["review"], row["label"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path.name} line {number}: {error!r}; {EXPECTED}") from None
            if not isinstance(text, str) or isinstance(label, bool) or label not in (0, 1):
                raise DataError(f"{path.name} line {number}: {line[:60]!r}; {EXPECTED}")
            texts.append(text)
            labels.append(int(label))
    if len(set(labels)) < 2:
        raise DataError(
            f"all {len(labels)} reviews of channel {channel!r} have the same label; a classifier needs both"
        )
    return texts, labels
