"""An engine whose code has changed since it started is started anew, as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.freshness import Code

ROOT = Path(__file__).parents[2]


def test_code_changes_when_a_file_is_touched_or_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text("")
    monkeypatch.setattr("engine.freshness._FOLDERS", (tmp_path,))
    monkeypatch.setattr("engine.freshness._EVERY", 0.0)
    code = Code()
    assert not code.changed
    (tmp_path / "b.py").write_text("")
    assert code.changed
    code = Code()
    assert not code.changed
    os.utime(tmp_path / "a.py", (2e9, 2e9))
    assert code.changed


def test_start_replaces_an_engine_that_runs_outdated_code(tmp_path: Path) -> None:
    for name in ("engine", "algorithms"):
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "data"

    def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine", *arguments, "--data-dir", str(folder)],
            cwd=tmp_path / "code",
            env=os.environ | {"PYTHONPATH": str(tmp_path / "code")},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    def started(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(engine("start", "--json", *arguments).stdout)
        return found

    try:
        first = started("--test-mode", "--time-scale", "0.5")
        (tmp_path / "code" / "engine" / "clock.py").touch()
        # The engine looks at its files every two seconds: until then it is still the first.
        again = started()
        while again["pid"] == first["pid"]:
            again = started()
        assert (again["url"], again["test_mode"], again["time_scale"]) == (first["url"], True, 0.5)
        assert started()["pid"] == again["pid"]
    finally:
        engine("stop")
