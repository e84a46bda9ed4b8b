"""Amounts of money as a person reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.money import amount
from console.screens.expenses import sentence
from console.screens.tuning_facts import dollars
from tests.console.scripted import jobs
from workflows.costs.estimates import Estimate
from workflows.observe.rows import EndpointRow


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "$0"),
        (0.00001, "<$0.0001"),
        (0.0042, "$0.0042"),
        (0.23, "$0.23"),
        (12_345.6, "$12,346"),
    ],
)
def test_an_amount_has_the_figures_that_tell_something(value: float | None, shown: str) -> None:
    assert amount(value) == shown


def test_something_is_never_said_to_cost_nothing() -> None:
    assert dollars(0.00001) == "<$0.0001" and dollars(0.0) == "$0"
    assert str(Estimate(0.00001, "ml.m5.large")).startswith("less than $0.0001 (estimate")
    assert str(Estimate(0.5, "ml.m5.large")).startswith("about $0.500 (estimate")


@pytest.mark.parametrize(
    "target, said",
    [
        ("embedded", "Free here; on AWS the cost of 2 endpoints and 1 running job is not known yet."),
        ("aws", "The cost of 2 endpoints and 1 running job is not known yet."),
    ],
)
def test_what_is_not_known_yet_is_said_once(target: str, said: str) -> None:
    hosted = [EndpointRow(name=name, status="InService", created=0.0, modified=0.0) for name in ("a", "b")]
    job = replace(jobs()[0], instance_type="")
    assert job.active and sentence([job], hosted, target=target, region="us-east-1") == said
