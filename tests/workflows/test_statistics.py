"""The formulas of the sequential tests one by one."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.statistics import forecast, posterior
from workflows.statistics.elementary import betaln
from workflows.statistics.events import (
    Counts,
    log_evidence,
    log_evidence_at,
    log_evidence_mixed,
    log_mismatch,
    ratio_interval,
)
from workflows.statistics.moments import Moments, Stratum, difference, together
from workflows.statistics.sequence import crossing, half_width, tuning
from workflows.statistics.sequence import log_evidence as likelihood_ratio
from workflows.statistics.testing import EventTest, SequenceTest, Standing, budgets

counts = st.integers(0, 3_000)
shares = st.floats(0.02, 0.98)


def rate(events: int, n: int) -> Moments:
    """The moments of so many events in n observations."""
    p = events / n
    return Moments(n, p, n * p * (1 - p))


def test_the_interval_and_the_evidence_are_one_object() -> None:
    """The half width is where the evidence reaches 1 / alpha."""
    for n, variance, alpha in ((100, 0.01, 0.05), (20_000, 1e-5, 0.01), (7, 2.0, 0.2)):
        rho = tuning(alpha, 5_000)
        width = half_width(n, variance, alpha, rho)
        assert math.isclose(likelihood_ratio(width, variance, n, rho), -math.log(alpha), rel_tol=1e-12)


def test_the_sequence_has_the_width_of_the_reference() -> None:
    """d +- sigma sqrt(2 (n rho^2 + 1) / (n^2 rho^2) ln(sqrt(n rho^2 + 1) / alpha)), worked out by hand at n = N*."""
    assert tuning(0.05, 5_000) == pytest.approx(math.sqrt((5.991465 + math.log(6.991465)) / 5_000), rel=1e-6)
    x = 5.991465 + math.log(6.991465)
    expected = math.sqrt(5_000 * 1e-4) * math.sqrt(
        2 * (x + 1) / (5_000 * x) * math.log(math.sqrt(x + 1) / 0.05)
    )
    assert half_width(5_000, 1e-4, 0.05, tuning(0.05, 5_000)) == pytest.approx(expected, rel=1e-6)


def test_the_planned_sample_is_where_the_sequence_is_tightest() -> None:
    """rho is chosen so that no other gives a much narrower interval at N*."""
    at_plan = half_width(5_000, 1e-4, 0.05, tuning(0.05, 5_000))
    others = [
        half_width(5_000, 1e-4, 0.05, tuning(0.05, planned)) for planned in (500, 2_000, 12_000, 50_000)
    ]
    assert min(others) > at_plan


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40), st.integers(0, 40))
def test_moments_merge_as_if_seen_together(values: list[float], cut: int) -> None:
    """Two parts merged equal the whole, and survive JSON."""
    parts = [Moments(), Moments()]
    whole = Moments()
    for at, value in enumerate(values):
        parts[at >= cut].add(value)
        whole.add(value)
    merged = Moments.of_list(json.loads(json.dumps(together(parts).as_list())))
    assert merged.n == whole.n
    assert merged.mean == pytest.approx(whole.mean, abs=1e-9)
    assert merged.squares == pytest.approx(whole.squares, abs=1e-6)


@given(counts, counts, counts, counts, shares)
def test_swapping_the_arms_turns_the_difference(s_a: int, f_a: int, s_b: int, f_b: int, share: float) -> None:
    """B against A is minus A against B, with the same variance."""
    a, b = rate(s_a, s_a + f_a + 1), rate(s_b, s_b + f_b + 1)
    there, back = difference([Stratum(a, b, share)]), difference([Stratum(b, a, 1 - share)])
    assert there is not None and back is not None
    assert there.value == -back.value
    assert there.variance == pytest.approx(back.variance)


def test_a_base_rate_that_moves_with_the_weights_is_no_difference() -> None:
    """Simpson's paradox: B had most of its requests when both were better; within each segment they are equal."""
    strata = [Stratum(rate(90, 900), rate(10, 100), 0.1), Stratum(rate(250, 500), rate(250, 500), 0.5)]
    found = difference(strata)
    assert found is not None
    assert found.value == pytest.approx(0)
    pooled = together([one.b for one in strata]).mean - together([one.a for one in strata]).mean
    assert pooled > 0.1


@given(counts, counts, shares, st.sampled_from([20.0, 50.0, 200.0, 2000.0]))
def test_the_event_evidence_is_the_beta_ratio(a: int, b: int, w: float, k: float) -> None:
    """E = B(k w + S_B, k w_A + S_A) / B(k w, k w_A) / (w^S_B w_A^S_A)."""
    expected = (
        betaln(k * w + b, k * (1 - w) + a)
        - betaln(k * w, k * (1 - w))
        - b * math.log(w)
        - a * math.log(1 - w)
    )
    assert log_evidence([Counts(a, b, w)], k) == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 6), shares, st.sampled_from([5.0, 50.0]))
