"""Where a person has been: the places that ``[`` and ``]`` go through, as a browser does."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A screen that can be gone to again: a section's list (``name`` empty), or a resource of a kind.

    ``section`` is the one in which it was seen, empty where nobody saw it: it says where to open it, not which place it is.
    ``part`` is the part of it that was shown, as `console.screens.base.ConsoleScreen.parts` names it.
    """

    kind: str
    name: str = ""
    section: str = field(default="", compare=False)
    part: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass
class Trail:
    """The places in the order in which they were seen, and where in it one is."""

    places: list[Place] = field(default_factory=list)
    at: int = -1

    def visit(self, place: Place) -> None:
        """Note a place; what lay ahead is forgotten, as in a browser."""
        if self.amend(place):
            return
        self.places = [*self.places[: self.at + 1], place][-MOST:]
        self.at = len(self.places) - 1

    def amend(self, place: Place) -> bool:
        """Note how a place is looked at now; False where one is elsewhere."""
        if self.at < 0 or self.places[self.at] != place:
            return False
        self.places[self.at] = place
        return True

    def step(self, by: int) -> Place | None:
        """The place so many steps back (negative) or ahead, which is then where one is; None at the ends."""
        to = self.at + by
        if not 0 <= to < len(self.places):
            return None
        self.at = to
        return self.places[to]
