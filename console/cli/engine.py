"""``mlconsole engine``: the engine's own command line."""

from __future__ import annotations

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    short_help="The embedded SageMaker.",
)
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="start|stop|status|logs|env|reset|serve [OPTIONS]"
)
def engine(arguments: tuple[str, ...]) -> None:
    """The embedded SageMaker of this machine: start, stop, status, logs, env, reset, serve.

    All options are those of the engine: `mlconsole engine start --help`.
    """
    from console.cli.passing import become

    become(arguments)
