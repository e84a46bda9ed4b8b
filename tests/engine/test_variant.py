"""What a variant says of a container that did not come up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.hosting.variant import failure_reason
from engine.hosting.worker import Unhealthy


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (["Traceback", "ValueError: no"], ". Traceback\nValueError: no"),
        ([f"line {number} {'x' * 90}" for number in range(30)], "line 29 " + "x" * 90),
        (["y" * 5000], "y" * 50),
        ([], " It ended."),
    ],
)
def test_the_reason_quotes_whole_last_lines(lines: list[str], end: str) -> None:
    worker = cast(Any, SimpleNamespace(lines=lines))
    reason = failure_reason("A", worker, Unhealthy("it ended"))
    assert len(reason) <= 1024
    assert reason.endswith(end)
    quoted = reason.partition("logs for this endpoint. It ended. ")[2].split("\n")
    assert len(lines) != 30 or all(line in lines for line in quoted)
