"""Simulated A/B tests as arrays (experiment, look): the formulas under test are those of `workflows.statistics`, on arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflows.statistics.events import Counts, log_evidence, log_evidence_mixed
from workflows.statistics.moments import shrunk, worth
from workflows.statistics.sequence import half_width, tuning
from workflows.statistics.sequence import log_evidence as log_likelihood_ratio
from workflows.statistics.testing import EVENTS

ALPHA = 0.05
PLANNED = 5000.0
STEP = 20
"""Requests between two looks."""
CHUNK = 100

Array = NDArray[Any]
Rate = Callable[[Array], Array]


@dataclass(frozen=True)
class Arms:
    """Cumulative requests and events of both arms at each look, per segment: (experiment, look)."""

    n_a: list[Array]
    n_b: list[Array]
    s_a: list[Array]
    s_b: list[Array]
    shares: list[float]


def constant(rate: float) -> Rate:
    """A rate that does not change."""
    return lambda x: np.full_like(x, rate)


def seasonal(rate: float, swing: float) -> Rate:
    """A rate that swings by a part of itself, four times in the course of the test."""
    return lambda x: rate * (1 + swing * np.sin(2 * np.pi * 4 * x))


def experiments(
    rate_a: Rate,
    rate_b: Rate,
    shares: tuple[float, ...] = (0.5,),
    *,
    requests: int = 40_000,
    number: int = 2_000,
    seed: int = 1,
) -> Iterator[Arms]:
    """Experiments in chunks; each of ``shares`` (B's part of the traffic) holds for an equal part of the requests."""
    random = np.random.default_rng(seed)
    looks = requests // STEP
    x = (np.arange(looks) + 0.5) / looks
    segment = np.minimum((x * len(shares)).astype(int), len(shares) - 1)
    w = np.asarray(shares)[segment]
    p_a, p_b = rate_a(x), rate_b(x)
    for first in range(0, number, CHUNK):
        size = (min(CHUNK, number - first), looks)
        b = random.binomial(STEP, w, size)
        e_a, e_b = random.binomial(STEP - b, p_a), random.binomial(b, p_b)
        masks = [segment == one for one in range(len(shares))]
        yield Arms(
            [np.cumsum((STEP - b) * mask, axis=1, dtype=float) for mask in masks],
            [np.cumsum(b * mask, axis=1, dtype=float) for mask in masks],
            [np.cumsum(e_a * mask, axis=1, dtype=float) for mask in masks],
            [np.cumsum(e_b * mask, axis=1, dtype=float) for mask in masks],
            list(shares),
        )


def burnt_in(arms: Arms, least: int = EVENTS) -> Array:
    """Where every arm has so many events and non-events."""
    n_a, n_b, s_a, s_b = sum(arms.n_a), sum(arms.n_b), sum(arms.s_a), sum(arms.s_b)
    found: Array = np.minimum(np.minimum(s_a, s_b), np.minimum(n_a - s_a, n_b - s_b)) >= least
    return found


def stratified(arms: Arms) -> tuple[Array, Array, Array]:
    """(n, difference, variance) as `workflows.statistics.moments.difference` has them."""
    used = [(n_a > 0) & (n_b > 0) for n_a, n_b in zip(arms.n_a, arms.n_b, strict=True)]
    sizes = [
        worth(share, arms.shares[0]) * (n_a + n_b) * ok
        for n_a, n_b, share, ok in zip(arms.n_a, arms.n_b, arms.shares, used, strict=True)
    ]
    n: Array = np.maximum(sum(sizes), 1)
    overall = []
    for counts, events in ((arms.n_a, arms.s_a), (arms.n_b, arms.s_b)):
        many = np.maximum(sum(c * ok for c, ok in zip(counts, used, strict=True)), 1)
        p = sum(e * ok for e, ok in zip(events, used, strict=True)) / many
        overall.append(p * (1 - p))
    several = sum(ok.astype(int) for ok in used) > 1
    value, variance = np.zeros_like(n), np.zeros_like(n)
    for n_a, n_b, s_a, s_b, size in zip(arms.n_a, arms.n_b, arms.s_a, arms.s_b, sizes, strict=True):
        m_a, m_b = np.maximum(n_a, 1), np.maximum(n_b, 1)
        p_a, p_b = s_a / m_a, s_b / m_b
        v_a, v_b = p_a * (1 - p_a), p_b * (1 - p_b)
        v_a = np.where(several, shrunk(v_a, m_a, overall[0]), v_a)
        v_b = np.where(several, shrunk(v_b, m_b, overall[1]), v_b)
        value = value + size / n * (p_b - p_a)
        variance = variance + (size / n) ** 2 * (v_a / m_a + v_b / m_b)
    return n, value, variance


def sequence_evidence(arms: Arms, planned: float = PLANNED, least: int = EVENTS) -> Array:
    """ln E of the confidence sequence, -inf where it may not speak."""
    n, value, variance = stratified(arms)
    speaks = burnt_in(arms, least) & (variance > 0)
    found = log_likelihood_ratio(value, np.where(variance > 0, variance, 1.0), n, tuning(ALPHA, planned))
    return np.where(speaks, found, -np.inf)


def misses(arms: Arms, truth: float, planned: float = PLANNED) -> Array:
    """Where the sequence does not hold the true difference."""
    n, value, variance = stratified(arms)
    width = half_width(n, np.where(variance > 0, variance, 1.0), ALPHA, tuning(ALPHA, planned))
    return np.asarray(burnt_in(arms) & (np.abs(value - truth) > width))


def counts(arms: Arms) -> tuple[list[Counts], list[Counts]]:
    """Events and non-events per segment."""
    return (
        [Counts(a, b, w) for a, b, w in zip(arms.s_a, arms.s_b, arms.shares, strict=True)],
        [
            Counts(n_a - s_a, n_b - s_b, w)
            for n_a, n_b, s_a, s_b, w in zip(arms.n_a, arms.n_b, arms.s_a, arms.s_b, arms.shares, strict=True)
        ],
    )


def event_evidence(arms: Arms) -> Array:
    """ln E of the exact test on the events, k = 50."""
    found: Array = log_evidence(counts(arms)[0])
    return found


def mixed_evidence(arms: Arms) -> Array:
    """ln E of the exact test, averaged over concentrations and both sides."""
    found: Array = log_evidence_mixed(*counts(arms))
    return found


def rejected(evidence: Array, by: int | None = None) -> Array:
    """Which experiments have ever reached 1 / alpha, up to so many requests."""
    seen = evidence if by is None else evidence[:, : max(1, by // STEP)]
    found: Array = (seen >= -math.log(ALPHA)).any(axis=1)
    return found
