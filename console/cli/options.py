"""Options that many commands share, and the configuration they add up to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.cli import patience
from console.cli.looking import refuse_change

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.interfaces.base import Interface
    from workflows.platform import Platform

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS = "mlconsole.flags"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the common options of a command line add up to; flags after the command win over those before it."""

    flags: dict[str, Any]

    @classmethod
    def of(cls, ctx: click.Context) -> Settings:
        """The settings of a running command."""
        return cls(dict(ctx.meta.get(_FLAGS, {})))

    @property
    def configuration(self) -> Configuration:
        """Flags over environment over TOML over defaults.

        Raises:
            ConfigurationError: A value cannot be used.
        """
        from workflows.configuration import load

        return load(self.flags)

    def platform(self) -> Platform:
        """The target, opened; the embedded SageMaker is started when it does not run.

        Raises:
            WorkflowError: It cannot be opened.
        """
        from workflows.platform import open_platform

        configuration = self.configuration
        patience.begin()
        if configuration.target == "aws":
            self.ask_for_codes()
        return open_platform(configuration, observing=True, prompt=True)

    @staticmethod
    def ask_for_codes() -> None:
        """A command on a terminal may ask for the code of an MFA device."""
        if sys.stdin.isatty() and sys.stderr.isatty():
            import getpass

            from workflows import mfa

            mfa.ask_with(getpass.getpass)

    @contextlib.contextmanager
    def acting(self) -> Iterator[tuple[Platform, Interface]]:
        """The target and the interface that acts on it, for as long as a ``with`` block lasts.

        Raises:
            WorkflowError: It cannot be opened.
            Problem: A call in the block failed.
        """
        from workflows import interfaces
        from workflows.explain import explain
        from workflows.platform import open_platform

        configuration = self.configuration
        patience.begin()
        if configuration.target == "aws":
            self.ask_for_codes()
        platform = open_platform(configuration, prompt=True)
        with platform.applied():
            try:
                yield platform, interfaces.make(str(configuration.interface), platform)
            except Exception as error:
                of_aws = type(error).__module__.partition(".")[0] in ("botocore", "boto3", "s3transfer")
                if not (of_aws or hasattr(error, "response")):
                    raise
                raise explain(error, platform.target) from error


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name:
        ctx.meta.setdefault(_FLAGS, {})[parameter.name] = value


def _shared(*names: str, **attributes: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_remember, **attributes)


def _complete_with(what: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completes one of the ``profiles`` or ``regions`` of `workflows.accounts`."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from workflows import accounts

        with contextlib.suppress(Exception):  # a file of AWS's that cannot be read is told when it is used
            return [name for name in getattr(accounts, what)() if name.startswith(incomplete)]
        return []

    return complete


def platform_options(command: F) -> F:
    """``--target``, ``--profile``, ``--region``, ``--role``: where SageMaker is."""
    for option in (
        _shared("--role", metavar="ARN", help="Execution role of jobs and models, on AWS."),
        _shared("--region", metavar="NAME", help="AWS region.", shell_complete=_complete_with("regions")),
        _shared("--profile", metavar="NAME", help="AWS profile.", shell_complete=_complete_with("profiles")),
        _shared(
            "--target", type=click.Choice(["embedded", "aws"]), help="The SageMaker of this machine, or AWS."
        ),
    ):
        command = option(command)
    return command


def json_option(command: F) -> F:
    """``--json`` as the parameter ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def yes_option(command: F) -> F:
    """``--yes`` as the parameter ``yes``."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(command)


def interface_option(command: F) -> F:
    """``--interface``: what makes the calls."""
    return _shared(
        "--interface",
        type=click.Choice(["low", "high"]),
        help="boto3 calls (low) or SageMaker SDK v3 (high).",
    )(command)


def listing_options(
    things: str,
    statuses: Sequence[str] = (),
    sorts: Sequence[str] = ("created", "name", "status"),
    *,
    limit: int | None = 20,
    since: bool = True,
) -> Callable[[F], F]:
    """What every list is narrowed and sorted by: ``status``, ``part``, ``since``, ``sort`` (at first the first of ``sorts``), ``reverse`` and
    ``limit``. Without statuses, since or a limit their options are not there."""  # fmt: skip
    made = []
    if statuses:
        made.append(
            click.option(
                "--status",
                type=click.Choice(statuses, case_sensitive=False),
                help=f"Only {things} with this status.",
            )
        )
    made.append(
        click.option(
            "--name", "part", default="", metavar="TEXT", help=f"Only {things} whose name contains this."
        )
    )
    if since:
        made.append(
            click.option(
                "--since", metavar="AGE", help=f"Only {things} created within this time: 90m, 12h, 7d."
            )
        )
    made += [
        click.option("--sort", type=click.Choice(sorts), default=sorts[0], show_default=True, help="Order."),
        click.option("--reverse", is_flag=True, help="The other way round."),
    ]
    if limit is not None:
        made.append(
            click.option(
                "--limit",
                "-n",
                type=click.IntRange(min=1),
                default=limit,
                show_default=True,
                help="At most so many.",
            )
        )
    return _together(made)


def log_options(until: str) -> Callable[[F], F]:
    """What every log is read by: ``follow``, ``lines``, ``since``, ``only`` and ``timestamps``; ``until`` ends the sentence "Go on until"."""
    return _together(
        [
            click.option("--follow", "-f", is_flag=True, help=f"Go on until {until}."),
            click.option(
                "--lines", "-n", type=click.IntRange(min=1), help="Only so many lines from the end."
            ),
            *_narrowing(),
            click.option("--timestamps", "-t", is_flag=True, help="Begin each line with its time."),
        ]
    )


def narrowing_options(command: F) -> F:
    """``--since`` and ``--only`` of a log, as ``since`` and ``only``."""
    for option in reversed(_narrowing()):
        command = option(command)
    return command


def _narrowing() -> list[Callable[[Any], Any]]:
    return [
        click.option("--since", metavar="AGE", help="Only lines of this time: 90s, 15m, 2h."),
        click.option(
            "--only",
            default="",
            metavar="FILTER",
            help="Only lines that match: words, regex.*, !not, stream:NAME.",
        ),
    ]


def _together(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


ALIASES = {"list": "ls", "ls": "list", "delete": "rm", "rm": "delete"}


class Nouns(click.Group):
    """A group of commands for one noun: whoever types ``list`` for ``ls``, or ``rm`` for ``delete``, is understood."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        return found or super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            refuse_change(ctx, command, rest)
        return name, command, rest
