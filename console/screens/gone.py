"""What stands in the place of a resource that is not there (any more): that it is gone, and what can be done next."""

from __future__ import annotations

from console.keymap import key
from console.screens import facts
from console.widgets.drawing import Lines

LOCAL = ("run", "rollout", "A/B test", "replay")
"""What is kept in folders of this machine: no backend knows of it."""


def gone(thing: str, name: str, section: tuple[str, str], where: str, width: int) -> Lines:
    """That there is no such thing, and the keys that lead on.

    Args:
        thing: What it is, as ``training job``.
        section: Name and title of the section that lists such things.
        where: The target, as ``AWS in us-east-1``.
        width: Cells of a line.
    """
    place = "on this machine" if thing in LOCAL else f"in {where}"
    reasons = "It was deleted" if thing in LOCAL else "It was deleted, or it belongs to another target"
    ways = (
        (key(f"app.{section[0]}"), f"goes to {section[1]}, which lists those that there are"),
        (key("app.back"), "goes back"),
        (key("app.refresh"), "looks once more"),
    )
    margin = max(len(keys) for keys, _ in ways) + 2
    return [
        [(name, "strong")],
        [("✗ gone", "bad")],
        [],
        *facts.sentences([f"There is no {thing} of this name {place}. {reasons}."], width),
        [],
        *([(f"{keys:<{margin}}", "key"), (text, "")] for keys, text in ways),
    ]
