"""``mlconsole completion``: the script that a shell sources."""

from __future__ import annotations

import click

ZSH_BEGINNING = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"
"""A zsh whose completion was not begun knows no ``compdef``."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell. Commands, options, and names: jobs, endpoints, tuning and transform jobs, runs, A/B tests,
    rollouts, data sets, profiles, regions. Resources are those that the console or a list saw last, so that nothing is asked of AWS.

    \b
    bash: eval "$(mlconsole completion bash)"      in ~/.bashrc
    zsh:  eval "$(mlconsole completion zsh)"       in ~/.zshrc
    fish: mlconsole completion fish > ~/.config/fish/completions/mlconsole.fish
    """
    from click.shell_completion import get_completion_class

    from console.cli.root import cli

    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, "mlconsole", "_MLCONSOLE_COMPLETE").source()
    click.echo(f"{ZSH_BEGINNING}\n{script}" if shell == "zsh" else script)
