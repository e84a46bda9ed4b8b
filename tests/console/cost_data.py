"""A small account's bills, leftovers and drift, as the console gets them."""

from __future__ import annotations

from workflows.costs.activity import Activity
from workflows.costs.bills import Bill, Part
from workflows.costs.estimates import Hourly
from workflows.costs.overview import Billed, CostView
from workflows.drift.report import Change, DriftReport, Family, Side
from workflows.lifetime import Lifetime
from workflows.sweep.leftovers import (
    CONFIG,
    ENDPOINT,
    MODEL,
    OBJECTS,
    Leftover,
    Outcome,
    SweepPlan,
    SweepReport,
)

# fmt: off
DAY = 86_400.0


def part(kind: str, usd: float, count: int = 1, **more: object) -> Part:
    return Part(what=f"{count} × {kind}", instance_type=kind, count=count, hourly=Hourly(usd * count), **more)  # type: ignore[arg-type]


def activity(verdict: str, reason: str, last: float | None = None) -> Activity:
    return Activity(verdict=verdict, reason=reason, window=DAY, calls=3 if last else 0, last=last)  # type: ignore[arg-type]


def costs(now: float) -> CostView:
    """One endpoint in an update, one idle, one expired, one serverless, one failed, a running job."""
    idle = "no variant was called for 1 d, and it bills by the hour"
    rows = (
        Billed(
            bill=Bill(
                kind="endpoint", name="sentiment-live", status="Updating", since=now - 12 * DAY,
                parts=(
                    part("ml.m5.xlarge", 0.23, 2),
                    part("ml.m5.2xlarge", 0.461, 1, role="new"),
                ),
            ),
            activity=activity("used", "called within 1 d", now - 40),
            lifetime=Lifetime(keep=True), owner="run moons-20270103-080000-1a2b",
        ),
        Billed(
            bill=Bill(kind="endpoint", name="boston-tutorial-xgboost", status="InService", since=now - 9 * DAY, parts=(part("ml.g4dn.xlarge", 0.736, sourced=False),)),
            activity=activity("idle", idle),
        ),
        Billed(bill=Bill(kind="training job", name="moons-high-20270115-075812-41c2", status="InProgress", since=now - 108, parts=(part("ml.m5.large", 0.115),))),
        Billed(
            bill=Bill(kind="endpoint", name="moons-ab-20270115-074500", status="InService", since=now - 900, parts=(part("ml.m5.large", 0.115),)),
            activity=activity("young", "nobody called it yet; created 15 min ago, and idle means 1 d"),
            lifetime=Lifetime(expires=now + 1500), owner="run moons-20270115-074500-77aa",
        ),
        Billed(
            bill=Bill(kind="endpoint", name="moons-20270101-120000-beef", status="InService", since=now - 3 * DAY, parts=(part("ml.m5.large", 0.115),)),
            activity=activity("idle", idle),
            lifetime=Lifetime(expires=now - 2 * DAY), owner="run moons-20270101-120000-beef",
        ),
        Billed(
            bill=Bill(
                kind="endpoint", name="spiky-serverless", status="InService", since=now - 2 * DAY,
                parts=(Part(what="serverless 2048 MB", by_use="by the second of requests (no price is known here) and $0.016 a GB"),),
            ),
            activity=activity("free", "nobody called it for 1 d; it bills nothing by the hour"),
        ),
        Billed(bill=Bill(kind="endpoint", name="plagiarism-20270110-101010", status="Failed", since=now - 5 * DAY), lifetime=Lifetime()),
    )
    return CostView(rows=rows, at=now, region="us-east-1", as_of="2026-09", unsourced=True)


def plan(now: float, *, all_owners: bool = False) -> SweepPlan:
    """Leftovers of each kind, some of them protected."""
    run = "moons-20270101-120000-beef"
    theirs = "" if all_owners else "not made by mlconsole (no tag mlconsole:…)"
    items = (
        Leftover(kind=ENDPOINT, name=run, reason="its lifetime is over", created=now - 3 * DAY, hourly=Hourly(0.115), owner=f"run {run}", attached=((CONFIG, run), (MODEL, run))),
        Leftover(kind=ENDPOINT, name="plagiarism-20270110-101010", reason="it is Failed and serves nobody", created=now - 5 * DAY, owner="run plagiarism-20270110-101010-0001"),
        Leftover(kind=ENDPOINT, name="boston-tutorial-xgboost", reason="no variant was called for 1 d, and it bills by the hour", created=now - 9 * DAY, hourly=Hourly(0.736), protected=theirs),
        Leftover(kind=CONFIG, name="sentiment-live-before-update", reason="no endpoint uses it", created=now - 12 * DAY, owner="tuning job sentiment"),
        Leftover(kind=MODEL, name="moons-20270114-180210-77b1", reason="no configuration uses it", created=now - DAY, owner="run moons-20270114-180210-77b1"),
        Leftover(kind=MODEL, name="boston-batch", reason="no configuration uses it", created=now - 1200, owner="training job boston", protected="a transform job that runs uses it"),
        Leftover(kind=OBJECTS, name="s3://sagemaker-us-east-1-123456789012/mlconsole/moons-20261201-090000-c0de/", reason="its run is not on this machine", octets=48_300_000, objects=14, owner="run moons-20261201-090000-c0de"),
    )
    return SweepPlan(items=items, at=now, region="us-east-1", as_of="2026-09")


def report(chosen: tuple[Leftover, ...]) -> SweepReport:
    """Everything that was chosen is gone."""
    outcomes = [Outcome(kind=item.kind, name=item.name, state="deleted", detail="DescribeEndpoint does not find it any more") for item in chosen]
    return SweepReport(outcomes=tuple(outcomes), saved=Hourly(0.115))


def drift(now: float, endpoint: str, baseline: str) -> DriftReport:
    """Reviews in which somebody writes banana."""
    def word(name: str, before: float, now_: float, effect: float, p: float, *, significant: bool = False) -> Change:
        return Change(name=name, kind="word", p=p, adjusted=min(1.0, p * 10_129), significant=significant, effect=effect, low=effect / 2.1, high=effect * 2.3, before=before, now=now_)

    words = (
        word("banana", 0.00075, 0.215, 210.4, 3.8e-51, significant=True),
        word("orchestra", 0.0035, 0.025, 7.6, 2.9e-4),
        word("series", 0.04, 0.09, 2.3, 1.4e-3),
        word("christmas", 0.0105, 0.0, 0.24, 0.051),
    )
    length = Change(name="words in a text", kind="number", p=0.41, adjusted=0.82, significant=False, effect=0.031, low=0.02, high=0.11, before=131.2, now=127.9)
    score = Change(name="prediction", kind="number", p=0.0004, adjusted=0.0004, significant=True, effect=0.22, low=0.13, high=0.36, before=0.503, now=0.431)
    return DriftReport(
        endpoint=endpoint, form="text",
        baseline=Side(source=baseline if baseline != "first:half" else "captured, first:half", records=4000, since=now - 9 * DAY, until=now - DAY),
        window=Side(source="captured", records=200, since=now - DAY, until=now - 60),
        alpha=0.05,
        families=(
            Family(name="words", alpha=0.05 / 3, changes=words, tested=10_129, looked=37_949),
            Family(name="texts as a whole", alpha=0.05 / 3, changes=(length,), tested=2, looked=2),
            Family(name="predictions", alpha=0.05 / 3, changes=(score,), tested=1, looked=1),
        ),
        notes=("A word that the baseline does not have shows from 5 of 200 texts on.",),
    )
