"""``mlconsole doctor``: what works on this machine."""

from __future__ import annotations

import click

from console.cli.options import Settings, json_option, platform_options

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
    from workflows.diagnosis import Finding, diagnose

    findings = []
    settings, wrong = Settings.of(ctx), ""
    try:
        configuration = settings.configuration
    except ConfigurationError as error:  # it is a finding like any other; the rest is looked at as without it
        configuration, wrong = Configuration(), str(error)
    if configuration.target == "aws":
        settings.ask_for_codes()
    for finding in diagnose(configuration):
        if wrong and finding.name == "configuration":
            finding = Finding("configuration", "bad", wrong)
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
