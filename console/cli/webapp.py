"""``mlconsole webapp``: a web page in front of a model of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.options import Nouns, Settings, json_option, platform_options, yes_option

if TYPE_CHECKING:
    from workflows.webapp.contract import Check
    from workflows.webapp.operations import Summary

FAILED = 1


@click.group(cls=Nouns)
def webapp() -> None:
    """A web page in front of a model: AWS Lambda and API Gateway, made by one command, tested, and undone with proof."""


@webapp.command()
@click.argument("endpoint")
@click.option("--name", default="", metavar="NAME", help="The web app's name; by default the endpoint's.")
@click.option("--vocabulary", default="", metavar="FILE|URI", help="The words that the model counts; by default where the model's tags lead to.")  # fmt: skip
@click.option("--adopt", is_flag=True, help="Take --vocabulary for that of a model that does not say its own, and write it into the model's tags.")  # fmt: skip
@click.option("--content-type", type=click.Choice(["text/libsvm", "text/csv", "text/plain"]), help="What the endpoint takes; by default what its image does.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=50.0, show_default=True, metavar="N", help="Requests a second that are let through.")  # fmt: skip
@click.option("--test/--no-test", "tested", default=True, show_default=True, help="Test it end to end when it is made.")  # fmt: skip
@yes_option
@json_option
@platform_options
@click.pass_context
def create(
    ctx: click.Context,
    endpoint: str,
    name: str,
    vocabulary: str,
    adopt: bool,
    content_type: str | None,
    rate: float,
    tested: bool,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Create the web app of ENDPOINT: role, function, REST API, stage and page. One that is there, or half there, is brought up to date
    under the address it has.

    The vocabulary is packed with the function. It must be the one that the endpoint's models were trained with: their tag
    `mlconsole:vocabulary` says its version, and the function asks again while it runs.

    Exit status: 0 made and every check held, 1 a check failed.
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.webapp import creation, operations

    with Settings.of(ctx).acting() as (platform, _):
        app, words = operations.draft(
            platform,
            endpoint,
            name=name,
            vocabulary=vocabulary,
            content_type=content_type or "",
            adopt=adopt,
            rate=rate,
        )
        before = creation.plan(platform, app, words, adopt=adopt)
        what = f"{len(words):,} words, vocabulary {words.version}" if words else "the review as it is"
        bill = f"${operations.PER_MILLION:.2f} for a million questions, nothing without any; the endpoint is billed as before."
        confirm(
            [
                f"{'Create' if before.state == 'gone' else 'Update'} web app {app.name} of endpoint {endpoint}: it gets {what}.",
                "Whoever knows the page's address may use it.",
                f"It costs about {bill}" if platform.target == "aws" else f"Free here; on AWS about {bill}",
            ],
            yes=yes,
        )

        def told(sentence: str) -> None:
            if not as_json:
                click.echo(sentence)

        creation.create(platform, app, words, told, adopt=adopt)
        checks = operations.test(platform, app.name) if tested else []
        found = operations.summary(platform, app.name)
    if as_json:
        print_json({**_document(found), "checks": [_check(one) for one in checks]})
    else:
        _checks(checks)
        _address(found)
    return None if all(one.held for one in checks) else FAILED


@webapp.command()
@click.argument("endpoint")
@click.option("--output", "-o", default="webapp.zip", show_default=True, type=click.Path(dir_okay=False), help="The file to write.")  # fmt: skip
@click.option("--vocabulary", default="", metavar="FILE|URI", help="The words that the model counts; by default where the model's tags lead to.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
@platform_options
@click.pass_context
def pack(ctx: click.Context, endpoint: str, output: str, vocabulary: str, force: bool, as_json: bool) -> None:
    """Write the function's package for ENDPOINT into a file, for those who deploy it with other tools; nothing is made."""
    from pathlib import Path

    from console.cli.output import print_json
    from workflows.files import write_atomically
    from workflows.problem import Problem
    from workflows.webapp import operations, package

    app, words = operations.draft(Settings.of(ctx).platform(), endpoint, vocabulary=vocabulary)
    path = Path(output)
    if path.exists() and not force:
        raise Problem(f"{path} exists already.", "Give another file with -o, or --force.", "exists")
    data = package.pack(words)
    write_atomically(path, data)
    if as_json:
        print_json({"file": str(path.absolute()), "bytes": len(data), "variables": app.environment})
        return
    click.echo(
        f"{path}: {len(data):,} bytes. Handler handler.handle, Python 3.12 or newer, and these variables:"
    )
    for name, value in app.environment.items():
        click.echo(f"  {name}={value}")


@webapp.command("ls")
@json_option
@platform_options
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the web apps of the account and region, and what is left of interrupted ones."""
    from console.cli.output import print_json, print_table
    from workflows.webapp.operations import summaries

    found = summaries(Settings.of(ctx).platform())
    if as_json:
        print_json([_document(one) for one in found])
        return
    print_table(
        ["WEB APP", "STATE", "ENDPOINT", "", "VOCABULARY", "ADDRESS"],
        [
            [
                one.name,
                _state(one.state),
                one.endpoint,
                one.endpoint_state,
                one.vocabulary or "–",
                one.url or "–",
            ]
            for one in found
        ],
        empty="There is no web app. `mlconsole webapp create ENDPOINT` makes one before an endpoint, `mlconsole lesson 3 --keep` one from nothing.",
    )


@webapp.command()
@click.argument("name")
@json_option
@platform_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Tell everything of a web app: its parts, its endpoint, its vocabulary, its address."""
    from console.cli.output import heading, print_json, print_pairs, print_table
    from workflows.webapp.operations import summary

    found = summary(Settings.of(ctx).platform(), name)
    if as_json:
        print_json(_document(found))
        return
    print_pairs(
        [
            ("web app", found.name),
            ("state", _state(found.state)),
            ("endpoint", f"{found.endpoint} ({found.endpoint_state})"),
            ("it gets", found.content_type),
            ("vocabulary", found.vocabulary),
            ("page", found.page),
        ]
    )
    heading("Parts")
    print_table(["PART", "NAME"], [[kind, one] for kind, one in found.parts], empty="Nothing of it is there.")
    _address(found)


