"""``mlconsole serve``: the console in a browser on this machine."""

from __future__ import annotations

import asyncio
import os

import click

from console.cli.options import Settings, json_option, platform_options

PORT = 8765


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen; 0: any free port.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="127.0.0.1 or ::1. No other address is served.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="At most so many consoles at a time.",
)
@click.option("--read-only", is_flag=True, help="Consoles that only look.")
@json_option
@platform_options
@click.pass_context
def serve(ctx: click.Context, port: int, host: str, sessions: int, read_only: bool, as_json: bool) -> None:
    """The console in a browser: the same one, each tab a console of its own.

    It prints an address with a token that is made anew at each start: whoever has it acts with your rights. It listens on
    this machine only; from another one go through SSH: ssh -L 8765:127.0.0.1:8765 HOST. Closing a tab ends its console, Ctrl-C
    ends all; runs, jobs and endpoints go on. --json prints the address as one JSON object.
    """  # fmt: skip
    from console.cli.output import print_json
    from console.pseudoterminal import passed_on
    from console.web.server import ConsoleServer, listen

    settings = Settings.of(ctx)
    _ = settings.configuration  # what cannot be used is told here, not in each tab
    server = ConsoleServer(
        passed_on(settings.flags, read_only=read_only or bool(ctx.find_root().params.get("read_only"))),
        listen(host, port),
        most=sessions,
    )

    def ready() -> None:
        if as_json:
            print_json({"url": server.url, "host": server.host, "port": server.port, "pid": os.getpid()})
        else:
            click.echo(f"The console is at\n\n  {server.url}\n")
            if os.environ.get("SSH_CONNECTION"):
                click.echo(
                    f"On your own machine first: ssh -L {server.port}:127.0.0.1:{server.port} THIS-HOST"
                )
            click.echo("Whoever has this address acts with your rights. Ctrl-C ends it and all its consoles.")

    number = asyncio.run(server.run(ready))
    ctx.exit(0 if number == 2 else 128 + number)
