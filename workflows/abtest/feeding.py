"""Rewards and assignments from files: CSV or JSON lines, one request each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.abtest.journal import Line
from workflows.problem import Problem

ID, REWARD, AT, VARIANT = "inferenceId", "reward", "at", "variant"
NAMES = {
    "inferenceid": ID, "inference_id": ID, "id": ID, "eventid": ID, "reward": REWARD, "value": REWARD, "y": REWARD,
    "at": AT, "time": AT, "timestamp": AT, "variant": VARIANT, "milliseconds": "ms", "ms": "ms", "latency": "ms", "status": "status",
    "code": "code", "user": "user",
}  # fmt: skip
"""Columns by the names that they may have, in lower case."""
TRUE, FALSE = {"true", "yes", "t"}, {"false", "no", "f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """One row: a reward, an assignment (``variant``), or both. ``at`` is when the request was made, or 0.

    ``user`` is the id of whoever asked, as it is.
    """

    id: str
    reward: float | None = None
    at: float = 0.0
    variant: str = ""
    milliseconds: float | None = None
    status: int = 200
    code: str = ""
    user: str = ""

    def lines(self, now: float, user: str = "") -> Iterator[Line]:
        """The row as the journal has it; ``user`` stands for who asked."""
        if self.variant:
            line: dict[str, Any] = {
                "t": "request",
                "at": self.at or now,
                "now": now,
                "id": self.id,
                "v": self.variant,
            }
            line |= {"ms": round(self.milliseconds, 3)} if self.milliseconds is not None else {}
            line |= {"s": self.status} if self.status != 200 else {}
            line |= {"c": self.code} if self.code else {}
            line |= {"u": user} if user else {}
            yield line
        if self.reward is not None:
            yield {"t": "reward", "at": now, "id": self.id, "y": self.reward}


def rows(source: str, lines: Iterable[str]) -> Iterator[Fed]:
    """The rows of a CSV file (with a head, or ``inferenceId,reward[,at]``) or of JSON lines; which it is, its first line tells.

    Raises:
        Problem: A row has no id, or a value that cannot be read; names the line.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        raise Problem(f"{source} is empty.", "Write one inferenceId,reward a line.", "feed")
    start = first[1].lstrip("\ufeff")
    if start.lstrip().startswith("{"):
        for number, line in ((first[0], start), *numbered):
            yield _row(source, number, _object(source, number, line))
        return
    head = [NAMES.get(cell.strip().lower(), "") for cell in next(csv.reader([start]))]
    if ID in head:
        columns = head
    else:
        columns = [ID, REWARD, AT]
        yield _row(source, first[0], dict(zip(columns, next(csv.reader([start])), strict=False)))
    for number, line in numbered:
        cells = next(csv.reader([line]))
        yield _row(source, number, dict(zip(columns, cells, strict=False)))


def _object(source: str, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise _wrong(source, number, f"is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _wrong(source, number, "is no JSON object")
    return {NAMES.get(str(name).lower(), ""): value for name, value in found.items()}


def _row(source: str, number: int, found: Mapping[str, Any]) -> Fed:
    name = str(found.get(ID) or "").strip()
    if not name:
        raise _wrong(source, number, "has no inferenceId")
    try:
        took, status = found.get("ms"), found.get("status")
        fed = Fed(
            id=name,
            reward=_reward(found.get(REWARD)),
            at=_time(found.get(AT)),
            variant=str(found.get(VARIANT) or "").strip(),
            milliseconds=None if took in (None, "") else float(str(took)),
            status=200 if status in (None, "") else int(str(status)),
            code=str(found.get("code") or ""),
            user=str(found.get("user") or ""),
        )
    except ValueError as error:
        raise _wrong(source, number, f"has a value that cannot be read: {error}") from error
    if fed.reward is None and not fed.variant:
        raise _wrong(source, number, f"has neither a reward nor a variant for {name}")
    return fed


def _reward(given: Any) -> float | None:
    if given is None or given == "":
        return None
    word = str(given).strip().lower()
    if word in TRUE or word in FALSE:
        return float(word in TRUE)
    return float(word)


def _time(given: Any) -> float:
    """Epoch seconds, or an ISO date; without a zone it is UTC."""
    if given in (None, ""):
        return 0.0
    text = str(given).strip()
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            from datetime import UTC

            found = found.replace(tzinfo=UTC)
        return found.timestamp()


def _wrong(source: str, number: int, what: str) -> Problem:
    return Problem(
        f"{source}, line {number} {what}.",
        "A line is inferenceId,reward[,at], or a JSON object with these members; a variant makes it an assignment.",
        "feed",
    )
