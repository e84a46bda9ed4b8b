"""What the console spends on the wire while somebody hurries through it and asks for news again and again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.aws.account import ENDPOINT, JOB
from tests.aws.seeing import console
from workflows.budget import COSTS, PACES

pytestmark = pytest.mark.timeout(120)

PACE = PACES["aws"]
HURRIED = 2.0
"""Seconds after the bucket is empty in which everything is still asked for at every key."""


async def test_the_wire_never_sees_more_than_the_budget(account: Any, calls: list[str]) -> None:
    def spent() -> float:
        return sum(COSTS.get(call.partition(":")[0], 0.0) for call in calls)

    began = time.monotonic()
    async with console() as seen:
        empty = None
        while empty is None or time.monotonic() - empty < HURRIED:
            for section in seen.app.MODES:
                await seen.app.go(section)
                await seen.app.run_action("refresh")
                await seen.pilot.pause(0.02)
            await seen.app.open_endpoint(ENDPOINT)
            await seen.app.open_job(JOB)
            await seen.pilot.pause(0.02)
            # Background polls leave a reserve for what a person opens, so the bucket counts as empty a little earlier.
            if empty is None and spent() >= PACE.burst - 4:
                empty = time.monotonic()
            assert time.monotonic() - began < 90, f"the bucket was never empty: {calls}"
            # One token: who one is, asked before there is an account whose budget could be charged.
            assert spent() <= PACE.burst + PACE.rate * (time.monotonic() - began) + 1, calls
    assert not [call for call in calls if call.startswith("iam:")]
