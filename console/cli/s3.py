"""``mlconsole s3``: buckets, folders and objects."""

from __future__ import annotations

import click

from console.cli.options import Nouns, Settings, json_option, platform_options


@click.group(cls=Nouns)
def s3() -> None:
    """S3: list buckets and folders, read the beginning of an object."""


@s3.command("ls")
@click.argument("uri", default="s3://")
@json_option
@platform_options
@click.pass_context
def list_(ctx: click.Context, uri: str, as_json: bool) -> None:
    """List what lies in a folder; without one, the buckets."""
    from console.cli.output import print_json, print_table
    from console.formatting import clock, size
    from workflows.inspecting import bucket

    found = bucket.folder(Settings.of(ctx).platform(), _whole(uri))
    if as_json:
        print_json(found)
        return
    rows = [["", "", place] for place in found.folders]
    rows += [[clock(one.modified, day=True), size(one.size), one.uri] for one in found.objects]
    print_table(["CHANGED", "SIZE", "URI"], rows, empty=f"There is nothing at {found.uri}")
    if not found.complete:
        click.echo("There is more than that.", err=True)


@s3.command()
@click.argument("uri")
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, uri: str, as_json: bool) -> None:
    """The beginning of an object as it can be read: text, JSON, what is in an archive, else bytes."""
    from console.cli.output import print_json
    from console.formatting import printable, size
    from workflows.inspecting import bucket

    found = bucket.preview(Settings.of(ctx).platform(), _whole(uri))
    if as_json:
        print_json(found)
        return
    for line in found.lines:
        click.echo(printable(line))
    if not found.complete:
        click.echo(f"That is the beginning ({found.what}); the object has {size(found.size)}.", err=True)


def _whole(uri: str) -> str:
    return uri if uri.startswith("s3://") else f"s3://{uri}"
