"""The keymap: which key does what, from the registry of actions and a person's own TOML file, which is read again when it changes.

A line gives an action its keys: ``jobs.stop = "Ctrl+X"``, ``list.down = ["j", "Down"]``, ``app.pause = ""`` for none.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console import actions
from console.actions import Action
from console.keynames import NAMES, key_name
from console.places import PLACES
from workflows.tomllines import line_of

UNBOUND = "unbound"
"""A key that no keyboard has: Textual takes an action's keys away only by giving it others."""
LISTS = ("home", "jobs", "endpoints", "studies", "tunings", "experiments", "costs", "audit", "targets")
"""Places with a list whose keys work at the same time."""
APART = ("dialog", "prompt", "command", "jump", "columns", "code", "choice", "weights")
"""Places in which the keys of everywhere do not work, or give way to typing."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a keymap file that cannot be used: the line, counted from 1 (0: the whole file), and what is wrong."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys of all actions; ``changed`` holds those that differ from the registry, as Textual writes keys."""

    changed: Mapping[str, str] = field(default_factory=dict)

    def keys(self, action: Action) -> Sequence[str]:
        """The keys of an action as Textual names them; empty where it has none."""
        keys = self.changed.get(action.id, action.keys)
        return [key for key in keys.split(",") if key and key != UNBOUND]

    def first(self, action: Action) -> str:
        """The first key as a person reads it, or the word after ``:``; empty where it has neither."""
        keys = self.keys(action)
        return key_name(keys[0]) if keys else f":{action.command}" if action.command else ""

    def shown(self, action: Action) -> str:
        """All keys as a person reads them."""
        return " ".join(key_name(key) for key in self.keys(action))


_present = Keymap()


def use(keymap: Keymap) -> None:
    """The keymap that texts name keys from, from now on: there is one terminal, and one person at it."""
    global _present
    _present = keymap


def key(identifier: str) -> str:
    """The first key of an action in the keymap in use, as a person reads it: for texts that are made without a console at hand."""
    return _present.first(actions.get(identifier))


def read(path: Path) -> tuple[Keymap, list[Mistake]]:
    """The keymap of a file; one that is not there changes nothing.

    Either all of a file counts or nothing of it: with mistakes the keymap is the registry's.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Keymap(), []
    except (OSError, ValueError) as error:
        return Keymap(), [Mistake(0, f"it cannot be read: {error}")]
    return parse(text)


def parse(text: str) -> tuple[Keymap, list[Mistake]]:
    """The keymap of a file's text, and all mistakes in it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        return Keymap(), [
            Mistake(int(match[1]) if match else 0, f"it is not TOML: {str(error).partition(' (')[0]}")
        ]
    changed: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for identifier, value in _entries(document):
        line = line_of(text, identifier)
        try:
            action = actions.get(identifier)
        except KeyError:
            known = [action.id for action in actions.ACTIONS if action.keys]
            close = difflib.get_close_matches(identifier, known, 1)
            hint = f"did you mean {close[0]}?" if close else "`mlconsole keys` lists them"
            mistakes.append(Mistake(line, f"there is no action {identifier!r}; {hint}"))
            continue
        if not action.keys:
            mistakes.append(
                Mistake(line, f"{identifier} has no key and gets none; it is the command :{action.command}")
            )
            continue
        names = value if isinstance(value, list) else [value]
        keys, wrong = _textual_keys(names)
        mistakes += [Mistake(line, problem) for problem in wrong]
        changed[identifier] = ",".join(keys) or UNBOUND
    mistakes += _conflicts(changed, text)
    if not mistakes and not any(
        Keymap(changed).keys(actions.get(each)) for each in ("app.quit", "app.palette")
    ):
        mistakes.append(
            Mistake(
                line_of(text, "app.quit"),
                "app.quit and app.palette both have no key: nothing would leave the console",
            )
        )
    mistakes.sort(key=lambda mistake: mistake.line)
    return (Keymap(), mistakes) if mistakes else (Keymap(changed), [])


