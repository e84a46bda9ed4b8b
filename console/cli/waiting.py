"""Waiting at a terminal: what is waited for goes on when Ctrl-C ends the waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.interfaces.waiting import Waiter
    from workflows.platform import Platform


def waiter(platform: Platform) -> Waiter:
    """A waiter at the target's pace that finds the engine again after a restart."""
    from workflows.interfaces.waiting import Waiter, pace_of

    return Waiter(pace_of(platform.target), threading.Event(), platform.revive)


def money(dollars: float | None) -> str:
    """An estimate: ``about $0.012``; a dash where no price is known."""
    if dollars is None:
        return "–"
    return f"${dollars:.4f}" if dollars < 0.01 else f"${dollars:,.2f}"
