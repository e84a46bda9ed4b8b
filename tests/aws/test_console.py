"""The whole console against moto: every section and every detail, what moto cannot do, deleting, and read-only mode.

Texts that are looked for are the account's own names and AWS's own operations and states, not the console's wording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.screen import ModalScreen

from console.app import Console
from tests.aws.account import ALARM, ENDPOINT, JOB, TRANSFORM, TUNING
from tests.aws.seeing import Seen, console
from tests.console.conftest import until
from workflows import budget

pytestmark = pytest.mark.timeout(240)

PROGRAM = re.compile(r"Traceback|NoneType|object at 0x|Errno|Exception\(|KeyError|\bNone\b|<class|\{\}")
"""What only a program says: none of it may be on a screen."""


@pytest.fixture(autouse=True)
def _soon(aws: pytest.MonkeyPatch) -> Iterator[None]:
    """moto does not throttle: nobody here has to wait for AWS's budget, which has tests of its own."""
    aws.setitem(budget.PACES, "aws", replace(budget.PACES["aws"], rate=50, burst=200, active=1, idle=2))
    yield


async def test_every_section_shows_the_account(account: Any) -> None:
    shown = {
        "home": (ENDPOINT, "churn-live"),
        "jobs": (JOB, "fraud-0", TRANSFORM),
        "endpoints": (ENDPOINT, "InService"),
        "studies": ("moons", "forecasting"),
        "tuning": (TUNING, "Bayesian"),
        "costs": (ENDPOINT, "churn-live", "ml.m5.large"),
    }
    async with console() as seen:
        await seen.until("AWS 123456789012", "eu-west-1")
        for section in Console.MODES:
            await seen.app.go(section)
            await seen.until(*shown.get(section, ()))
            readable(seen)
            await parts(seen)
        await seen.app.action_experiments()
        await seen.pilot.pause()
        readable(seen)


async def test_every_detail_opens_with_all_of_its_parts(account: Any) -> None:
    async with console() as seen:
        await seen.app.open_job(JOB)
        await seen.until(JOB, "Completed", "ml.m5.large", "model.tar.gz")
        assert "num_round 10" in await parts(seen)
        await seen.app.open_transform(TRANSFORM)
        await seen.until(TRANSFORM, "fraud-model", "text/csv")
        await parts(seen)
        await seen.app.open_endpoint(ENDPOINT)
        await seen.until(ENDPOINT, "InService", "AllTraffic", "fraud-live-config")
        await seen.until("1 alarm")
        assert ALARM in await parts(seen)
        await seen.app.open_drift(ENDPOINT)
        await seen.until("captures no data", "DataCaptureConfig")
        readable(seen)


@pytest.mark.slow
async def test_what_the_service_cannot_do_is_named_and_the_rest_stays(account: Any) -> None:
    """moto fails inside ListTrainingJobsForHyperParameterTuningJob and has no DescribeAlarmHistory."""
    async with console() as seen:
        await seen.app.open_tuning(TUNING)
        await seen.until(
            TUNING, "validation:auc", "ListTrainingJobsForHyperParameterTuningJob failed inside the service"
        )
        readable(seen)
        await parts(seen)
        await seen.app.open_endpoint(ENDPOINT)
        await seen.until("fraud-live-config")
        for _ in range(8):
            if ALARM in seen.text:
                break
            await seen.app.screen.run_action("next_part")
            await seen.pilot.pause(0.3)
        await seen.until(ALARM, "DescribeAlarmHistory failed inside the service")
        readable(seen)


async def test_an_endpoint_is_deleted_by_typing_its_name(account: Any) -> None:
    async with console() as seen:
        await seen.app.open_endpoint(ENDPOINT)
        await seen.until(ENDPOINT, "InService", "fraud-live-config")
        await seen.app.screen.run_action("delete")
        await until(seen.pilot, lambda: isinstance(seen.app.screen, ModalScreen), "a question")
        await seen.until("Delete", ENDPOINT)
        await seen.type("fraud")
        await seen.pilot.press("tab", "enter")  # the half of a name allows nothing
        assert isinstance(seen.app.screen, ModalScreen)
        assert len(endpoints(account)) == 2
        await seen.pilot.press("shift+tab")
        await seen.type("-live")
        await seen.pilot.press("enter")
        await until(seen.pilot, lambda: endpoints(account) == {"churn-live"}, "the endpoint is gone")
        await until(seen.pilot, lambda: not isinstance(seen.app.screen, ModalScreen), "the question is gone")
        await seen.app.go("endpoints")
        await until(seen.pilot, lambda: ENDPOINT not in seen.text or "Deleting" in seen.text, "it has left")
        readable(seen)


async def test_read_only_refuses_every_change(account: Any) -> None:
    async with console(read_only=True) as seen:
        await seen.until("read-only")
        await seen.app.open_endpoint(ENDPOINT)
        await seen.until(ENDPOINT, "InService", "fraud-live-config")
        for verb in ("delete", "split", "invoke"):
            await seen.app.screen.run_action(verb)
            await seen.until("Read-only")
            assert not isinstance(seen.app.screen, ModalScreen)
        assert len(endpoints(account)) == 2


def endpoints(account: Any) -> set[str]:
    """The names of the account's endpoints."""
    return {item["EndpointName"] for item in account.client("sagemaker").list_endpoints()["Endpoints"]}


def readable(seen: Seen) -> None:
    """Nothing on the screen is a program's talk."""
    found = PROGRAM.search(seen.text)
    assert found is None, f"{found}:\n{seen.text}"


async def parts(seen: Seen) -> str:
    """Go through all parts of a screen, back to the first one; all that was on them."""
    texts = []
    for _ in getattr(seen.app.screen, "parts", ()):
        await seen.app.screen.run_action("next_part")
        await seen.pilot.pause(0.1)
        readable(seen)
        texts.append(seen.flat)
    return " ".join(texts)
