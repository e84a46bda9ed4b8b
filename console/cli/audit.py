"""``mlconsole audit``: what was changed from here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.cli.options import json_option

if TYPE_CHECKING:
    from workflows.safety.auditlog import Entry

EVERY = 0.5
"""Seconds between two looks at the file while following."""


@click.command()
@click.option("--since", metavar="AGE", help="Only of this time: 90m, 12h, 7d.")
@click.option(
    "--about", default="", metavar="TEXT", help="Only what has this in its resource, operation or origin."
)
@click.option("--target", type=click.Choice(["embedded", "aws"]), help="Only what was done there.")
@click.option("--failed", is_flag=True, help="Only what was refused or failed.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@json_option
def audit(
    since: str | None, about: str, target: str | None, failed: bool, limit: int, follow: bool, as_json: bool
) -> None:
    """What was changed from here, oldest first: by whom, when, where, what, and what came of it.

    Every change that the console, a command or a run asks AWS or the embedded SageMaker for is in it, and every change of what is
    kept on this machine. --json prints one entry a line.
    """  # fmt: skip
    from console.cli.output import tell_more
    from console.cli.values import parse_age
    from workflows.safety import auditlog

    after = time.time() - parse_age(since) if since else 0.0

    def wanted(entry: Entry) -> bool:
        text = f"{entry.resource}\0{entry.operation}\0{entry.by}".lower()
        return (
            entry.time >= after
            and about.lower() in text
            and (not target or entry.target == target)
            and (entry.failed or not failed)
        )

    found = [entry for entry in auditlog.entries() if wanted(entry)]
    shown: dict[str, str] = {}
    _print(found[-limit:], shown, as_json)
    if not found and not follow:
        what = "Nothing of that kind" if since or about or target or failed else "Nothing"
        click.echo(f"{what} was changed from here. The log is {auditlog.path()}", err=True)
    tell_more(len(found) > limit and not follow)
    while follow:
        time.sleep(EVERY)
        begun = {entry.id for entry in found}
        news = [e for e in auditlog.entries() if wanted(e) and (e.id in shown or e.id not in begun)]
        _print(news, shown, as_json)


def _print(entries: list[Entry], shown: dict[str, str], as_json: bool) -> None:
    """Those that are new or have a result since."""
    import json
    from dataclasses import asdict

    from console.cli.output import escaped, harmless, styled
    from console.formatting import clock

    for entry in entries:
        if shown.get(entry.id) == entry.result:
            continue
        shown[entry.id] = entry.result
        if as_json:
            click.echo(escaped(json.dumps(asdict(entry), ensure_ascii=False)))
            continue
        role = "ok" if entry.result == "ok" else "wait" if entry.result == "unknown" else "bad"
        where = entry.target + (f":{entry.profile}" if entry.profile else "")
        what = f"{entry.service}:{entry.operation} {entry.resource}".rstrip()
        parts = [
            clock(entry.time, day=True),
            entry.user,
            f"({entry.by})",
            where or "here",
            what,
            styled(entry.result, role),
        ]
        click.echo(harmless("  ".join(parts)))
