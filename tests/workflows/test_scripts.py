"""Printed scripts of all studies and lessons, in both interfaces: whole programs, before any of them is run; and hashes of their code."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workflows import runs, versions
from workflows.configuration import Configuration
from workflows.lessons.catalog import lessons
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, catalog
from workflows.studies.parameters import parse_all

PRINTED = [*catalog(), *lessons()]


def never_begun(info: StudyInfo, interface: str, folder: Path) -> Run:
    """A run that was asked for, and did nothing."""
    run = Run(
        id=f"{info.name}-20260102-030405-abcd",
        folder=folder / interface / info.name,
        study=info.name,
        interface=interface,
        status="failed",
        created=time.time(),
        parameters=parse_all(info.parameters, {}),
        configuration=Configuration().as_dict(),
    )
    run.work.mkdir(parents=True)
    return run


def misfits(text: str) -> list[str]:
    """Calls of a script's own functions whose arguments do not fit their parameters: those that no linter without types finds."""
    tree = ast.parse(text)
    functions = {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = []
    for call in ast.walk(tree):
        taken = (
            functions.get(call.func.id)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            else None
        )
        if not isinstance(call, ast.Call) or taken is None or taken.vararg or taken.kwarg:
            continue
        if any(isinstance(one, ast.Starred) for one in call.args) or any(
            not one.arg for one in call.keywords
        ):
            continue
        names = [one.arg for one in (*taken.posonlyargs, *taken.args)]
        given = {*names[: len(call.args)], *(str(one.arg) for one in call.keywords)}
        needed = set(names[: len(names) - len(taken.defaults)])
        known = {*names, *(one.arg for one in taken.kwonlyargs)}
        if len(call.args) > len(names) or not needed <= given <= known:
            found.append(f"line {call.lineno}: {ast.unparse(call)}")
    return found


@pytest.mark.parametrize("interface", ["low", "high"])
def test_every_name_that_a_printed_script_uses_is_defined_in_it(interface: str, tmp_path: Path) -> None:
    for info in PRINTED:
        run = never_begun(info, interface, tmp_path)
        text = runs.code(run)
        compile(text, f"{info.name}.py", "exec")
        assert misfits(text) == [], info.name
        (tmp_path / f"{info.name}.py").write_text(text)
        run.parameters = {}  # as a version recorded it that knew none of them
        assert runs.code(run) == text
        assert ("ModelTrainer(" in text) == (interface == "high")
        assert "$" not in text.partition("import boto3")[0].replace("$(mlconsole", "")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,F811,F631", "--no-cache", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_of_every_study_and_lesson_has_a_hash_of_its_own() -> None:
    hashes = {info.name: versions.code(info.name, "aws")["study"] for info in PRINTED}
    assert len(set(hashes.values())) == len(PRINTED)
