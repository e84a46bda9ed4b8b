"""docs/commands.md is what the command tree says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("commands_page", DOCS / "commands.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_current() -> None:
    written, current = (DOCS / "commands.md").read_text(encoding="utf-8"), generator().page()
    if sys.version_info >= (
        3,
        13,
    ):  # argparse, which prints the engine's help, words it differently from there on
        written, current = without_engine(written), without_engine(current)
    assert written == current, "run: python docs/commands.py"


def without_engine(page: str) -> str:
    before, _, rest = page.partition("\n## mlconsole engine\n")
    return before + rest[rest.index("\n## ") :]


def test_the_page_of_the_configuration_names_every_option_and_variable() -> None:
    from dataclasses import fields

    from workflows import locations
    from workflows.configuration import Configuration, variable

    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for field in fields(Configuration):
        assert f"`{variable(field.name)}`" in page
    for _, _, name in locations.as_table():
        assert f"`{name}`" in page
