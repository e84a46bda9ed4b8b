"""``mlconsole describe``, ``related`` and ``code``: any resource, as the console's J, R and Y show it."""

from __future__ import annotations

import click

from console.cli.completing import names_of_kind
from console.cli.options import Settings, json_option, platform_options

KINDS = ("job", "tuning-job", "transform", "model", "endpoint-config", "endpoint", "alarm")
FORMS = {"cli": "AWS CLI", "boto3": "boto3", "sdk": "SageMaker SDK"}

_kind = click.argument("kind", type=click.Choice(KINDS))
_name = click.argument("name", shell_complete=names_of_kind)


@click.command()
@_kind
@_name
@click.option("--yaml", "as_yaml", is_flag=True, help="Print YAML instead of JSON.")
@json_option
@platform_options
@click.pass_context
def describe(ctx: click.Context, kind: str, name: str, as_yaml: bool, as_json: bool) -> None:
    """A resource as AWS describes it, as JSON."""
    from console import document
    from console.cli.output import escaped, print_json
    from workflows.inspecting import documents

    found = documents.describe(Settings.of(ctx).platform(), kind, name)
    if as_json:
        print_json(found)
    else:
        click.echo(document.as_yaml(found) if as_yaml else escaped(document.as_json(found)))


@click.command()
@_kind
@_name
@json_option
@platform_options
@click.pass_context
def related(ctx: click.Context, kind: str, name: str, as_json: bool) -> None:
    """What belongs together with a resource: job, model, configuration, endpoint, alarms, S3."""
    from console.cli.output import print_json, print_table
    from workflows.inspecting import documents, relations

    platform = Settings.of(ctx).platform()
    document = documents.describe(platform, kind, name)
    users, complete = relations.using(platform, kind, name, document)
    found = list(dict.fromkeys([*relations.named(kind, document), *users]))
    if as_json:
        print_json({"related": found, "complete": complete})
        return
    print_table(
        ["KIND", "NAME", "WHY"],
        [[one.kind, one.name, one.why] for one in found],
        empty="Nothing belongs together with it.",
    )
    if not complete:
        click.echo("Only the newest resources were looked at: more may use it.", err=True)


@click.command()
@_kind
@_name
@click.option("--form", type=click.Choice(list(FORMS)), help="Only the AWS CLI, boto3 or the SageMaker SDK.")
@json_option
@platform_options
@click.pass_context
def code(ctx: click.Context, kind: str, name: str, form: str | None, as_json: bool) -> None:
    """The AWS CLI command, boto3 and SDK code that ask for a resource, and that would make one like it."""
    from console.cli.output import print_json
    from workflows.inspecting import code as codes
    from workflows.inspecting import documents

    settings = Settings.of(ctx)
    platform = settings.platform()
    where = codes.Where(platform.region, settings.configuration.profile, platform.endpoint_url)
    found = [
        one
        for one in codes.snippets(kind, name, documents.describe(platform, kind, name), where)
        if form is None or one.title.startswith(FORMS[form])
    ]
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(f"# {one.title}\n{one.text.rstrip()}\n")
