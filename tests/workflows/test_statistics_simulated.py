"""The promises of the sequential tests, kept in thousands of simulated A/B tests that are looked at every 20 requests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.workflows import simulated
from tests.workflows.simulated import Arms, Array, constant, experiments, rejected, seasonal
from workflows.statistics.moments import Moments, Stratum
from workflows.statistics.sequence import half_width, log_evidence, tuning
from workflows.statistics.testing import OBSERVATIONS

EXPERIMENTS = 2_000
ALLOWED = simulated.ALPHA + 3 * math.sqrt(simulated.ALPHA * (1 - simulated.ALPHA) / EXPERIMENTS)
"""alpha and three standard errors of the simulation: .065."""

NULLS: dict[str, tuple[simulated.Rate, tuple[float, ...]]] = {
    "1 %, 50:50": (constant(0.01), (0.5,)),
    "5 %, 50:50": (constant(0.05), (0.5,)),
    "20 %, 50:50": (constant(0.2), (0.5,)),
    "50 %, 50:50": (constant(0.5), (0.5,)),
    "90 %, 50:50": (constant(0.9), (0.5,)),
    "5 %, canary of 10 %": (constant(0.05), (0.1,)),
    "1 %, canary of 10 %": (constant(0.01), (0.1,)),
    "20 % that swings by 80 %": (seasonal(0.2, 0.8), (0.5,)),
    "5 %, weights 10 % then 50 %": (constant(0.05), (0.1, 0.5)),
    "20 % that swings by 80 %, weights 10, 50, 25 %": (seasonal(0.2, 0.8), (0.1, 0.5, 0.25)),
    "5 % that becomes 15 % as the weights change": (lambda x: np.where(x < 0.5, 0.05, 0.15), (0.1, 0.5)),
}


EVERY_TIME = (
    "1 %, 50:50",
    "90 %, 50:50",
    "1 %, canary of 10 %",
    "20 % that swings by 80 %, weights 10, 50, 25 %",
)
"""The rates at both ends, few on one side, and the one in which all changes; the others wait for ``--run-slow``."""


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=() if name in EVERY_TIME else (pytest.mark.slow,)) for name in NULLS],
)
def test_equal_variants_are_seldom_told_apart(scenario: str) -> None:
    """2,000 A/A tests with 2,000 looks each: at most alpha of them ever get a verdict."""
    rate, shares = NULLS[scenario]
    wrong = dict.fromkeys(("sequence", "misses", "events", "mixed"), 0)
    mixed = scenario in ("5 %, 50:50", "90 %, 50:50", "1 %, canary of 10 %")
    for arms in experiments(rate, rate, shares, number=EXPERIMENTS, seed=7):
        wrong["sequence"] += int(rejected(simulated.sequence_evidence(arms)).sum())
        wrong["misses"] += int(simulated.misses(arms, 0.0).any(axis=1).sum())
        wrong["events"] += int(rejected(simulated.event_evidence(arms)).sum())
        if mixed:
            wrong["mixed"] += int(rejected(simulated.mixed_evidence(arms)).sum())
    shares_wrong = {name: number / EXPERIMENTS for name, number in wrong.items()}
    print(scenario, shares_wrong)
    assert max(shares_wrong.values()) <= ALLOWED, shares_wrong
    assert 1 - shares_wrong["misses"] >= 1 - simulated.ALPHA, "coverage of the sequence at all times"


def test_peeking_at_a_fixed_test_is_what_these_tests_are_for() -> None:
    """The same looks at a plain z test reject nearly half of the A/A tests: the simulation can fail."""
    wrong = 0
    for arms in experiments(constant(0.05), constant(0.05), number=500, seed=7):
        _n, value, variance = simulated.stratified(arms)
        peeked = simulated.burnt_in(arms) & (np.abs(value) > 1.96 * np.sqrt(np.maximum(variance, 1e-12)))
        wrong += int(peeked.any(axis=1).sum())
    assert wrong / 500 > 0.3


def test_small_arms_break_the_sequence_without_its_burn_in() -> None:
    """A canary of 10 % with a rate of 1 %: with no burn-in more than alpha is wrong, which is why there is one."""
    wrong = sum(
        int(rejected(simulated.sequence_evidence(arms, least=1)).sum())
        for arms in experiments(constant(0.01), constant(0.01), (0.1,), number=EXPERIMENTS, seed=7)
    )
    assert wrong / EXPERIMENTS > simulated.ALPHA


POWER: dict[str, tuple[float, float, float, int, Callable[[Arms], Array]]] = {
    "5 to 6 %, sequence": (0.05, 0.06, 0.5, 16317, simulated.sequence_evidence),
    "20 to 22 %, sequence": (0.2, 0.22, 0.5, 13021, simulated.sequence_evidence),
    "90 to 92 %, sequence": (0.9, 0.92, 0.5, 6428, simulated.sequence_evidence),
    "5 to 6 %, events": (0.05, 0.06, 0.5, 16317, simulated.event_evidence),
    "90 to 92 %, mixed events": (0.9, 0.92, 0.5, 6428, simulated.mixed_evidence),
    "1 to 2 % in a canary, events": (0.01, 0.02, 0.1, 12885, simulated.event_evidence),
    "1 to 5 % in a canary, events": (0.01, 0.05, 0.1, 1586, simulated.event_evidence),
}


@pytest.mark.parametrize("effect", POWER)
def test_real_effects_are_found_within_twice_the_fixed_sample(effect: str) -> None:
    """Power of at least .6 at twice the sample that a single look needs for .8."""
    before, after, share, fixed, evidence = POWER[effect]
    requests = 3 * fixed // simulated.STEP * simulated.STEP
    once = twice = thrice = uncovered = 0
    for arms in experiments(
        constant(before), constant(after), (share,), requests=requests, number=500, seed=11
    ):
        found = evidence(arms)
        once += int(rejected(found, fixed).sum())
        twice += int(rejected(found, 2 * fixed).sum())
        thrice += int(rejected(found).sum())
        uncovered += int(simulated.misses(arms, after - before).any(axis=1).sum())
    print(effect, once / 500, twice / 500, thrice / 500, 1 - uncovered / 500)
    assert twice / 500 >= 0.6
    assert 1 - uncovered / 500 >= 1 - simulated.ALPHA


def test_a_changed_share_of_the_traffic_loses_little_power() -> None:
    """From a canary of 10 % to halves in mid-test: the segments' evidence adds up."""
    found = sum(
        int(rejected(simulated.sequence_evidence(arms)).sum())
        for arms in experiments(
            constant(0.05), constant(0.06), (0.1, 0.5), requests=40_000, number=500, seed=3
        )
    )
    assert found / 500 >= 0.6


