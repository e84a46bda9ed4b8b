"""A web app's folder on this machine: what was asked for, a ledger of what was made, and the page as a file."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from workflows import locations
from workflows.files import write_atomically
from workflows.ledger import Ledger
from workflows.observe.gateway import Gateway
from workflows.problem import Problem
from workflows.webapp.definition import WebApp
from workflows.webapp.package import PAGE

DEFINITION = "webapp.json"


def folder(gateway: Gateway, name: str) -> Path:
    """Where a web app of an account and region is noted."""
    return _place(gateway) / name


def begin(gateway: Gateway, app: WebApp) -> Ledger:
    """Note what is asked for, before anything is; the ledger goes on where an interrupted creation left it."""
    where = folder(gateway, app.name)
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(where / DEFINITION, json.dumps(asdict(app), indent=1))
    return Ledger(where)


def ledger(gateway: Gateway, name: str) -> Ledger | None:
    """The ledger of a web app that was made from this machine."""
    where = folder(gateway, name)
    return Ledger(where) if where.is_dir() else None


def known(gateway: Gateway) -> list[str]:
    """The web apps that were begun from this machine and not deleted."""
    return sorted(path.parent.name for path in _place(gateway).glob(f"*/{DEFINITION}"))


def definition(gateway: Gateway, name: str) -> WebApp | None:
    """What was asked for; None where that is not known on this machine."""
    with contextlib.suppress(OSError, ValueError, TypeError, Problem):
        return WebApp(**json.loads((folder(gateway, name) / DEFINITION).read_text(encoding="utf-8")))
    return None


def page(gateway: Gateway, name: str) -> Path:
    """The page as a file, with the API's URL in it."""
    return folder(gateway, name) / PAGE


def forget(gateway: Gateway, name: str) -> None:
    """Drop the folder of a web app that is gone."""
    shutil.rmtree(folder(gateway, name), ignore_errors=True)


def _place(gateway: Gateway) -> Path:
    return locations.state_dir() / "webapps" / f"{gateway.target}-{gateway.account}-{gateway.region}"
