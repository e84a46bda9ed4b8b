"""Every action of the console has its command, every change its level of danger, its permission and its place in the audit log."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from console import actions, parity
from console.cli.looking import LOOKING
from console.cli.root import cli
from workflows.safety import operations

ROOT = Path(__file__).parents[2]
WITHOUT_JSON = {"engine", "record", "completion"}
"""The engine's own command line has its own options; a recording and a shell script are no data."""


def leaves(command: click.Command, path: str, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        if path and command.invoke_without_command:
            yield path, command
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found, f"{path} {name}".strip(), context)
    else:
        yield path, command


TREE = dict(leaves(cli, "", click.Context(cli)))


@pytest.mark.parametrize("action", actions.ACTIONS, ids=lambda action: action.id)
def test_an_action_is_a_command_or_says_why_it_is_none(action: actions.Action) -> None:
    command, *options = parity.command_of(action).split(" --")
    if not command:
        assert parity.reason_of(action)
        assert not action.changes, "what changes something is a command, too"
        return
    assert action.id not in parity.REASONS
    known = {text for parameter in TREE[command].params for text in parameter.opts}
    assert {f"--{option}" for option in options} <= known
    assert "--json" in known


def test_every_command_speaks_json_and_every_dangerous_one_can_be_answered_beforehand() -> None:
    for path, command in TREE.items():
        known = {text for parameter in command.params for text in parameter.opts}
        assert "--json" in known or path in WITHOUT_JSON, path
    asked = {
        parity.command_of(action).split(" --")[0] for action in actions.ACTIONS if action.danger != "none"
    }
    for path in asked - {"runs stop"}:  # it says itself that it stops and deletes
        known = {text for parameter in TREE[path].params for text in parameter.opts}
        assert "--yes" in known, path


def test_every_command_is_known_to_look_or_to_change_something() -> None:
    looking = {path for path in LOOKING if not path.startswith(("engine ", "sweep "))}
    assert looking <= set(TREE), "commands that are not there"
    assert looking.isdisjoint(parity.COMMAND_CHANGES)
    assert looking | set(parity.COMMAND_CHANGES) == set(TREE)


def test_every_action_that_changes_something_says_what_it_does() -> None:
    changing = {action.id for action in actions.ACTIONS if action.changes}
    assert changing == set(parity.CHANGES)
    for name, change in parity.CHANGES.items():
        if change.opens:
            assert parity.CHANGES[change.opens].opens == "", name
            assert set(change.does) <= set(parity.CHANGES[change.opens].does) | {"StopFeed"}, name
        assert change.cost


def test_what_is_asked_for_is_a_change_for_the_guard_or_written_down_by_name() -> None:
    """Operations of AWS are refused and written down by the guard; what changes files is, where `change` stands around it."""
    import botocore.session

    session = botocore.session.get_session()
    services = ("sagemaker", "sagemaker-runtime", "cloudwatch", "s3", "logs", "iam", "lambda", "apigateway", "application-autoscaling")  # fmt: skip
    of_aws = {
        name: service for service in services for name in session.get_service_model(service).operation_names
    }
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflows").rglob("*.py"))
    sources += (ROOT / "console" / "cli" / "passing.py").read_text(encoding="utf-8")
    written = set(re.findall(r'(?:change|_change)\(\s*"(\w+)"', sources)) | set(
        re.findall(r'"(\w+Engine)"', sources)
    )
    for change in (*parity.CHANGES.values(), *parity.COMMAND_CHANGES.values()):
        for name in change.does:
            if name in written:
                continue
            assert name in of_aws, f"{name} is neither of AWS nor written down"
            assert not operations.looks(of_aws[name], name)
    told = {
        name
        for change in (*parity.CHANGES.values(), *parity.COMMAND_CHANGES.values())
        for name in change.does
    }
    assert written <= told, "changes of files that the page does not tell of"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("safety_page", ROOT / "docs" / "safety.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_about_safety_is_current() -> None:
    page = generator()
    assert page.PAGE.read_text(encoding="utf-8") == page.HEAD + page.page().removeprefix(page.HEAD), "run: python docs/safety.py"  # fmt: skip