@pytest.mark.parametrize("spread", [1.0, 1.5])
def test_latencies_are_compared_by_their_logarithms(spread: float) -> None:
    """Log-normal latencies: equal ones are seldom told apart, 5 % slower ones mostly are."""
    random = np.random.default_rng(5)
    looks, step, number = 400, 25, 1_000
    per_arm = step * np.arange(1, looks + 1)
    truth = math.log(1.08)
    wrong = found = uncovered = 0
    rho = tuning(simulated.ALPHA, 2 * 10_000)
    for _ in range(number // 250):
        sums = []
        for shift in (0.0, 0.0, truth):
            logs = random.normal(shift, spread, (250, looks, step)).astype(np.float32)
            sums.append((logs.sum(2).cumsum(1), (logs**2).sum(2).cumsum(1)))
        means = [total / per_arm for total, _ in sums]
        spreads = [squares / per_arm - mean**2 for (_, squares), mean in zip(sums, means, strict=True)]
        speaks = per_arm >= OBSERVATIONS
        for other, count in ((1, "null"), (2, "effect")):
            value, variance = means[other] - means[0], (spreads[0] + spreads[other]) / per_arm
            reached = speaks & (log_evidence(value, variance, 2 * per_arm, rho) >= -math.log(simulated.ALPHA))
            wrong += int(reached.any(1).sum()) if count == "null" else 0
            found += int(reached.any(1).sum()) if count == "effect" else 0
            if count == "effect":
                width = half_width(2 * per_arm, variance, simulated.ALPHA, rho)
                uncovered += int((speaks & (np.abs(value - truth) > width)).any(1).sum())
    assert wrong / number <= ALLOWED
    assert uncovered / number <= simulated.ALPHA
    assert spread > 1 or found / number >= 0.6


def test_requests_that_a_router_splits_by_its_weights_raise_no_alarm() -> None:
    """The check of the split, three variants, looked at every 20 requests: seldom wrong, and quick to see a router that is off."""
    random = np.random.default_rng(2)
    shares = (0.5, 0.3, 0.2)
    from workflows.statistics.events import log_mismatch

    alarms = {}
    for name, true in (("right", shares), ("off", (0.55, 0.27, 0.18))):
        sent = random.multinomial(20, true, size=(1_000, 500)).cumsum(axis=1).astype(float)
        found = log_mismatch([sent[..., i] for i in range(3)], shares)
        alarms[name] = float((found >= -math.log(0.01)).any(axis=1).mean())
    assert alarms["right"] <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 1_000)
    assert alarms["off"] >= 0.9


