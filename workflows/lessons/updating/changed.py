"""New reviews as the course makes them: some of the old ones with one more word and the other verdict."""

from __future__ import annotations

from typing import Any

from workflows.lessons.subject import Rows


def changed(rows: Rows, word: str, share: float, seed: int) -> tuple[Rows, Any]:
    """The rows with ``word`` appended to a ``share`` of them, whose labels are turned round; and which ones, as a mask (n,).

    Drawn row by row, so that the number of changed ones varies as it would in the world.
    """
    import numpy as np

    mask = np.random.default_rng(seed).random(len(rows)) < share
    texts = tuple(f"{text} {word}" if hit else text for text, hit in zip(rows.texts, mask, strict=True))
    return Rows(np.where(mask, 1 - rows.labels, rows.labels), texts=texts), mask
