"""What a shell offers after Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from console.cli.root import cli
from tests.console.scripted import NOW, endpoints, jobs
from workflows import locations, topics
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


def test_a_list_that_begins_like_the_kept_one_leaves_its_older_rows(tmp_path: Path) -> None:
    rows = sorted(jobs(), key=lambda row: -row.created)
    kept = Remembered(tmp_path, "embedded")
    kept.see("jobs", rows[1:], NOW, whole=True)
    kept.see("jobs", rows[:2], NOW, whole=False)
    assert list(Remembered(tmp_path, "embedded").first(topics.JOBS)[0] or ()) == rows
    kept.see("jobs", rows[:2], NOW, whole=True)
    assert list(Remembered(tmp_path, "embedded").first(topics.JOBS)[0] or ()) == rows[:2]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_the_script_works_in_a_zsh_whose_completion_was_not_begun(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(CliRunner().invoke(cli, ["completion", "zsh"]).output, encoding="utf-8")
    done = subprocess.run(
        ["zsh", "-f", "-c", f"source {script}; print $_comps[mlconsole]"],
        capture_output=True, text=True, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("_mlconsole_completion", "")


def test_names_that_this_machine_knows_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path))
    for folder in (
        locations.experiments_dir() / "fraud-ab",
        locations.state_dir() / "rollouts" / "fraud-new",
    ):
        folder.mkdir(parents=True)
    (tmp_path / "aws").write_text("[default]\n[profile research]\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    assert offered(["ab", "show"], "fr") == ["fraud-ab"] and offered(["ab", "show"], "x") == []
    assert offered(["rollout", "show"], "") == ["fraud-new"]
    assert offered(["data", "fetch"], "cr") == ["creditcard"]
    assert "research" in offered(["jobs", "ls", "--profile"], "")
    assert "eu-west-1" in offered(["jobs", "ls", "--region"], "eu-w")
    (tmp_path / "aws").write_text("[", encoding="utf-8")
    assert offered(["jobs", "ls", "--profile"], "") == []
