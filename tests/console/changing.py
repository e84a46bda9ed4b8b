"""Data that is different at the next look, by chance: rows come, go and end, and say what nobody has expected."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.console.scripted import Scripted
from workflows.observe.rows import LogLine, LogTail
from workflows.problem import Problem
from workflows.topics import Topic

NASTY = (
    "", " ", "\x1b[2J\x1b[31mred\x1b[0m", "a\x00b\x07c\x08d\x7f", "tab\there", "two\nlines\r\nthree\rfour", "\u202eright to left\u202c",
    "日本語のとても長い名前" * 6, "e\u0301" * 20, "\u0301\u0302 alone", "👩‍👩‍👧‍👦 family 🇩🇪 ❤️", "x" * 3000, "[bold red]markup[/] [link=x]", "{braces} %s %d",
    "\ufeff\u200b\u200d", "عربى نص", "\ud7ff\ue000", "𝔘𝔫𝔦", "\x9b31m", "\u2028line\u2029", "ﷺ" * 9, "-", "None", "nan", "/", "a b  c", "\u3000wide blank",
)  # fmt: skip
"""Texts as others may write them."""
FIGURES = (
    float("nan"),
    float("inf"),
    float("-inf"),
    1e300,
    -1e300,
    -1.0,
    0.0,
    -0.0,
    5e-324,
    1e-12,
    1e9,
    123456.789,
)
TIMES = (0.0, 1.0, -86_400.0, 1_800_000_000.0, 1_800_086_400.0, 4_102_444_800.0, 32_503_680_000.0)
"""At the epoch, before it, now, tomorrow, in a hundred and in a thousand years."""


def other_value(chance: random.Random, value: Any, annotation: str, share: float) -> Any:
    """A value that differs here and there from one of a field with this annotation."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return other(chance, value, share)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        if (
            value
            and chance.random() < share
            and "Comparison" not in annotation
            and (dataclasses.is_dataclass(value[0]) or isinstance(value[0], tuple))
        ):
            value = chance.choice((value[:-1], value[1:], ()))
        return tuple(other_value(chance, one, annotation, share) for one in value)
    if isinstance(value, Mapping):
        text = "str" in annotation or "Any" in annotation
        return {
            key: other_value(chance, one, "str" if text else annotation, share) for key, one in value.items()
        }
    if chance.random() >= share:
        return value
    if isinstance(value, bool):
        return not value if annotation == "bool" else value
    if isinstance(value, str) and annotation.startswith(
        ("str", "tuple[str", "Mapping[str", "list[str", "dict[str")
    ):
        return chance.choice((*NASTY, value + chance.choice(NASTY)))
    if isinstance(value, int) and annotation.startswith("int"):
        return chance.choice((0, 1, 7, 10**6, 10**12))
    if isinstance(value, float) and "float" in annotation:
        if value > 1e9:
            return chance.choice((*TIMES, value + chance.uniform(-1e5, 1e5)))
        return chance.choice((*FIGURES, value * chance.uniform(0.1, 10)))
    return value


NAMING = {
    "name",
    "id",
    "kind",
    "key",
    "topic",
    "study",
    "run",
    "folder",
    "job",
    "endpoint",
    "interface",
    "target",
    "verdict",
    "state",
    "outcome",
    "form",
}
"""Fields that say which thing it is."""


def other(chance: random.Random, value: Any, share: float = 0.05) -> Any:
    """A frozen row or detail that differs here and there; what says which thing it is stays."""
    changes: dict[str, Any] = {}
    for one in dataclasses.fields(value):
        before = getattr(value, one.name)
        annotation = one.type if isinstance(one.type, str) else str(one.type)
        if one.name in NAMING or not one.init:
            if dataclasses.is_dataclass(before) and not isinstance(before, type):
                changes[one.name] = other(chance, before, share)
            continue
        now = other_value(chance, before, annotation, share)
        if now is not before:
            changes[one.name] = now
    with contextlib.suppress(Exception):  # a row that checks itself refuses some
        return replace(value, **changes)
    return value


def changed(
    chance: random.Random, services: Scripted, originals: Mapping[Topic[Any], Any], nasty: bool
) -> None:
    """Something is different at the next poll: rows come, go, end, or say what nobody has expected."""
    lists = [
        topic
        for topic in services.values
        if isinstance(services.values[topic].value, tuple) and not topic.name
    ]
    topic = chance.choice(lists if chance.random() < 0.5 else list(services.values))
    value = services.values[topic].value
    if value is None:
        return
    if isinstance(value, tuple) and value and not topic.name:
        rows = list(value)
        what = chance.choice(("drop", "shuffle", "end", "more", "other", "empty", "restore"))
        if what == "drop":
            rows.pop(chance.randrange(len(rows)))
        elif what == "shuffle":
            chance.shuffle(rows)
        elif what == "end" and hasattr(rows[0], "status"):
            at = chance.randrange(len(rows))
            rows[at] = _with_status(
                rows[at],
                chance.choice(("Completed", "Failed", "Stopped", "InService", "Deleting", "Unheard Of", "")),
            )
        elif what == "more":
            rows += [_renamed(chance, chance.choice(rows), nasty) for _ in range(chance.choice((1, 5, 200)))]
            chance.shuffle(rows)
        elif what == "other" and nasty:
            rows = [other(chance, row, 0.1) if dataclasses.is_dataclass(row) else row for row in rows]
        elif what == "empty":
            rows = []
        else:
            rows = list(originals.get(topic, value))
        services.publish(topic, tuple(dict.fromkeys(rows) if _hashable(rows) else rows))
    elif chance.random() < 0.15:
        services.publish_error(topic, Problem(f"{topic} is not there.", "Go elsewhere.", "missing"))
    elif chance.random() < 0.2:
        services.publish(topic, originals.get(topic, value))
    elif nasty:
        services.publish(topic, other_value(chance, value, "", 0.08))


def _hashable(rows: Sequence[Any]) -> bool:
    try:
        hash(tuple(rows))
    except TypeError:
        return False
    return True


def _with_status(row: Any, status: str) -> Any:
    try:
        return replace(row, status=status)
    except Exception:
        return row


def _renamed(chance: random.Random, row: Any, nasty: bool) -> Any:
    name = f"new-{chance.randrange(10**6):06}"
    if nasty and chance.random() < 0.3:
        name += chance.choice(NASTY)
    for attribute in ("name", "id"):
        try:
            return replace(row, **{attribute: name})
        except Exception:
            continue
    return row


def flood(chance: random.Random, services: Scripted, lines: int) -> None:
    """Lines come into some log."""
    logs = [topic for topic in services.values if topic.kind.endswith("-logs")]
    topic = chance.choice(logs)
    known = services.values[topic].value or LogTail()
    at = known.lines[-1].time if known.lines else services.time
    more = [
        LogLine(at + number / 1000, chance.choice(("algo-1", "algo-2")), chance.choice(NASTY) if number % 7 == 3 else f"line {number} loss={number / 7:.3f}")
        for number in range(lines)
    ]  # fmt: skip
    services.publish(topic, replace(known, lines=(*known.lines, *more)[-5000:]))
