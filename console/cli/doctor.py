"""``mlconsole doctor``: what works on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.options import Settings, json_option, platform_options

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.diagnosis import Finding

MARKS = {"ok": ("✓", "ok"), "note": ("·", "idle"), "warning": ("!", "wait"), "bad": ("✗", "bad")}


@click.command()
@json_option
@platform_options
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Tell what works on this machine and what to do about the rest.

    Exit status: 0 when nothing is broken, else 1.
    """
    from console.cli.output import print_json, styled
    from workflows.configuration import Configuration, ConfigurationError
    from workflows.diagnosis import Finding

    findings = []
    settings, wrong = Settings.of(ctx), ""
    try:
        configuration = settings.configuration
    except ConfigurationError as error:  # it is a finding like any other; the rest is looked at as without it
        configuration, wrong = Configuration(), str(error)
    if configuration.target == "aws":
        settings.ask_for_codes()
    for finding in _everything(configuration):
        if wrong and finding.name == "configuration":
            remedy = "Until then commands refuse to work; the rest of this is looked at as without it."
            finding = Finding("configuration", "bad", wrong, remedy)
        findings.append(finding)
        if as_json:
            continue
        mark, role = MARKS[finding.state]
        click.echo(f"{styled(mark, role)} {finding.name:<13}  {finding.text}")
        if finding.remedy:
            click.echo(f"{'':17}{finding.remedy}")
    broken = any(finding.state == "bad" for finding in findings)
    if as_json:
        print_json({"ok": not broken, "findings": findings})
    ctx.exit(1 if broken else 0)


def _everything(configuration: Configuration) -> Iterator[Finding]:
    """What is looked at, a person's own files behind the configuration."""
    from console import ownfiles
    from workflows.diagnosis import diagnose

    for finding in diagnose(configuration):
        yield finding
        if finding.name == "configuration":
            yield from ownfiles.findings()
