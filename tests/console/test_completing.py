"""What a shell offers after Tab."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from console.cli.root import cli
from tests.console.scripted import NOW, endpoints, jobs
from workflows import topics
from workflows.configuration import Configuration
from workflows.remembered import Remembered
from workflows.topics import Snapshot


def offered(arguments: list[str], incomplete: str) -> list[str]:
    return [
        item.value
        for item in ShellComplete(cli, {}, "mlconsole", "_X").get_completions(arguments, incomplete)
    ]


def test_names_of_the_last_known_lists_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path))
    assert offered(["jobs", "show"], "") == []
    shots = [
        Snapshot(topic=topics.JOBS, value=jobs(), fetched_at=NOW),
        Snapshot(topic=topics.ENDPOINTS, value=endpoints(), fetched_at=NOW),
    ]
    Remembered.of(Configuration()).keep(shots, 0.0, force=True)
    assert offered(["jobs", "show"], "moons-low") == [
        row.name for row in jobs() if row.name.startswith("moons-low")
    ]
    assert offered(["endpoints", "delete"], "") == [row.name for row in endpoints()]
    assert offered(["jobs", "stop", jobs()[0].name], "plag") == [
        row.name for row in jobs() if row.name.startswith("plag")
    ]
    assert offered(["--target", "aws", "jobs", "show"], "") == [], "another account"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("target = 7")
    assert offered(["jobs", "show"], "") == []
