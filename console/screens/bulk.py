"""Doing one thing with all marked rows: one question that names them all, then one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from console.formatting import count, grouped
from console.screens.arranged import ArrangedScreen
from console.screens.dialogs import ConfirmScreen, MessageScreen, Task
from console.widgets.choosing import ChoosableRows
from workflows.problem import Problem


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done with one row: its key in the list, its name in the question, the blocking call on services."""

    key: Hashable
    name: str
    do: Task


def confirm_all(
    screen: ArrangedScreen[Any],
    verb: str,
    noun: str,
    deeds: Sequence[Deed],
    sentences: Sequence[str],
    done: str,
) -> None:
    """Ask once whether ``verb`` ("stop", "delete") is wanted for all of these, and do exactly these.

    ``done`` follows their number when all went well: "are deleted". What failed keeps its mark and is told with its reason.
    """
    console = screen.console
    what = count(len(deeds), noun)

    def chosen(choice: str | None) -> None:
        if choice is not None and choice != "Cancel":
            _work(screen, verb, noun, list(deeds), done)

    console.push_screen(
        ConfirmScreen(
            f"{verb.capitalize()} {what}?",
            sentences,
            f"{verb.capitalize()} all {len(deeds)}" if len(deeds) > 1 else f"{verb.capitalize()} it",
            typed=f"{verb} {len(deeds)}" if console.services.target == "aws" else "",
            listed=[deed.name for deed in deeds],
            does=lambda services: [deed.do(services) for deed in deeds],
        ),
        chosen,
    )


def _work(screen: ArrangedScreen[Any], verb: str, noun: str, left: list[Deed], done: str) -> None:
    """One after the other: the account's quota of calls is shared, and the first error may be that of all."""
    console = screen.console
    rows = screen.rows()  # those of the part in which it was asked for
    total, failed = len(left), list[tuple[Deed, Problem]]()
    ended: set[Hashable] = set()

    def following() -> None:
        if left:
            console.flash(f"{verb.capitalize()}: {total - len(left) + 1} of {total} …", "wait")
            deed = left.pop(0)
            console.in_background(
                lambda: deed.do(console.services),
                lambda _: went_well(deed),
                lambda problem: went_wrong(deed, problem),
            )
            return
        if screen.is_attached and isinstance(rows, ChoosableRows):
            rows.choose(rows.chosen - ended)
        console.services.refresh()
        if not failed:
            console.flash(f"✓ {count(total, noun)} {done}.")
            return
        lines = [f"{deed.name}: {problem.sentence} {problem.remedy}" for deed, problem in failed]
        title = f"{grouped(len(ended))} of {count(total, noun)} {done}"
        dialog = MessageScreen(title, ["This did not work. What is still there stays marked."], listed=lines)
        console.interrupt(lambda: console.push_screen(dialog))

    def went_well(deed: Deed) -> None:
        ended.add(deed.key)
        following()

    def went_wrong(deed: Deed, problem: Problem) -> None:
        failed.append((deed, problem))
        following()

    following()


def marked(screen: ArrangedScreen[Any]) -> Sequence[Any] | None:
    """The rows that an action is about, when there are more than one or they are marked; None: the row under the cursor alone."""
    return screen.selection() if screen.rows().chosen else None
