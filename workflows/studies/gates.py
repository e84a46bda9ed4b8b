"""Checks that a model must pass before anything is hosted; each is a verdict with its reason in a sentence."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from workflows.events import Gate
from workflows.studies.context import Context
from workflows.studies.study import Refused

Verdict = Literal["pass", "warn", "fail"]
QUESTION = "deploy-anyway"
FLAT = 0.02
"""A loss that never gets further than this below ln K has learned nothing."""
CHANCE_LEVEL = 0.01
"""Probability at which guessing alone would do as well."""


def flat_loss(step: str, losses: Sequence[float], classes: int = 2) -> Gate:
    """Whether the training loss left ln K, where a classifier of K classes starts when it knows nothing."""
    start = math.log(classes)
    if not losses:
        reason = "The training log shows no loss, so nothing tells that the model learned."
        return judgement(step, "loss moves", "fail", reason)
    best = min(losses)
    if best > start - FLAT:
        reason = f"The loss stayed at {best:.4f}; ln {classes} = {start:.4f} is what guessing gives: the net is dead."
        return judgement(step, "loss moves", "fail", reason, best, start - FLAT)
    reason = f"The loss fell to {best:.4f}, from ln {classes} = {start:.4f} of guessing."
    return judgement(step, "loss moves", "pass", reason, best, start - FLAT)


def both_classes(step: str, predicted: Sequence[int], classes: int = 2) -> Gate:
    """Whether every class is predicted at least once."""
    seen = sorted(set(predicted))
    if len(seen) < classes:
        reason = f"All {len(predicted)} points are predicted as class {seen[0] if seen else '-'}: it separates nothing."
        return judgement(step, "both classes", "fail", reason, float(len(seen)), float(classes))
    shares = ", ".join(
        f"{sum(p == label for p in predicted) / len(predicted):.0%} class {label}" for label in seen
    )
    return judgement(step, "both classes", "pass", f"Predicts {shares}.", float(len(seen)), float(classes))


def beats_chance(step: str, correct: int, total: int, majority: float) -> Gate:
    """Whether so many hits would be rare if every answer were the commoner class (exact binomial tail)."""
    accuracy = correct / total
    tail = sum(
        math.comb(total, k) * majority**k * (1 - majority) ** (total - k) for k in range(correct, total + 1)
    )
    verdict: Verdict = "pass" if tail < CHANCE_LEVEL else "fail"
    reason = (
        f"{accuracy:.3f} of {total} points are right; always answering the commoner class gives {majority:.3f} "
        f"(chance of doing as well by guessing: {tail:.2g})."
    )
    return judgement(step, "beats chance", verdict, reason, accuracy, majority)


def against_baseline(step: str, name: str, hits: Sequence[bool], baseline_hits: Sequence[bool]) -> Gate:
    """The model against a free baseline on the same points, in order.

    It passes when it is at least as good, warns when it falls short by a single point or by no more than one standard error of
    the paired difference, and fails when it loses by more.
    """
    total = len(hits)
    accuracy, baseline = sum(hits) / total, sum(baseline_hits) / total
    lift = accuracy - baseline
    only_model = sum(a and not b for a, b in zip(hits, baseline_hits, strict=True))
    only_baseline = sum(b and not a for a, b in zip(hits, baseline_hits, strict=True))
    error = (
        math.sqrt(max(only_model + only_baseline - (only_model - only_baseline) ** 2 / total, 0.0)) / total
    )
    compared = f"{accuracy:.3f} against {baseline:.3f} of the {name}, a lift of {lift:+.3f} ± {error:.3f} on {total} points"
    if lift >= 0:
        return judgement(step, "against the baseline", "pass", f"{compared}.", accuracy, baseline)
    if lift >= -error or only_baseline - only_model == 1:
        how = "within one standard error" if lift >= -error else "by a single one of them"
        reason = f"{compared}: a little short, but {how}."
        return judgement(step, "against the baseline", "warn", reason, accuracy, baseline)
    reason = f"{compared}: the model loses to a baseline that costs nothing."
    return judgement(step, "against the baseline", "fail", reason, accuracy, baseline)


def luck(step: str, what: str, accuracy: float, spread: Sequence[float], total: int, instead: str) -> Gate:
    """Warns when a score is above what other seeds of the same thing give on average by more than their standard deviation.

    Args:
        what: The thing whose seeds there are: the split, the net.
        spread: The scores of all seeds; two at least.
        total: Answers behind each score.
        instead: What to quote rather than a lucky score.
    """
    mean, deviation = statistics.fmean(spread), statistics.stdev(spread)
    lucky = accuracy > mean + deviation
    better = sum(score >= accuracy for score in spread)
    reason = (
        f"This {what} gives {accuracy:.3f}; {len(spread)} seeds give {mean:.3f} ± {deviation:.3f} ({min(spread):.2f} to "
        f"{max(spread):.2f}), {better} of them at least as much. One of {total} answers is {1 / total:.1%}"
        f"{f': quote {instead}, not this {what}' if lucky else ''}."
    )
    verdict: Verdict = "warn" if lucky else "pass"
    return judgement(step, f"luck of the {what}", verdict, reason, accuracy, mean + deviation)


def decide(context: Context, gates: Sequence[Gate], overruled: bool = False) -> bool:
    """Tells the gates; when one fails, asks whether to deploy nevertheless.

    Returns:
        Whether somebody overruled a failed gate (``overruled``: somebody did in an earlier step; nobody is asked again).

    Raises:
        Refused: A gate failed and the answer is to refuse, which is the default.
    """
    for gate in gates:
        context.send(gate)
    failed = [gate for gate in gates if gate.verdict == "fail"]
    if not failed or overruled:
        return overruled
    reasons = " ".join(gate.reason for gate in failed)
    choice = context.ask(QUESTION, f"{reasons} Deploy it nevertheless?", ["refuse", "deploy"], "refuse")
    if choice != "deploy":
        raise Refused(f"Not deployed: {reasons} To host it all the same, answer {QUESTION} with deploy.")
    return True


def admitted(
    context: Context, verdicts: Mapping[str, Sequence[Gate]], overruled: bool = False
) -> tuple[list[str], bool]:
    """The candidates (jobs, variants) without a failed gate, and whether somebody let those pass that failed because none is left.

    Raises:
        Refused: None passes, and nobody overruled that.
    """
    passed = [name for name, found in verdicts.items() if all(one.verdict != "fail" for one in found)]
    everything = [one for found in verdicts.values() for one in found]
    if passed:
        for one in everything:
            context.send(one)
        return passed, overruled
    overruled = decide(context, everything, overruled)
    return list(verdicts), overruled


def judgement(
    step: str,
    name: str,
    verdict: Verdict,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
) -> Gate:
    """One verdict, as of now."""
    return Gate(
        time=time.time(),
        step=step,
        name=name,
        verdict=verdict,
        reason=reason,
        value=value,
        threshold=threshold,
    )
