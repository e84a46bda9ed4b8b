"""Compares what an endpoint is asked now with a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workflows.drift import baseline as baselines
from workflows.drift import captured
from workflows.drift.captured import MOST, Captured
from workflows.drift.comparison import compare
from workflows.drift.report import DriftReport, Side
from workflows.drift.samples import Samples
from workflows.observe.gateway import Gateway
from workflows.problem import Problem

DEFAULT = "first:half"


def drift(
    gateway: Gateway,
    endpoint: str,
    baseline: str = DEFAULT,
    *,
    now: float,
    since: float | None = None,
    variant: str = "",
    column: str = "",
    form: str = "",
    alpha: float = 0.05,
    looks: int = 1,
    place: str = "",
    comparing: Callable[..., DriftReport] = compare,
) -> DriftReport:
    """The comparison of what was captured with a baseline.

    Args:
        baseline: A file, ``s3://…``, ``job:NAME/CHANNEL``, ``first:N``, ``first:half`` or ``before:1d``.
        now: Epoch seconds.
        since: Only what was captured in this many last seconds; None: all (after the baseline, where that is captured too).
        column: The column of the baseline, or the member of JSON requests, that holds texts.
        form: ``text`` or ``table``; empty: by what the requests are.
        alpha: The chance of any false alarm over all tests and looks.
        looks: How often such a comparison is made and acted on.
        place: Where the capture writes; empty: as the endpoint says.
        comparing: Where it is worked out: here, or `workflows.drift.apart.compare`.

    Raises:
        Problem: Nothing is captured, the baseline cannot be read, or the two have nothing in common.
    """
    if not 0 < alpha < 1:
        raise Problem(
            f"alpha {alpha:g} is no probability.",
            "Give a number between 0 and 1, for example 0.05.",
            "alpha",
        )
    begin = None if since is None else now - since
    part = baselines.split(baseline)
    if part is None:
        before = baselines.read(gateway, baseline, column)
        told = Side(source=baseline, records=len(before))
        window = captured.read(gateway, endpoint, since=begin, variant=variant, place=place)
        predicted = None
    else:
        earlier, window = _parts(gateway, endpoint, part, now, begin, variant, place)
        before, told = earlier.samples(column), _side(earlier, f"captured, {baseline}")
        predicted = _predicted(earlier)
    if not window.records:
        raise Problem(
            f"Nothing that {endpoint} was asked has been captured in this time.",
            f"Files appear below {window.destination} some minutes after the requests.",
            "capture",
        )
    older = len(window.records) - MOST
    window = replace(window, records=window.records[-MOST:])
    report = comparing(
        endpoint,
        before,
        window.samples(column),
        baseline=told,
        window=_side(window, "captured"),
        predicted_before=predicted,
        predicted_now=_predicted(window),
        alpha=alpha,
        looks=looks,
        form=form,
    )
    if older > 0:
        note = f"The newest {MOST:,} requests of this time are compared, {older:,} older ones are left out."
        report = replace(report, notes=(*report.notes, note))
    if window.damaged:
        note = f"{window.damaged} lines of the capture are no captured requests."
        report = replace(report, notes=(*report.notes, note))
    return report


def _parts(
    gateway: Gateway,
    endpoint: str,
    part: baselines.Split,
    now: float,
    begin: float | None,
    variant: str,
    place: str,
) -> tuple[Captured, Captured]:
    everything = captured.read(gateway, endpoint, variant=variant, place=place)
    records = everything.records
    if part.before is not None:
        border = now - part.before
        cut = sum(1 for record in records if record.time < border)
    else:
        cut = len(records) // 2 if part.first == 0 else min(part.first or 0, len(records))
    later = records[cut:]
    if begin is not None:
        later = tuple(record for record in later if record.time >= begin)
    return (
        replace(everything, records=records[:cut][:MOST], damaged=0),
        replace(everything, records=later),
    )


def _side(found: Captured, source: str) -> Side:
    times = [record.time for record in found.records]
    return Side(
        source=source,
        records=len(times),
        since=times[0] if times else None,
        until=times[-1] if times else None,
    )


def _predicted(found: Captured) -> Samples | None:
    """The predictions that were captured; None where outputs are not."""
    predictions = found.predictions()
    return predictions if len(predictions) else None
