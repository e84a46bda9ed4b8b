"""The settings of a run: what differs from the defaults, and the command that starts it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from workflows.failures import WorkflowError
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, find


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter as the run had it. ``changed``: it is not the default; ``preset`` the preset's value where that says so."""

    name: str
    value: str
    default: str
    changed: bool
    help: str


def info_of(run: Run) -> StudyInfo | None:
    """The study of a run; None when this version has none of that name."""
    try:
        return find(run.study)
    except WorkflowError:
        return None


def settings(run: Run) -> list[Setting]:
    """All parameters, in the study's order; those that the study does not know any more at the end."""
    info = info_of(run)
    declared = {item.name: item for item in info.parameters} if info else {}
    found = []
    for name in [
        *(name for name in declared if name in run.parameters),
        *run.parameters.keys() - declared.keys(),
    ]:
        known = declared.get(name)
        value = run.parameters[name]
        found.append(
            Setting(
                name=name,
                value=_text(value) + (f" {known.unit}" if known and known.unit else ""),
                default=_text(known.default) if known else "",
                changed=known is None or value != known.default,
                help=known.help if known else "This version does not know it.",
            )
        )
    return found


def command(run: Run) -> str:
    """``mlconsole run …`` with everything that is not a default."""
    info = info_of(run)
    preset = info.presets.get(run.preset, {}) if info else {}
    defaults: dict[str, Any] = {item.name: item.default for item in info.parameters} if info else {}
    words = ["mlconsole", "run", run.study, "--interface", run.interface, "--target", run.target]
    for flag in ("profile", "region"):
        if run.target == "aws" and (value := run.configuration.get(flag)):
            words += [f"--{flag}", str(value)]
    if run.preset == "as-in-notebook":
        words.append("--as-in-notebook")
    for name, value in run.parameters.items():
        if value != {**defaults, **preset}.get(name):
            words += ["--set", f"{name}={_text(value)}"]
    if run.keep:
        words.append("--keep")
        if run.ttl:
            words += ["--ttl", f"{run.ttl / 60:.0f}m"]
    for question, choice in run.auto_answers.items():
        words += ["--answer", f"{question}={choice}"]
    return shlex.join(words)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
