"""Amounts of money as a person reads them. All are estimates in US dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.costs.bills import Bill


def amount(dollars: float | None) -> str:
    """``<$0.0001``, ``$0.0042``, ``$0.23``, ``$167.90``, ``$12,345``; a dash for what is not known."""
    if dollars is None:
        return "–"
    if dollars == 0:
        return "$0"
    if 0 < dollars < 0.00005:
        return "<$0.0001"
    if dollars < 0.01:
        return f"${dollars:.4f}"
    return f"${dollars:,.2f}" if dollars < 10_000 else f"${dollars:,.0f}"


def approximate(text: str, sourced: bool) -> str:
    """The text with a tilde where it rests on a price that nobody sources."""
    return text if sourced or text == "–" else f"~{text}"


def hourly(bill: Bill) -> str:
    """``$0.230/h``, ``~$0.736/h``, ``no price``; ``by use`` for what bills nothing by the hour."""
    if not bill.hourly:
        return "by use" if bill.by_use else "–"
    return approximate(str(bill.hourly), bill.sourced)


def monthly(bill: Bill) -> str:
    """What it would cost per month; ``by use`` for what bills nothing by the hour."""
    rate = bill.hourly
    if not rate:
        return "by use" if bill.by_use else "–"
    if not rate.dollars:
        return "no price"
    return approximate(amount(rate.month) + (" + ?" if rate.unknown else ""), bill.sourced)


def so_far(bill: Bill, now: float) -> str:
    """What it has cost since its creation, at today's size."""
    return approximate(amount(bill.so_far(now)), bill.sourced) if bill.parts else "–"