@webapp.command()
@click.argument("name")
@click.option("--review", default="", metavar="TEXT", help="The review to ask about.")
@json_option
@platform_options
@click.pass_context
def test(ctx: click.Context, name: str, review: str, as_json: bool) -> int | None:
    """Test a web app end to end, as its page uses it: page, CORS, a verdict, the endpoint's own answer, and requests that are wrong.

    Exit status: 0 every check held, 1 one failed.
    """
    from console.cli.output import print_json
    from workflows.webapp import contract, operations

    checks = operations.test(Settings.of(ctx).platform(), name, review or contract.REVIEW)
    if as_json:
        print_json([_check(one) for one in checks])
    else:
        _checks(checks)
    return None if all(one.held for one in checks) else FAILED


@webapp.command("open")
@click.argument("name")
@click.option("--file", "as_file", is_flag=True, help="The page as a file instead of where it is served.")
@click.option("--browser", is_flag=True, help="Open it in this machine's browser.")
@json_option
@platform_options
@click.pass_context
def open_(ctx: click.Context, name: str, as_file: bool, browser: bool, as_json: bool) -> None:
    """Print the address of a web app's page, and how to get there from another machine."""
    import webbrowser
    from pathlib import Path

    from console.cli.output import print_json
    from workflows.problem import Problem
    from workflows.webapp.operations import summary, tunnel

    found = summary(Settings.of(ctx).platform(), name)
    address = (Path(found.page).as_uri() if found.page else "") if as_file else found.url
    if not address:
        raise Problem(
            f"Web app {name} has no page{' on this machine' if as_file else ''}: it is {found.state}.",
            f"Create it again: mlconsole webapp create {found.endpoint} --name {name}",
            "incomplete",
        )
    if as_json:
        print_json({"address": address, "tunnel": tunnel(found.url)})
    else:
        click.echo(address)
        if way := tunnel(found.url):
            click.echo(f"From another machine: {way}", err=True)
    if browser and not webbrowser.open(address):
        raise Problem(
            "This machine has no browser that can be opened.", "Open the address by hand.", "browser"
        )


@webapp.command("delete")
@click.argument("name")
@yes_option
@json_option
@platform_options
@click.pass_context
def delete(ctx: click.Context, name: str, yes: bool, as_json: bool) -> int | None:
    """Delete a web app: API, function, role, log and page; look again whether they are gone. The endpoint stays.

    Exit status: 0 nothing is left, 1 something is.
    """
    from console.cli.asking import confirm
    from console.cli.output import print_json, print_table
    from workflows.webapp import operations, removal

    with Settings.of(ctx).acting() as (platform, _):
        found = operations.summary(platform, name)
        confirm(
            [
                f"Delete web app {name}: {', '.join(f'{kind} {one}' for kind, one in found.parts) or 'nothing is left of it'}.",
                f"Its address stops working for everybody. Endpoint {found.endpoint} stays, and is billed.",
            ],
            yes=yes,
        )
        rows = removal.remove(platform, name)
    left = [row for row in rows if row.state == "still there"]
    if as_json:
        print_json(rows)
    else:
        print_table(["PART", "NAME", "STATE"], [[row.what, row.name, row.state] for row in rows])
        if not left:
            click.echo(
                f"Nothing of web app {name} is left. Endpoint {found.endpoint} is {found.endpoint_state}."
            )
    return FAILED if left else None


def _state(word: str) -> str:
    from console.cli.output import styled

    return styled(word, {"ready": "ok", "incomplete": "wait"}.get(word, "bad"))


def _address(found: Summary) -> None:
    from workflows.webapp.operations import tunnel

    if not found.url:
        return
    click.echo(f"\nThe page: {found.url}")
    if way := tunnel(found.url):
        click.echo(f"From another machine: {way}")


def _checks(checks: list[Check]) -> None:
    from console.cli.output import print_table, styled

    print_table(
        ["", "CHECK", "SEEN"],
        [[styled("✓", "ok") if one.held else styled("✗", "bad"), one.name, one.seen] for one in checks],
    )


def _check(one: Check) -> dict[str, object]:
    return {
        "check": one.name,
        "held": one.held,
        "seen": one.seen,
        "status": one.reply.status if one.reply else None,
    }


def _document(found: Summary) -> dict[str, object]:
    return {
        "name": found.name,
        "state": found.state,
        "endpoint": found.endpoint,
        "endpoint_state": found.endpoint_state,
        "content_type": found.content_type,
        "vocabulary": found.vocabulary or None,
        "url": found.url or None,
        "page": found.page or None,
        "parts": [{"kind": kind, "name": one} for kind, one in found.parts],
    }
