"""The steps of a deployment: what each strategy makes of a DeploymentConfig, for any fleet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.hosting.strategy import FULL, TERMINATION, WAIT, Step, down, retreat, strategy, up


def blue_green(kind: str, wait: int = 100, termination: int = 7, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": termination,
        }
    }


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def rolling(size: dict[str, Any], wait: int = 50, **more: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}}


def shares(config: dict[str, Any] | None, **counts: int) -> list[float]:
    counts = counts or {"A": 1}
    return [step.share for step in strategy(config, counts, dict.fromkeys(counts, 1.0)).steps]


def test_without_a_configuration_all_moves_at_once_and_nobody_waits() -> None:
    assert strategy(None, {"A": 3}, {"A": 1.0}).steps == (Step({"A": 1.0}, 1.0, 0, TERMINATION, FULL),)


@pytest.mark.parametrize(
    ("config", "counts", "expected"),
    [
        (blue_green("ALL_AT_ONCE"), {"A": 4}, [1.0]),
        (blue_green("CANARY", CanarySize=percent(10)), {"A": 1}, [0.1, 1.0]),
        (blue_green("CANARY", CanarySize=instances(1)), {"A": 4}, [0.25, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(33)), {"A": 1}, [0.33, 0.66, 0.99, 1.0]),
        (
            blue_green("LINEAR", LinearStepSize=percent(10)),
            {"A": 1},
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        ),
        (blue_green("LINEAR", LinearStepSize=instances(1)), {"A": 3}, [0.333333333, 0.666666667, 1.0]),
        (rolling(percent(50)), {"A": 1}, [0.5, 1.0]),
        (rolling(instances(1)), {"A": 2, "B": 4}, [0.375, 0.75, 0.875, 1.0]),
    ],
)
def test_shares(config: dict[str, Any], counts: dict[str, int], expected: list[float]) -> None:
    assert shares(config, **counts) == expected


def test_a_variant_counts_by_its_weight() -> None:
    """With batches in instances, a variant's traffic moves by its own instances."""
    plan = strategy(rolling(instances(1)), {"A": 2, "B": 4}, {"A": 3.0, "B": 1.0})
    assert [step.share for step in plan.steps] == [0.4375, 0.875, 0.9375, 1.0]
    assert [step.active["A"] for step in plan.steps] == [0.5, 1.0, 1.0, 1.0]


def test_who_waits_and_when() -> None:
    plan = strategy(blue_green("LINEAR", 100, 7, LinearStepSize=percent(50)), {"A": 1}, {"A": 1.0})
    assert [(step.wait, step.declared) for step in plan.steps] == [(100, WAIT), (7, TERMINATION)]
    assert plan.waits == 107
    plan = strategy(rolling(percent(50), 50), {"A": 1}, {"A": 1.0})
    assert [(step.wait, step.declared) for step in plan.steps] == [(50, WAIT), (50, WAIT)]
    # The wait between shifts has no place where there is one shift.
    assert strategy(blue_green("ALL_AT_ONCE", 100, 7), {"A": 1}, {"A": 1.0}).waits == 7


SIZES = st.one_of(
    st.builds(percent, st.integers(5, 50)),
    st.builds(instances, st.integers(1, 5)),
)
COUNTS = st.dictionaries(st.sampled_from("ABC"), st.integers(1, 10), min_size=1)


@given(SIZES, COUNTS, st.data())
def test_every_course_goes_up_to_everything_and_back_to_nothing(
    size: dict[str, Any], counts: dict[str, int], data: st.DataObject
) -> None:
    weights = {name: data.draw(st.floats(0, 10)) for name in counts}
    plan = strategy(rolling(size, RollbackMaximumBatchSize=size), counts, weights)
    found = [step.share for step in plan.steps]
    assert found == sorted(found)
    assert found[-1] == 1.0
    assert all(part == 1.0 for part in plan.steps[-1].active.values())
    for step in plan.steps:
        for name, count in counts.items():
            # What of the old is ended and what of the new runs make up the whole fleet, one more at most while it is cut.
            assert count <= up(step.active[name], count) + count - down(step.active[name], count) <= count + 1
    back = retreat(size, counts, weights, plan.steps[-1].active)
    left = [step.share for step in back]
    assert left == sorted(left, reverse=True)
    assert not any(back[-1].active.values())
    assert len(back) == len(plan.steps)
    (at_once,) = retreat(None, counts, weights, plan.steps[0].active)
    assert at_once.share == 0.0


@pytest.mark.parametrize(("part", "count", "above", "below"), [(0.1, 1, 1, 0), (0.3, 10, 3, 3), (0.5, 3, 2, 1), (1.0, 4, 4, 4)])  # fmt: skip
def test_parts_of_instances(part: float, count: int, above: int, below: int) -> None:
    assert (up(part, count), down(part, count)) == (above, below)
    assert up(0.1 + 0.2, 10) == 3
