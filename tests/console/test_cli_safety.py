"""Dry runs, read-only mode, the audit log, watching and looking at any resource, from the command line on a real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from console.cli.changes import Differ
from console.cli.presence import Presence
from tests.console.command import COMMAND
from workflows import topics
from workflows.configuration import Configuration
from workflows.observe.rows import JobRow
from workflows.platform import open_platform
from workflows.topics import Snapshot

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("on_engine")]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., list[str]]:
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(f"{n % 2 * 5}.{n},1" for n in range(40)) + "\n", encoding="utf-8")

    def arguments(name: str) -> list[str]:
        return ["jobs", "start", "kmeans", "-i", f"train={rows}", "-s", "k=2", "--name", name]

    return arguments


def jobs() -> set[str]:
    listed = open_platform(Configuration()).client("sagemaker").list_training_jobs(MaxResults=100)
    return {item["TrainingJobName"] for item in listed["TrainingJobSummaries"]}


def test_a_dry_run_tells_the_questions_and_the_calls_and_sends_nothing(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    before = jobs()
    assert main(["--dry-run", *start("imagined"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [call["operation"] for call in told["calls"]] == ["PutObject", "CreateTrainingJob"] or [
        call["operation"] for call in told["calls"]
    ] == ["CreateBucket", "PutObject", "CreateTrainingJob"]
    assert told["questions"][0] == "Start training job imagined: kmeans:1 on 1 × ml.m5.large."
    assert told["calls"][-1]["parameters"]["TrainingJobName"] == "imagined"
    assert main(["--dry-run", *start("imagined")]) == 0
    out, err = capsys.readouterr()
    assert "sagemaker CreateTrainingJob imagined" in out and "nothing has changed" in err
    assert main(["--dry-run", "run", "moons"]) == 0
    out, _ = capsys.readouterr()
    assert "mlconsole StartRun moons-" in out and "known only when it is done" in out
    assert main(["--dry-run", "jobs", "ls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert jobs() == before
    assert main(["audit", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_a_configured_read_only_target_is_refused_below_the_commands(
    start: Callable[..., list[str]], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = jobs()
    monkeypatch.setenv("MLCONSOLE_READ_ONLY", "embedded")
    assert main([*start("refused"), "--yes", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == "read-only" and "MLCONSOLE_READ_ONLY" in told["remedy"]
    assert main(["run", "moons", "--detach"]) == 1
    assert "changes on the embedded SageMaker are switched off" in capsys.readouterr().err
    assert main(["jobs", "ls"]) == 0
    monkeypatch.delenv("MLCONSOLE_READ_ONLY")
    assert main(["--read-only", *start("refused"), "--yes"]) == 2
    assert main(["--read-only", "data", "ls"]) == 0
    assert jobs() == before
    capsys.readouterr()
    assert main(["audit", "--failed"]) == 0
    assert "read-only" in capsys.readouterr().out


def test_what_was_done_is_read_watched_described_and_written_as_code(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    assert main(["-v", *start("audited"), "--yes", "--wait"]) == 0
    err = capsys.readouterr().err
    assert "sagemaker CreateTrainingJob audited" in err
    assert main(["-q", "jobs", "metrics", "audited"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["audit", "--about", "CreateTrainingJob", "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)
    assert (entry["resource"], entry["result"], entry["by"]) == ("audited", "ok", "mlconsole jobs start")

    assert main(["watch", "jobs", "audited", "--json", "--timeout", "60"]) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["event"], line["kind"], line["name"], line["status"]) == (
        "there",
        "job",
        "audited",
        "Completed",
    )
    assert main(["-q", "watch", "jobs", "audit", "--json"]) == 5
    out, err = capsys.readouterr()
    assert out == "" and "There is no training job audit. Did you mean audited?" in err
    assert main(["watch", "alarms", "audited", "--json"]) == 5
    out, err = capsys.readouterr()
    assert out == "" and "There is no endpoint audited. `mlconsole endpoints ls` lists them." in err
    assert main(["describe", "job", "audited", "--yaml"]) == 0
    assert capsys.readouterr().out.startswith("TrainingJobName: audited\n")
    assert main(["related", "job", "audited", "--json"]) == 0
    artefact = next(
        one["name"] for one in json.loads(capsys.readouterr().out)["related"] if one["why"] == "its artefact"
    )
    assert main(["code", "job", "audited", "--form", "boto3", "--json"]) == 0
    assert all("boto3" in one["title"] for one in json.loads(capsys.readouterr().out))
    assert main(["s3", "show", artefact]) == 0
    assert "model" in capsys.readouterr().out
    assert main(["s3", "ls", artefact.rpartition("/")[0], "--json"]) == 0
    assert [one["uri"] for one in json.loads(capsys.readouterr().out)["objects"]] == [artefact]
    assert main(["jobs", "compare", "audited", "audited"]) == 0
    assert capsys.readouterr().out == "Nothing differs.\n"
    assert main(["jobs", "rm", "audited", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"name": "audited", "outcome": "deleted"}]


def test_the_console_shows_what_a_question_would_send_and_sends_it_only_when_it_is_answered(
    start: Callable[..., list[str]], capsys: Capture
) -> None:
    from operator import methodcaller

    from console.live import LiveServices

    assert main([*start("shown"), "--yes", "--wait"]) == 0
    services = LiveServices(Configuration())
    try:
        lines = services.rehearse(methodcaller("stop_job", "shown"))
        assert lines[:2] == ["1. sagemaker StopTrainingJob shown", "     TrainingJobName: shown"]
        lines = services.rehearse(
            methodcaller("start_run", "moons", {}, interface="low", keep=False, preset="")
        )
        assert lines[0].startswith("1. mlconsole StartRun moons-") and "only when it is done" in lines[-1]
    finally:
        services.close()
    capsys.readouterr()
    main(["audit", "--about", "StopTrainingJob", "--json"])
    assert capsys.readouterr().out == ""


def test_a_reader_that_has_enough_ends_the_stream_in_peace() -> None:
    writer = subprocess.Popen(
        [COMMAND, "watch", "jobs", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.close()
    assert writer.wait(60) == 0
    assert writer.stderr.read() == b""
    closed = subprocess.run(
        f"{COMMAND} where --json >&-", shell=True, capture_output=True, timeout=60, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, b"")


class TestDiffer:
    def row(self, name: str, status: str = "InProgress", **more: Any) -> JobRow:
        return JobRow(name=name, status=status, created=1.0, modified=2.0, **more)

    def test_rows_come_change_and_go(self) -> None:
        differ = Differ("job")
        assert [line["event"] for line in differ.take((self.row("a"), self.row("b")), 5.0)] == [
            "there",
            "there",
        ]
        changes = list(differ.take((self.row("a", "Completed"), self.row("c")), 6.0))
        assert [(line["event"], line["name"]) for line in changes] == [
            ("changed", "a"),
            ("appeared", "c"),
            ("gone", "b"),
        ]
        assert changes[0]["was"] == {"status": "InProgress"} and changes[0]["status"] == "Completed"
        assert not list(differ.take((self.row("a", "Completed"), self.row("c")), 7.0))

    def test_one_that_is_named_ends_with_it(self) -> None:
        differ = Differ("job", "a", quiet=True)
        assert not list(differ.take((self.row("a"), self.row("b", "Failed")), 1.0))
        assert differ.ended is None
        assert [line["name"] for line in differ.take((self.row("a", "Failed"),), 2.0)] == ["a"]
        assert differ.ended == "Failed"


class TestPresence:
    def row(self, name: str) -> JobRow:
        return JobRow(name=name, status="InProgress", created=1.0, modified=2.0)

    def seen(self, presence: Presence, differ: Differ, *names: str, more: bool = False) -> bool:
        rows = tuple(map(self.row, names))
        list(differ.take(rows, 5.0))
        return presence.lost(Snapshot(topic=topics.JOBS, value=rows, more=more), differ)

    def test_one_that_goes_ends_the_watching(self, capsys: Capture) -> None:
        presence, differ = Presence("jobs", "moons-1", appear=False), Differ("job", "moons-1")
        assert not self.seen(presence, differ, "moons-1", "other")
        assert self.seen(presence, differ, "other")
        out, err = capsys.readouterr()
        assert out == "" and "There is no training job moons-1 any more." in err

    def test_one_that_is_written_otherwise_is_offered(self, capsys: Capture) -> None:
        presence, differ = Presence("jobs", "mons-1", appear=False), Differ("job", "mons-1")
        assert self.seen(presence, differ, "fraud", "moons-1", "moons-2")
        assert "Did you mean moons-1 or moons-2? `mlconsole jobs ls`" in capsys.readouterr().err

    def test_one_of_a_list_that_goes_on_is_asked_for_by_its_name(self, capsys: Capture) -> None:
        presence, differ = Presence("jobs", "old", appear=False), Differ("job", "old")
        assert self.seen(presence, differ, "new", more=True)
        assert "`mlconsole jobs show old` asks for it by its name" in capsys.readouterr().err

    def test_one_that_is_waited_for_is_told_missing_once_each_time(self, capsys: Capture) -> None:
        presence, differ = Presence("jobs", "a", appear=True), Differ("job", "a")
        assert not self.seen(presence, differ) and not self.seen(presence, differ)
        assert capsys.readouterr().err == "There is no training job a. Waiting for it.\n"
        assert not self.seen(presence, differ, "a") and not self.seen(presence, differ)
        assert capsys.readouterr().err == "There is no training job a any more. Waiting for it.\n"

    def test_an_endpoint_without_alarms_is_another_thing_than_none(self, capsys: Capture) -> None:
        for there, alarms, lost in ((("a",), (), False), ((), (), True), ((), ("alarm",), False)):
            presence, differ = Presence("alarms", "a", appear=False), Differ("alarm")
            list(differ.take(tuple(map(self.row, alarms)), 5.0))
            known: Snapshot[Any] = Snapshot(topic=topics.ENDPOINTS, value=tuple(map(self.row, there)))
            assert not presence.lost(known, differ)
            assert presence.lost(Snapshot(topic=topics.endpoint_alarms("a"), value=()), differ) is lost
        assert capsys.readouterr().err.count("There is no endpoint a.") == 1
