"""One registry: every key of the console comes from it, and what is written about keys is made from it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import console.screens
import console.widgets
from console import actions
from console.app import Console
from console.keytable import markdown_table
from console.places import PLACES


def classes() -> list[type[DOMNode]]:
    found: list[type[DOMNode]] = [Console]
    for package in (console.screens, console.widgets):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            loaded = importlib.import_module(module.name)
            found += [
                cls for _, cls in inspect.getmembers(loaded, inspect.isclass)
                if issubclass(cls, DOMNode) and cls.__module__ == module.name
            ]  # fmt: skip
    return found


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_binding_comes_from_the_registry_and_does_something(cls: type[DOMNode]) -> None:
    for binding in cls.__dict__.get("BINDINGS", ()):
        assert isinstance(binding, Binding)
        action = actions.get(str(binding.id))
        assert binding.key == action.keys
        assert callable(getattr(cls, f"action_{action.verb}", None)), (
            f"{cls.__name__} has no action_{action.verb}"
        )


def test_every_action_is_bound_somewhere() -> None:
    bound = {binding.id for cls in classes() for binding in cls.__dict__.get("BINDINGS", ())}
    assert {action.id for action in actions.ACTIONS if action.keys} == bound


def test_ids_are_unique_and_keys_do_not_collide_in_a_place() -> None:
    assert len({action.id for action in actions.ACTIONS}) == len(actions.ACTIONS)
    for place in PLACES:
        keys = [key for action in actions.of(place) for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys)), place
    assert {action.place for action in actions.ACTIONS} == set(PLACES)


def test_what_is_dangerous_changes_something() -> None:
    assert all(action.changes for action in actions.ACTIONS if action.danger != "none")


def test_the_page_about_the_console_holds_the_keys_of_the_registry() -> None:
    page = (Path(__file__).parents[2] / "docs" / "console.md").read_text(encoding="utf-8")
    begin, end = "<!-- keys: made by docs/screens/keys.py -->\n", "<!-- end of keys -->"
    assert page.partition(begin)[2].partition(end)[0].strip() == markdown_table().strip()
