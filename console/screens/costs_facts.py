"""What bills and what is left over, as lines of text: pure functions."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from console import money
from console.formatting import ago, clock, count, crop_middle, size, span, status
from console.screens import facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.widgets.drawing import Lines, Run
    from workflows.costs.overview import Billed, CostView
    from workflows.lifetime import Lifetime
    from workflows.sweep.leftovers import Leftover, Outcome, SweepPlan

MARKS = {
    "expired": ("✗ expired", "bad"),
    "idle": ("◌ idle", "wait"),
    "failed": ("✗ Failed", "bad"),
}
ROLES = {"deleted": "ok", "failed": "bad", "kept": "wait", "was not there": "dim"}


def totals(view: CostView | None, target: str, listed: int | None = None) -> list[list[Run]]:
    """Two lines above the list: what it all costs, and what the amounts rest on. ``listed`` is how many the filter shows; None: all."""
    if view is None:
        return [[("Looking up what bills …", "dim")], []]
    total = view.hourly
    if not view.rows:
        return [[("Nothing bills: no endpoint, no running job.", "ok")], []]
    first: list[Run] = [
        (money.approximate(money.amount(total.dollars), not view.unsourced), "strong"),
        (" an hour   ", "dim"),
        (money.approximate(money.amount(total.month), not view.unsourced), "strong"),
        (" a month   ", "dim"),
        (money.approximate(money.amount(view.so_far), not view.unsourced), "strong"),
        (" so far", "dim"),
    ]
    if total.unknown:
        first.append((f"   + {', '.join(total.unknown)}: no price", "wait"))
    narrowed = _narrowed(listed, len(view.rows))
    free = "on AWS " if narrowed else "free here; on AWS "  # the date of the prices must find room
    where = free if target == "embedded" else "estimate: "
    basis = f"{where}{view.region} prices of {view.as_of}"
    sizes = ", today's sizes"
    return [
        first,
        [
            *narrowed,
            (basis, "dim"),
            (sizes, "dim"),
            ("  ~ a price without a source" if view.unsourced else "", "dim"),
        ],
    ]


def _narrowed(listed: int | None, total: int) -> list[Run]:
    """What has to be said where the filter hides some of what the totals are of."""
    if listed is None:
        return []
    return [(f"{listed} of {count(total, 'thing')}", "wait"), (", totals of all", "wait"), (" · ", "dim")]


def state(row: Billed, now: float) -> tuple[str, str]:
    """One word about it with its role: why it should be looked at, else its status."""
    marks = row.marks(now)
    if marks:
        return MARKS[marks[0]]
    shown = status(row.bill.status)
    return str(shown), shown.role


def ending(row: Billed, now: float) -> tuple[str, str]:
    """When it expires."""
    if row.lifetime.keep:
        return "kept", "ok"
    if row.lifetime.expires is None:
        return ("–", "dim") if row.bill.kind == "endpoint" else ("", "")
    left = row.lifetime.expires - now
    return ("over", "bad") if left <= 0 else (f"in {span(left)}", "wait" if left < 3600 else "")


def bill_facts(row: Billed, view: CostView, now: float, width: int) -> Lines:
    """All about one line of the bill."""
    bill = row.bill
    shown = status(bill.status)
    lines: Lines = [
        [(bill.name, "strong")],
        [
            (str(shown), shown.role),
            (f" · {bill.kind} · since {clock(bill.since, day=True)} · {ago(bill.since, now)}", "dim"),
        ],
        [],
        facts.head("Costs", f"estimate, {view.region} prices of {view.as_of}"),
    ]
    for part in bill.parts:
        what = {"new": "New fleet", "shadow": "Shadow"}.get(part.role, "By the hour")
        price = money.approximate(str(part.hourly), part.sourced) if part.hourly else "nothing"
        lines += facts.fact(what, f"{part.what}  {price}", width)
    if bill.both_fleets:
        lines += facts.sentences(
            ["Two fleets stand side by side until the update is done; both are billed."], width, "wait"
        )
    if bill.hourly:
        lines += facts.fact("By the month", money.monthly(bill), width, "strong")
        lines += facts.fact("So far", money.so_far(bill, now), width)
    for text in bill.by_use:
        lines += facts.fact("By use", text, width)
    if bill.hourly.unknown:
        lines += facts.fact("No price", ", ".join(bill.hourly.unknown), width, "wait")
    if row.activity is not None:
        role = "wait" if row.activity.verdict == "idle" else ""
        lines += [[], facts.head("Calls", f"last {span(row.activity.window)}")]
        lines += facts.sentences([_capital(row.activity.reason) + "."], width, role)
        if row.activity.last is not None:
            lines += facts.fact("Last call", f"about {ago(row.activity.last, now)}", width)
    if bill.kind == "endpoint":
        lines += [[], facts.head("Lifetime")]
        lines += facts.sentences([_lifetime(row, now)], width)
        lines += facts.fact("Made by", row.owner or "not by mlconsole", width)
    return lines


def _lifetime(row: Billed, now: float) -> str:
    told = row.lifetime
    if told.problem:
        return _capital(told.problem) + "."
    if told.keep:
        return "It is kept: no sweep deletes it."
    if told.expires is None:
        return "It has no lifetime: it bills until somebody deletes it. t gives it one."
    if told.expired(now):
        return f"It expired {ago(told.expires, now)}. Nothing deletes it by itself: see what is left over."
    return (
        f"It expires {clock(told.expires, day=True)}, in {span(told.expires - now)}; then a sweep offers it."
    )


def lifetime_told(told: Lifetime, names: Sequence[str], now: float) -> str:
    """How long endpoints live from now on, in a sentence."""
    one = len(names) == 1
    subject = names[0] if one else f"{len(names)} endpoints"
    if told.keep:
        return f"{subject} {'is' if one else 'are'} kept: no sweep deletes {'it' if one else 'them'}."
    if told.expires is None:
        return f"{subject} {'lives' if one else 'live'} until somebody deletes {'it' if one else 'them'}."
    left = span(told.expires - now)
    return f"{subject} {'expires' if one else 'expire'} in {left}; then a sweep offers {'it' if one else 'them'}."


def leftover_size(item: Leftover) -> str:
    """How much there is of it."""
    if item.objects is not None:
        return f"{size(item.octets)}"
    return size(item.octets) if item.octets is not None else ""


def leftover_facts(item: Leftover, now: float, width: int) -> Lines:
    """All about one leftover."""
    lines: Lines = [
        *[[(piece, "strong")] for piece in textwrap.wrap(item.name, width, break_on_hyphens=False)],
        [(item.kind, "dim"), (f" · created {ago(item.created, now)}" if item.created else "", "dim")],
        [],
        facts.head("Why"),
        *facts.sentences([_capital(item.reason) + "."], width),
    ]
    if item.protected:
        lines += [[], facts.head("Why it stays"), *facts.sentences([_capital(item.protected) + "."], width, "wait")]  # fmt: skip
    lines += [[], facts.head("About")]
    if item.hourly:
        lines += facts.fact(
            "On AWS", f"{item.hourly}, {money.amount(item.hourly.month)} a month", width, "strong"
        )
    if item.objects is not None:
        lines += facts.fact("Size", f"{count(item.objects, 'object')}, {size(item.octets)}", width)
    elif item.octets is not None:
        lines += facts.fact("Size", size(item.octets), width)
    lines += facts.fact("Made by", item.owner or "not by mlconsole", width)
    if item.attached:
        lines += [[], facts.head("Goes with it", "nothing else uses them")]
        lines += [[(f"{kind} {name}", "")] for kind, name in item.attached]
    return lines


def leftover_brief(item: Leftover, now: float, width: int) -> Lines:
    """What is most important of a leftover, for a few lines below the list: its name, why it is there, why it stays."""
    made = f" · created {ago(item.created, now)}" if item.created else ""
    goes = f" · with {count(len(item.attached), 'thing')} that nothing else uses" if item.attached else ""
    return [
        [(crop_middle(item.name, width), "strong")],
        *facts.sentences([_capital(item.reason) + "."], width),
        *(facts.sentences([f"It stays: {item.protected}."], width, "wait") if item.protected else []),
        [(f"{item.kind}{made} · made by {item.owner or 'somebody else'}{goes}", "dim")],
    ]


def bill_brief(row: Billed, now: float, width: int) -> Lines:
    """What is most important of what bills, for a few lines below the list: its name, its calls, its lifetime."""
    bill = row.bill
    shown = status(bill.status)
    calls = f"{_capital(row.activity.reason)}. " if row.activity is not None else ""
    lived = _lifetime(row, now) if bill.kind == "endpoint" else ""
    about = " · ".join(filter(None, (bill.kind, bill.instances)))
    return [
        [(crop_middle(bill.name, width), "strong")],
        [(str(shown), shown.role), (f" · {about} · up {span(now - bill.since)}", "dim")],
        *facts.sentences([f"{calls}{lived}".strip()] if calls or lived else [], width),
    ]


def plan_totals(
    plan: SweepPlan | None,
    chosen: int,
    saved: float,
    owners: bool,
    listed: int | None = None,
    hidden: int = 0,
) -> list[list[Run]]:
    """Two lines above the leftovers. ``listed`` is how many the filter shows (None: all), ``hidden`` how many of the chosen ones it does not."""
    if plan is None:
        return [[("Looking for what is left over …", "dim")], []]
    if not plan.items:
        return [[("Nothing is left over.", "ok")], []]
    free = len(plan.free)
    first: list[Run] = [
        (f"{chosen} of {free}", "strong"),
        (" that may go are chosen", "dim"),
        (f"   {money.amount(saved)} a month" if saved else "", "strong"),
        (" on AWS" if saved else "", "dim"),
        (f"   {hidden} not listed" if hidden else "", "wait"),
    ]
    who = "everybody's" if owners else "mlconsole's own only: o offers the others too"
    kept = len(plan.items) - free
    stays = "1 stays" if kept == 1 else f"{kept} stay"
    return [
        first,
        [
            *_narrowed(listed, len(plan.items)),
            (f"{stays}, each with its reason", "dim"),
            (f" · {who}", "dim"),
        ],
    ]


def deletion_sentences(chosen: Sequence[Leftover], plan: SweepPlan) -> list[str]:
    """What a confirmation says below the list of what goes."""
    saved = sum(item.hourly.month for item in chosen)
    told = [f"On AWS that saves {money.amount(saved)} a month ({plan.region} prices of {plan.as_of})."] if saved else []  # fmt: skip
    return [*told, "Each is looked at once more before it goes."]


def outcome_line(one: Outcome) -> str:
    """What became of one of them."""
    detail = f" ({one.detail})" if one.detail and one.state != "deleted" else ""
    return f"{one.state}: {one.kind} {one.name}{detail}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
