"""Read-only mode: who may change what. Asked here, below every screen and command, so that no way leads around it."""

from __future__ import annotations

from workflows.problem import Problem

ALL = "all"


def forbids(words: str, target: str, profile: str = "") -> bool:
    """Whether the option ``read_only`` forbids changes at a target.

    Args:
        words: Separated by commas: ``all``, ``embedded``, ``aws``, ``aws:PROFILE``; empty or ``none``: nothing is forbidden.
        target: ``embedded`` or ``aws``; empty for what belongs to no target, such as data sets on this machine.
        profile: The AWS profile, empty for the default one.
    """
    named = {word.strip() for word in words.split(",")}
    return ALL in named or bool(target and not named.isdisjoint({target, f"{target}:{profile or 'default'}"}))


def refusal(what: str, target: str = "") -> Problem:
    """The problem of a change that read-only mode forbids; ``what`` was not done: a phrase that begins a sentence."""
    from workflows import locations

    where = {"embedded": " on the embedded SageMaker", "aws": " on AWS"}.get(target, "")
    return Problem(
        f"{what} was refused: changes{where} are switched off (read-only).",
        f"Leave out --read-only, or change read_only in {locations.config_file()} or MLCONSOLE_READ_ONLY.",
        "read-only",
    )


def check(what: str, target: str = "", profile: str = "") -> None:
    """Let a change of files on this machine pass, or of what they stand for, such as a run.

    The option in force is looked up anew: environment over file, with ``--read-only`` in the environment.

    Raises:
        Problem: Changes are forbidden there.
    """
    from workflows.configuration import load

    if forbids(load().read_only, target, profile):
        raise refusal(what, target)
