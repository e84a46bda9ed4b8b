"""Figures of a run that are told anew while a step works: above a terminal's moving part only the last one of each may stand."""

from __future__ import annotations

from workflows.events import Figure


class Drawn:
    """Keeps figures that have a key until their step has ended; the others are final as they come."""

    def __init__(self) -> None:
        self._kept: list[Figure] = []

    def take(self, figure: Figure) -> Figure | None:
        """The figure, if it is to be shown now; a kept one stands where the one that it replaces has stood."""
        if not figure.key:
            return figure
        place = next((number for number, old in enumerate(self._kept) if figure.replaces(old)), None)
        if place is None:
            self._kept.append(figure)
        else:
            self._kept[place] = figure
        return None

    @property
    def newest(self) -> Figure | None:
        """Of the kept ones the one that was told last."""
        return max(self._kept, key=lambda figure: figure.time, default=None)

    def rest(self) -> list[Figure]:
        """What was kept, now that the step has ended; it is kept no longer."""
        found, self._kept = self._kept, []
        return found
