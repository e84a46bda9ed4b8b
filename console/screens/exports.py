"""Exporting what is on the screen: the question, and the writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import clipboard, exporting
from console.arrangement import ListColumn
from console.screens.arranged import ArrangedScreen
from console.screens.dialogs import ChoiceScreen
from console.screens.listing import ListScreen
from workflows import locations
from workflows.observe.reading import moment as utc
from workflows.observe.reading import plain
from workflows.problem import Problem
from workflows.wording import STEERING

if TYPE_CHECKING:
    from console.app import Console
    from console.commands import Suggestion

EARLIEST = 1e9
"""What is more is a time, not a length of time: 2001 is before SageMaker, and 31 years are longer than a job."""
CHOICES = {"CSV": "csv", "JSON": "json", "Picture": "svg"}


def ask(console: Console) -> None:
    """Ask what is wanted, and write it into the folder of exports."""
    screen = console.base_screen
    listed = screen if isinstance(screen, ArrangedScreen) else None
    choices = list(CHOICES) if listed else ["Picture"]
    picture = _picture(console)  # before the dialog stands in it

    def chosen(choice: str | None) -> None:
        if choice in CHOICES:
            export(console, CHOICES[choice], "", picture)

    what = "The screen as it is now."
    if listed is not None:
        which = "as it is shown" if listed.list_in_sight else f"of {listed.noun}s"
        what = f"The list {which}: filtered, sorted, with its columns."
    console.push_screen(
        ChoiceScreen(
            "Export",
            [what, f"Into {_folder()}; `:export csv PATH` writes elsewhere."],
            ["Cancel", *choices],
            default=choices[0] if listed is None or listed.list_in_sight else "Picture",
        ),
        chosen,
    )


def export(console: Console, kind: str, path: str, picture: Callable[[], str] | None = None) -> None:
    """Write the list or the screen; tells where it is. The text is made here, the file in a thread."""
    screen = console.base_screen
    if kind == "svg":
        make = picture or _picture(console)
    elif isinstance(screen, ArrangedScreen):
        make = partial(_table, list(screen.listed()), screen, kind)
    else:
        console.flash("Only a list can be exported so; `:export svg` makes a picture of any screen.", "wait")
        return
    if isinstance(screen, ArrangedScreen):
        name = screen.view_place
    else:
        name = screen.place if screen is not None else "console"
    target = Path(path) if path else _folder() / exporting.file_name(name, kind)
    text = make()
    part = _part(screen) if kind != "svg" else ""
    console.in_background(
        lambda: exporting.write(target, text),
        lambda done: console.flash(f"✓ Written{part}: {done}", "wait" if part else "ok"),
    )


def _part(screen: Any) -> str:
    """What of the list is in the file, where the list itself is not all there is; nobody counts the lines of a file."""
    topic = getattr(screen, "topic", None)  # the list of targets has none
    snapshot = screen.snapshots.get(topic) if isinstance(screen, ListScreen) and topic is not None else None
    if snapshot is None or (snapshot.complete and not snapshot.more):
        return ""
    return ", only the newest" if snapshot.complete else ", only what has come so far"


def _table(items: list[Any], screen: ArrangedScreen[Any], kind: str) -> str:
    if kind == "json":
        return exporting.as_json([screen.document(row) for row in items])
    columns = screen.shown
    return exporting.as_csv(
        [column.id for column in columns],
        [[_plain(column, row) for column in columns] for row in items],
    )


_UNDRAWN = {code: None for code in STEERING if chr(code) not in "\n\t"}
"""What a name may bring that no terminal shows, and that would make the picture a file that is no XML."""


def _plain(column: ListColumn[Any], row: Any) -> str:
    """What a program wants of a cell: a time with its date, in UTC, a length of time in seconds, a status without its sign; all else as shown."""
    shown = column.cell(row).text.strip()
    if column.id == "status" and shown.endswith(word := str(getattr(row, "status", ""))):
        return word
    value = column.key(row) if column.clock and column.key is not None else None
    moment = value[0] if isinstance(value, tuple) else value
    if not isinstance(moment, int | float) or moment <= 0:
        return shown
    return str(plain(utc(moment))) if moment >= EARLIEST else f"{moment:.3f}".rstrip("0").rstrip(".")


def _picture(console: Console) -> Callable[[], str]:
    picture = console.export_screenshot(title="mlconsole").translate(_UNDRAWN)
    return lambda: picture


def copy(text: str, what: str) -> tuple[str, str]:
    """Copy a text: what the terminal has to be sent for it, and the sentence that tells of it. Where it may be lost on its way it is in a file,
    too, which the sentence begins with: a terminal of 80 columns shows no more.

    Raises:
        Problem: It is longer than the clipboard takes; it is in a file instead.
    """
    try:
        asked, way = clipboard.copy(text)
        if clipboard.doubtful(text):
            return asked, f"{_kept(text)} has {what}, and the clipboard {way}: TERM tells no more."
        return asked, f"Copied {what} {way}."
    except ValueError as error:
        raise Problem(f"{_kept(text)} has it instead of the clipboard: {error}", "", "clipboard") from error


def _kept(text: str) -> str:
    """The file that a text is kept in, from the home folder on; there may be several in a second."""
    name, number = "copied", 1
    while True:
        try:
            path = exporting.write(_folder() / exporting.file_name(name, "txt"), text)
            return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
        except Problem as problem:
            if problem.code != "exists":
                raise
        number += 1
        name = f"copied-{number}"


def _folder() -> Path:
    return locations.state_dir() / "exports"


def suggestions(console: Console, argument: str) -> Iterator[Suggestion]:
    """What ``:export`` can go on with."""
    from console.commands import Suggestion

    kind, _, path = argument.partition(" ")
    for known in exporting.KINDS:
        if known.startswith(kind):
            text = f"export {known} {path}".strip()
            about = "The screen as a picture" if known == "svg" else f"The list as {known.upper()}"
            yield Suggestion(
                text,
                text,
                f"{about}, into {path or _folder()}",
                partial(export, console, known, path.strip()),
            )