def test_the_event_evidence_is_fair(n: int, w: float, k: float) -> None:
    """Under equal rates its mean is 1 after any number of events: what makes it an e-value."""
    mean = sum(
        math.comb(n, b) * w**b * (1 - w) ** (n - b) * math.exp(log_evidence([Counts(n - b, b, w)], k))
        for b in range(n + 1)
    )
    assert mean == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200), shares), min_size=1, max_size=3))
def test_the_ratio_interval_is_where_the_evidence_is_small(found: list[tuple[int, int, float]]) -> None:
    """Inside its ends E is below 1 / alpha, outside above."""
    segments = [Counts(*one) for one in found]
    interval = ratio_interval(segments, 0.05)
    limit = -math.log(0.05)
    for end, sign in ((interval.low, -1), (interval.high, 1)):
        if 0 < end < math.inf:
            assert log_evidence_at(segments, math.log(end) + sign * 0.01, 50.0) >= limit - 1e-6
    if interval.high > interval.low * 1.01 > 0 and math.isfinite(interval.high):
        middle = math.log(interval.low * interval.high) / 2
        assert log_evidence_at(segments, middle, 50.0) < limit


def test_the_ratio_interval_holds_the_ratio() -> None:
    """30 errors against 10 in halves: about 3, and 1 is outside; nothing yet: everything is possible."""
    found = ratio_interval([Counts(30, 90, 0.5)], 0.05)
    assert found.value == pytest.approx(3, rel=0.01)
    assert found.low > 1
    assert found.high < 8
    nothing = ratio_interval([Counts(0, 0, 0.5)], 0.05)
    assert (nothing.low, nothing.high) == (0.0, math.inf)
    assert ratio_interval([Counts(60, 0, 0.5)], 0.05).high < 1


def test_an_average_of_evidence_lies_between_its_parts() -> None:
    """The mixture never exceeds its best part, and loses at most ln 6 to it."""
    events, others = [Counts(10, 40, 0.5)], [Counts(990, 960, 0.5)]
    parts = [log_evidence(side, k) for k in (20.0, 200.0, 2000.0) for side in (events, others)]
    found = log_evidence_mixed(events, others)
    assert max(parts) - math.log(6) <= found <= max(parts)


def test_the_split_of_requests_is_checked_for_any_number_of_variants() -> None:
    """With two variants it is the event test on requests; a request of a variant of weight 0 is impossible."""
    assert log_mismatch([400, 600], [1, 1]) == pytest.approx(log_evidence([Counts(400, 600, 0.5)]))
    assert log_mismatch([500, 300, 200], [5, 3, 2]) < 0
    assert log_mismatch([500, 200, 300], [5, 3, 2]) > math.log(1e6)
    assert log_mismatch([10, 0], [1, 0]) == 0.0
    assert log_mismatch([10, 1], [1, 0]) == math.inf


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=40)
def test_the_posterior_is_the_exact_sum(s_a: int, f_a: int, s_b: int, f_b: int) -> None:
    """P(B > A) for Beta posteriors in closed form (E. Miller, "Formulas for Bayesian A/B testing", eq. 6)."""
    a, b, c, d = 1 + s_a, 1 + f_a, 1 + s_b, 1 + f_b
    exact = sum(
        math.exp(betaln(a + i, b + d) - math.log(d + i) - betaln(1 + i, d) - betaln(a, b)) for i in range(c)
    )
    assert posterior.better(s_a, s_a + f_a, s_b, s_b + f_b) == pytest.approx(exact, abs=0.002)


def test_the_posterior_of_many_observations() -> None:
    """Millions of observations neither underflow nor take long."""
    assert posterior.better(500_000, 10_000_000, 501_000, 10_000_000) == pytest.approx(
        posterior.above(0.0001, 2 * 0.05 * 0.95 / 1e7), abs=0.002
    )
    assert posterior.better(0, 0, 0, 0) == pytest.approx(0.5, abs=0.001)


def test_samples_as_the_reference_has_them() -> None:
    """The n80 for halves that the simulations of `test_statistics_simulated` use, and more of them for a canary."""
    for before, after, share, expected in (
        (0.05, 0.06, 0.5, 16_317),
        (0.2, 0.22, 0.5, 13_021),
        (0.9, 0.92, 0.5, 6_428),
    ):
        assert forecast.fixed_sample(before, after - before, share, 0.05) == pytest.approx(expected, rel=0.01)
    assert forecast.fixed_sample(0.05, 0.01, 0.1, 0.05) > 2.5 * forecast.fixed_sample(0.05, 0.01, 0.5, 0.05)


