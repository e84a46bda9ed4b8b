"""What the training log of a net tells beside its metrics: the boundary while it moves, the scores of its seeds, its death."""

from __future__ import annotations

import re
import string
from typing import Any

from workflows.studies.context import Context
from workflows.studies.moons.candidates import Candidate, SeedScore, Standing

LEVELS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
"""A character per probability as ``boundary.py`` of the training code writes it: A is 0, / is 1."""
_BOUNDARY = re.compile(r"^boundary epoch=(\d+) x=(\S+):(\S+):(\d+) y=(\S+):(\S+):(\d+) z=([A-Za-z0-9+/]+)$")
_SEED = re.compile(
    r"^seed=(\d+) epochs=(\d+) best=(\d+) loss=([0-9.]+)(?: accuracy=([0-9.]+))? dead_units=(\d+)$"
)


def surface(line: str) -> tuple[int, dict[str, Any]] | None:
    """The epoch and the grid (``name``, ``x``, ``y``, ``z``) of a boundary's log line; None when it is no such line, or cut off."""
    found = _BOUNDARY.match(line.strip())
    if found is None:
        return None
    epoch, low_x, high_x, columns, low_y, high_y, rows, levels = found.groups()
    width, height = int(columns), int(rows)
    if min(width, height) < 2 or len(levels) != width * height:
        return None
    values = [round(LEVELS.index(letter) / (len(LEVELS) - 1), 3) for letter in levels]
    return int(epoch), {
        "name": "probability of the lower moon",
        "x": _axis(float(low_x), float(high_x), width),
        "y": _axis(float(low_y), float(high_y), height),
        "z": [values[start : start + width] for start in range(0, len(values), width)],
    }


class Follower:
    """Hears the log of a candidate's job; boundaries are told as one figure that is drawn anew.

    Of the boundaries that came since the last look only the newest is told: nets learn faster than anybody sees.

    Args:
        points: The training points as series of a scatter, which are drawn over the boundary.
    """

    def __init__(
        self, context: Context, candidate: Candidate, points: list[dict[str, Any]], alone: bool
    ) -> None:
        self.dead = ""
        self._context = context
        self._candidate = candidate
        self._points = points
        self._alone = alone
        self._seeds: dict[int, SeedScore] = {}
        self._newest: tuple[int, dict[str, Any]] | None = None

    @property
    def standing(self) -> Standing:
        """The scores of the seeds that have ended."""
        return Standing.of(self._candidate, list(self._seeds.values()), self.dead)

    def line(self, text: str) -> bool:
        """Takes boundaries away from the log; scores and the net's death are heard, and stay in it."""
        if text.startswith("boundary "):
            self._newest = surface(text) or self._newest
            return True
        if found := _SEED.match(text.strip()):
            seed, epochs, best, loss, accuracy, dead = found.groups()
            self._seeds[int(seed)] = SeedScore(
                int(seed),
                int(epochs),
                int(best),
                float(loss),
                float(accuracy) if accuracy else None,
                int(dead),
            )
            self._told_seeds()
        if text.startswith("dead: "):
            self.dead = text.removeprefix("dead: ").strip()
            self._context.log(
                f"{self._candidate.title}: training was given up, {self.dead}.", level="warning"
            )
        return False

    def _told_seeds(self) -> None:
        """Epochs are logged of the first net only: from its end on, the nets that are done tell how far the job is."""
        total = int(self._context.value("seeds"))
        if total > 1:
            label = "" if self._alone else self._candidate.title
            self._context.progress(len(self._seeds), total, "seeds", label)

    def looked(self) -> None:
        """Tells the newest boundary."""
        if self._newest is None:
            return
        (epoch, grid), self._newest = self._newest, None
        which = "" if self._alone else f"{self._candidate.title}: "
        title = f"{which}Decision boundary after epoch {epoch}"
        key = f"boundary {self._candidate.suffix}"
        self._context.figure(title, "field", [grid, *self._points], "x", "y", key)


def _axis(low: float, high: float, count: int) -> list[float]:
    return [round(low + (high - low) * step / (count - 1), 4) for step in range(count)]