def _entries(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        identifier = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _entries(value, identifier + ".")
        else:
            yield identifier, value


_NAMED = {key_name(name).lower(): name for name in NAMES} | {
    "return": "enter", "esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "ins": "insert",
}  # fmt: skip
_SAME = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+h": "Backspace", "ctrl+left_square_bracket": "Esc"}
"""Keys for which most terminals send the byte of another one."""
_PLAIN = frozenset(
    ("enter", "escape", "tab", "space", "backspace", "delete", "insert", "up", "down", "left", "right", "home", "end", "pageup", "pagedown")
)  # fmt: skip


def _textual_keys(names: Sequence[Any]) -> tuple[list[str], list[str]]:
    """(the keys as Textual names them, what is wrong with those that it does not know)."""
    keys: list[str] = []
    wrong: list[str] = []
    for name in names:
        if not isinstance(name, str):
            wrong.append(f'{name!r} is no key: keys are texts, such as "x" or "Ctrl+X"')
            continue
        for part in [name] if name == "," else name.split(",") if "," in name else [name]:
            part = part.strip() if part != " " else "space"
            if not part:
                continue
            key = textual_key(part)
            if key is None:
                wrong.append(f"{part!r} is no key: write x, X, ?, F5, Ctrl+X, Alt+X, Shift+Tab, PgDn …")
            elif key in _SAME:
                wrong.append(f"{part!r} is {_SAME[key]} to most terminals: take another key")
            else:
                keys.append(key)
    return keys, wrong


def textual_key(name: str) -> str | None:
    """A key as a person writes it, as Textual names it; None where it is not a key."""
    from textual.keys import _character_to_key

    if len(name) == 1 and name not in _NAMED:
        return _character_to_key(name) if name.isprintable() else None
    lower = name.lower()
    if lower in _NAMED:
        return _NAMED[lower]
    if lower in _PLAIN or re.fullmatch(r"f([1-9]|1\d|2[0-4])", lower):
        return lower
    *modifiers, last = name.split("+")
    if modifiers and all(modifier.lower() in ("ctrl", "alt", "shift") for modifier in modifiers) and last:
        inner = textual_key(last.lower() if len(last) == 1 else last)
        return "+".join([*(modifier.lower() for modifier in modifiers), inner]) if inner else None
    if re.fullmatch(r"[a-z_]+", lower) and lower in _symbols():
        return lower
    return None


def _symbols() -> frozenset[str]:
    """The names that Textual gives to characters that are no letters: question_mark, colon."""
    from textual.keys import _character_to_key

    return frozenset(_character_to_key(chr(code)) for code in range(33, 127) if not chr(code).isalnum())


def _together(left: Action, right: Action) -> bool:
    """Whether the keys of two actions work at the same time without one being meant to hide the other."""
    places = {left.place, right.place}
    if len(places) == 1:
        return True
    if "app" in places:
        return not places & set(APART)
    return bool(places & {"list", "select"}) and places <= {*LISTS, "list", "select"}


def _conflicts(changed: Mapping[str, str], text: str) -> Iterator[Mistake]:
    """Two actions with one key, where at least one of them got it from the file."""
    keymap, standard = Keymap(changed), Keymap()
    told: set[tuple[str, str, str]] = set()
    for identifier in changed:
        action = actions.get(identifier)
        for other in actions.ACTIONS:
            if other.id == identifier or not _together(action, other):
                continue
            before = set(standard.keys(action)) & set(standard.keys(other))
            for key in sorted(set(keymap.keys(action)) & set(keymap.keys(other)) - before):
                pair = (min(identifier, other.id), max(identifier, other.id), key)
                if pair in told:
                    continue
                told.add(pair)
                yield Mistake(
                    line_of(text, identifier),
                    f"{key_name(key)} is the key of {identifier} and of {other.id} ({other.label}): give one of them another",
                )


def template() -> str:
    """A keymap file with every action in a comment: what is changed has its ``#`` taken away."""
    lines = [
        "# Keys of mlconsole. Take the # away from a line and write other keys; the console reads the file again by itself.",
        '# Several keys: ["x", "Ctrl+X"]. No key: "".',
    ]
    for place, title in PLACES.items():
        bound = [action for action in actions.of(place) if action.keys]
        if bound:
            lines += ["", f"# {title}"]
        for action in bound:
            keys = [key_name(key) for key in action.keys.split(",")]
            shown = ", ".join('"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)
            lines.append(
                f"# {action.id} = {shown if len(keys) == 1 else f'[{shown}]'}".ljust(44)
                + f"  # {action.help}"
            )
    return "\n".join(lines) + "\n"