def test_the_forecast_is_where_the_interval_leaves_zero() -> None:
    """At the forecast total the half width equals the difference; a margin may be reached first."""
    rho = tuning(0.05, 10_000)
    total = crossing(0.02, 0.36, 0.05, rho)
    assert half_width(total, 0.36 / total, 0.05, rho) == pytest.approx(0.02, rel=1e-6)
    found = forecast.remaining(1_000, 0.02, 0.36 / 1_000, alpha=0.05, planned=10_000, margin=0.0)
    assert found is not None
    assert found.outcome == "different"
    assert found.total == pytest.approx(total)
    assert found.left == pytest.approx(total - 1_000)
    assert found.seconds(10) == pytest.approx(found.left / 10)
    near = forecast.remaining(1_000, 0.001, 0.36 / 1_000, alpha=0.05, planned=10_000, margin=0.02)
    assert near is not None and near.outcome == "same"
    assert forecast.remaining(0, 0.0, 0.0, alpha=0.05, planned=10, margin=0.0) is None
    never = forecast.remaining(10, 0.0, 0.1, alpha=0.05, planned=10, margin=0.0)
    assert never is not None and math.isinf(never.left)


def read(test: SequenceTest, a: Moments, b: Moments, standing: Standing) -> None:
    test.judge(test.read([Stratum(a, b, 0.5)]), standing)


def test_no_verdict_before_events_and_non_events() -> None:
    """19 failures of one arm are too few, however clear it looks."""
    test, standing = SequenceTest(alpha=0.05, planned=1_000), Standing()
    reading = test.read([Stratum(rate(300, 319), rate(100, 400), 0.5)])
    assert reading.missing == "20/20 successes, 19/20 failures per variant"
    test.judge(reading, standing)
    assert (standing.verdict, standing.p) == ("watching", 1.0)
    read(test, rate(300, 320), rate(100, 400), standing)
    assert standing.verdict == "worse"


def test_a_verdict_stays() -> None:
    """Once B is better it stays so, with the smallest p that was reached, though the data turn."""
    test, standing = SequenceTest(alpha=0.05, planned=1_000, margin=0.5), Standing()
    read(test, rate(100, 500), rate(160, 500), standing)
    assert standing.verdict == "better"
    p = standing.p
    read(test, rate(1_000, 5_000), rate(1_000, 5_000), standing)
    assert (standing.verdict, standing.p, standing.at) == ("better", p, 1_000)


def test_within_the_margin_nothing_differs_that_matters() -> None:
    """The interval within +-margin, 0 inside: no difference that matters; without a margin it is watched for ever."""
    for margin, expected in ((0.02, "same"), (0.0, "watching")):
        standing = Standing()
        read(
            SequenceTest(alpha=0.05, planned=20_000, margin=margin),
            rate(4_000, 20_000),
            rate(4_010, 20_000),
            standing,
        )
        assert standing.verdict == expected


def test_lower_may_be_better() -> None:
    """Of a latency the smaller one wins."""
    test, standing = SequenceTest(alpha=0.05, planned=1_000, rate=False, direction="lower"), Standing()
    draw = random.Random(3)
    a, b = Moments(), Moments()
    for number in range(400):
        a.add(draw.gauss(3.0, 0.3))
        b.add(draw.gauss(2.8, 0.3))
        read(test, a, b, standing)
        assert standing.verdict == "watching" or number >= 99
    assert standing.verdict == "better"


def test_guardrails_speak_of_the_side_that_has_too_much() -> None:
    """Errors of B beyond its share: worse; of A: better."""
    for segments, expected in (
        ([Counts(5, 45, 0.5)], "worse"),
        ([Counts(45, 5, 0.5)], "better"),
        ([Counts(5, 6, 0.5)], "watching"),
    ):
        standing = Standing()
        EventTest(alpha=0.01).judge(segments, [], standing, 1_000)
        assert standing.verdict == expected


def test_a_guardrail_that_was_better_may_still_break() -> None:
    """First A fails more, then B by far: what stays is that B is worse."""
    test, standing = EventTest(alpha=0.01), Standing(guard=True)
    for segments, expected in (
        ([Counts(45, 5, 0.5)], "better"),
        ([Counts(45, 200, 0.5)], "worse"),
        ([Counts(400, 200, 0.5)], "worse"),
    ):
        test.judge(segments, [], standing, 1_000)
        assert standing.verdict == expected


def test_budgets_add_up() -> None:
    """Two challengers and three guardrails: each decision has half of alpha, each guardrail a sixth."""
    decision, guardrail = budgets(0.05, 2, 3)
    assert 2 * decision == pytest.approx(0.05)
    assert 2 * 3 * guardrail == pytest.approx(0.05)
    assert budgets(0.05, 1, 0) == (0.05, 0.05)
