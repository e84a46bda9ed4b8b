"""A person's own files as `mlconsole doctor` looks at them: keys, themes, saved views. What is wrong is told with its line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from console import filtering, keymap, theme, themefiles
from console.formatting import count
from console.listcolumns import COLUMNS, OPEN, UNSORTED
from console.view import View
from workflows import locations
from workflows.diagnosis import Finding


def findings() -> Iterator[Finding]:
    """One finding each for the keymap, the themes and the views."""
    yield _keys(locations.keymap_file())
    yield _themes(locations.themes_dir())
    yield _views(locations.memory_file())


def _keys(path: Path) -> Finding:
    found, mistakes = keymap.read(path)
    if mistakes:
        text = f"{path} is not used: {'; '.join(map(str, mistakes))}"
        return Finding("keys", "bad", text, "Mend it: a console that runs reads it again; `mlconsole keys --check` looks at it alone.")  # fmt: skip
    if not path.exists():
        return Finding("keys", "ok", f"The usual ones; no file at {path}")
    return Finding("keys", "ok", f"{path} changes {count(len(found.changed), 'action')}.")


def _themes(folder: Path) -> Finding:
    found = themefiles.read(folder, theme.SHIPPED)
    names = [one.name for one in found.themes]
    if found.problems:
        remedy = "Mend the file: a console that runs reads it again. Until then it has another theme."
        return Finding("themes", "bad", f"Not used from {folder}: {'; '.join(found.problems)}.", remedy)
    wanted = os.environ.get("MLCONSOLE_THEME", "")
    known = (*theme.NAMES, *names)
    if wanted and wanted not in known and f"mlconsole-{wanted}" not in known:
        shown = ", ".join(name.removeprefix("mlconsole-") for name in known)
        return Finding("themes", "warning", f"MLCONSOLE_THEME names {wanted!r}, which is no theme.", f"Themes: {shown}.")  # fmt: skip
    if found.warnings:
        return Finding("themes", "warning", f"{'; '.join(found.warnings)}.", "Choose colours that are further apart.")  # fmt: skip
    if not names:
        return Finding("themes", "ok", f"Those that are shipped; none of your own in {folder}")
    return Finding("themes", "ok", f"{', '.join(names)} in {folder}")


def _views(path: Path) -> Finding:
    try:
        text = path.read_text(encoding="utf-8")
        kept = json.loads(text)
    except FileNotFoundError:
        return Finding("views", "ok", f"None is saved; no file at {path}")
    except json.JSONDecodeError as error:
        return _unread(path, f"line {error.lineno}: it is not JSON: {error.msg}")
    except (OSError, ValueError) as error:
        return _unread(path, f"it cannot be read: {error}")
    if not isinstance(kept, dict):
        return _unread(path, "line 1: it is no JSON object")
    saved = kept.get("views", {})
    wrong = list(_mistakes(text, saved))
    without = list(_without_columns(text, saved)) if isinstance(saved, dict) else []
    wrong += [told for _, told in without]
    if wrong:
        there = "".join(
            f" Columns of {place}: {', '.join(COLUMNS[place])}."
            for place in dict.fromkeys(place for place, _ in without)
        )
        return Finding("views", "warning", f"{path}, {'; '.join(wrong)}.", f"Mend it, or forget the view: `:view delete NAME` on its list.{there}")  # fmt: skip
    number = sum(len(views) for views in saved.values())
    return Finding("views", "ok", f"{count(number, 'view')} in {path}" if number else f"None is saved in {path}")  # fmt: skip


def _unread(path: Path, why: str) -> Finding:
    return Finding(
        "views",
        "bad",
        f"{path}, {why}. Views, columns and commands are not remembered from it.",
        "Mend it, or remove it; the next console that writes it puts this one beside it.",
    )


def _mistakes(text: str, saved: Any) -> Iterator[str]:
    """What is wrong with saved views, each with its line."""
    if not isinstance(saved, dict):
        yield f"line {_line(text, 'views')}: views is no JSON object"
        return
    for place, views in saved.items():
        if place not in COLUMNS:
            yield f"line {_line(text, 'views', place)}: there is no list {place!r}: there are {', '.join(COLUMNS)}"
            continue
        if not isinstance(views, dict):
            yield f"line {_line(text, 'views', place)}: the views of {place} are no JSON object"
            continue
        for name, value in views.items():
            where = f"line {_line(text, 'views', place, name)}: view {name} of {place}"
            view = View.from_dict(value)
            if (view.as_dict() or {}) != value:
                yield f"{where} has something else than columns, sort, descending and filter"
            elif problem := filtering.parse(view.filter).problem:
                yield f"{where}: {problem}"


def _without_columns(text: str, saved: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns in saved views that their list does not have, or is not sorted by: the place of the list, and what is wrong."""
    for place, views in saved.items():
        known = COLUMNS.get(place)
        if known is None or not isinstance(views, dict):
            continue
        for name, value in views.items():
            where = f"line {_line(text, 'views', place, name)}: view {name} of {place}"
            view = View.from_dict(value)
            unknown = [] if place in OPEN else [one for one in view.columns if one not in known]
            if unknown:
                yield (
                    place,
                    f"{where} shows {', '.join(map(repr, unknown))}, which {_no_columns(len(unknown))}",
                )
            if view.sort and view.sort not in known and place not in OPEN:
                yield place, f"{where} is sorted by {view.sort!r}, which {_no_columns(1)}"
            elif view.sort in UNSORTED.get(place, ()):
                yield (
                    place,
                    f"{where} is sorted by {view.sort!r}, which comes later than the rows and sorts none",
                )


def _no_columns(number: int) -> str:
    return "is no column there" if number == 1 else "are no columns there"


def _line(text: str, *names: str) -> int:
    """The line of the last of nested names, counted from 1."""
    at = 0
    for name in names:
        at = max(text.find(f"{json.dumps(name)}:", at), at)
    return text.count("\n", 0, at) + 1
