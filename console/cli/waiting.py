"""Waiting at a terminal: what is waited for goes on when Ctrl-C ends the waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workflows.interfaces.base import Interface
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


def endpoint_settled(platform: Platform, interface: Interface, name: str) -> tuple[str, str]:
    """Wait until an endpoint is not being created any more: its status, and why it failed.

    Raises:
        Cancelled: Waiting was called off; the endpoint goes on being created.
        WorkflowError: It takes longer than an hour.
    """
    found = ["Creating", ""]

    def settled() -> tuple[bool, object]:
        state = interface.describe_endpoint(name)
        if state is not None:
            found[:] = [state.status, state.failure]
        return found[0] != "Creating", found[0]

    waiter(platform).until(settled, f"Endpoint {name}", 3600)
    return found[0], found[1]


def tell_endpoint(name: str, status: str, failure: str) -> int | None:
    """Say how a new endpoint is, and return the exit status."""
    if failure:
        click.echo(f"Endpoint {name} is {status}: {failure}", err=True)
    else:
        click.echo(f"Endpoint {name} is {status}. `mlconsole endpoints invoke {name}` asks it.")
    return 1 if status == "Failed" else None