def test_the_simulation_computes_what_the_live_test_computes() -> None:
    """One experiment, request by request through `Moments`, against the arrays: the same difference, evidence and counts at each look."""
    from workflows.statistics.events import Counts
    from workflows.statistics.events import log_evidence as exact
    from workflows.statistics.testing import SequenceTest

    arms = next(experiments(constant(0.2), constant(0.25), (0.1, 0.5), requests=4_000, number=3, seed=9))
    test = SequenceTest(alpha=simulated.ALPHA, planned=simulated.PLANNED)
    n, value, variance = simulated.stratified(arms)
    expected, happened = simulated.sequence_evidence(arms), simulated.event_evidence(arms)
    live_a, live_b = [Moments(), Moments()], [Moments(), Moments()]
    for look in range(n.shape[1]):
        for live, counted, events in ((live_a, arms.n_a, arms.s_a), (live_b, arms.n_b, arms.s_b)):
            for part, (count, event) in enumerate(zip(counted, events, strict=True)):
                total = [
                    int(array[0, look] - (array[0, look - 1] if look else 0)) for array in (count, event)
                ]
                for position in range(total[0]):
                    live[part].add(1.0 if position < total[1] else 0.0)
        strata = [Stratum(a, b, share) for a, b, share in zip(live_a, live_b, arms.shares, strict=True)]
        reading = test.read(strata)
        if n[0, look] <= 1:
            continue
        assert reading.n == sum(part[0, look] for part in (*arms.n_a, *arms.n_b))
        assert math.isclose(reading.effective, n[0, look], rel_tol=1e-12)
        assert math.isclose(reading.interval.value, value[0, look], abs_tol=1e-12)
        assert math.isclose(reading.variance, variance[0, look], rel_tol=1e-9, abs_tol=1e-15)
        assert bool(reading.missing) == bool(np.isneginf(expected[0, look]))
        if not reading.missing:
            assert math.isclose(reading.log_e, expected[0, look], rel_tol=1e-9, abs_tol=1e-9)
            outside = reading.interval.excludes(0.0)
            assert outside == (reading.log_e > -math.log(simulated.ALPHA))
        segments = [
            Counts(a.events, b.events, share) for a, b, share in zip(live_a, live_b, arms.shares, strict=True)
        ]
        assert math.isclose(exact(segments), happened[0, look], rel_tol=1e-9, abs_tol=1e-9)
