"""The command line on a whole real run: moons through the embedded SageMaker, and every look at what it made."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.console.command import COMMAND

pytestmark = pytest.mark.timeout(600)


@dataclass
class World:
    """A home with an engine and one finished run whose endpoint was kept."""

    home: Path
    events: list[dict[str, Any]]

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MLCONSOLE_"))
        }
        environment["MLCONSOLE_HOME"] = str(self.home)
        return subprocess.run(
            [COMMAND, *arguments], input=stdin, capture_output=True, timeout=240, check=False, env=environment
        )

    def text(self, *arguments: str, status: int = 0) -> str:
        done = self.run(*arguments)
        assert done.returncode == status, done.stderr.decode()
        return (done.stdout if status == 0 else done.stderr).decode()

    def json(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "--json"))

    @property
    def name(self) -> str:
        """The run's id, which is also the name of its job and of its endpoint."""
        return str(self.events[-1]["run"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("home"), [])
    done = made.run(
        "run", "moons", "--keep", "--ttl", "8h", "--json", "--yes", "--set", "epochs=60", "--set", "seeds=2"
    )
    try:
        assert done.returncode == 0, done.stdout.decode()[-2000:] + done.stderr.decode()
        made.events += [json.loads(line) for line in done.stdout.splitlines()]
        yield made
    finally:
        made.run("engine", "stop")


def test_a_kept_endpoint_bills_and_expires(world: World) -> None:
    told = world.json("endpoints", "ttl", world.name)
    assert told["endpoint"] == world.name and not told["expired"]
    (row,) = [one for one in world.json("costs")["resources"] if one["name"] == world.name]
    assert row["owner"] == f"run {world.name}" and row["expires"] == told["expires"]
    assert "PER MONTH" in world.text("endpoints", "ls", "--costs")
    assert world.json("sweep", "--expired", "--plan")["leftovers"] == []
    assert "--keep too" in world.text("run", "moons", "--ttl", "8h", status=2)


def test_the_last_line_is_the_result(world: World) -> None:
    result = world.events[-1]
    assert (result["event"], result["status"]) == ("run-finished", "completed")
    assert result["metrics"]["accuracy"] > 0.807
    kinds = {event["event"] for event in world.events}
    assert {
        "run-started",
        "step-started",
        "progress",
        "metric",
        "gate",
        "artifact",
        "api-call",
        "table",
        "figure",
    } <= kinds


def test_the_run_is_listed_shown_and_printed_as_a_script(world: World) -> None:
    (listed,) = world.json("runs", "ls")
    assert (listed["id"], listed["status"], listed["keep"]) == (world.name, "completed", True)
    shown = world.text("runs", "show", "last")
    assert "Train the net" in shown and "accuracy" in shown
    script = world.text("runs", "code", world.name)
    compile(script, "script.py", "exec")
    assert "create_training_job" in script
    assert not any(
        word in line for line in script.splitlines() if "import" in line for word in ("workflows", "console")
    )


def test_the_job_is_listed_described_logged_and_measured(world: World) -> None:
    (job,) = [item for item in world.json("jobs", "ls") if item["name"].startswith(world.name)]
    name = job["name"]
    assert (job["status"], job["secondary_status"]) == ("Completed", "Completed")
    assert world.json("jobs", "ls", "--status", "failed") == []
    assert world.json("jobs", "ls", "--name", "nothing-is-called-so") == []
    assert len(world.json("jobs", "ls", "--since", "1h", "--sort", "duration", "--reverse")) == 1
    assert world.json("jobs", "show", name)["TrainingJobName"] == name
    shown = world.text("jobs", "show", name)
    assert "train:loss" in shown and "sagemaker_program" in shown and "Downloading" in shown

    log = world.text("jobs", "logs", name).splitlines()
    assert any("train:loss=" in line for line in log)
    assert world.text("jobs", "logs", name, "--lines", "2").splitlines() == log[-2:]
    assert world.text("jobs", "logs", name, "--follow").splitlines() == log
    first = json.loads(world.text("jobs", "logs", name, "--json").splitlines()[0])
    assert first["message"] == log[0] and first["time"] > 1.7e9
    assert world.text("jobs", "logs", name, "-t", "-n", "1")[:4].isdigit()

    series = {item["name"]: item["points"] for item in world.json("jobs", "metrics", name)}
    assert series["train:loss"] and series["train:loss"][-1][1] < 0.6
    assert "train:loss" in world.text("jobs", "metrics", name)


def test_the_endpoint_is_listed_described_invoked_and_measured(world: World) -> None:
    (row,) = world.json("endpoints", "ls", "--status", "InService")
    name = row["name"]
    assert name.startswith(world.name)
    detail = world.json("endpoints", "show", name)
    assert detail["EndpointConfig"]["ProductionVariants"][0]["ModelName"]
    assert "100%" in world.text("endpoints", "show", name)

    done = world.run("endpoints", "invoke", name, "--data", "0.5,0.2\n1.5,-0.3", "--accept", "text/csv")
    assert done.returncode == 0 and b"answered in" in done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout.decode())))
    assert len(rows) == 2 and all(0 <= float(cell) <= 1 for row in rows for cell in row)
    piped = world.run(
        "endpoints", "invoke", name, "-f", "-", "-a", "text/csv", "-c", "text/csv", stdin=b"0.5,0.2\n1.5,-0.3"
    )
    assert piped.stdout == done.stdout
    answer = world.json("endpoints", "invoke", name, "-d", "0.5,0.2")
    assert answer["variant"] and answer["milliseconds"] > 0
    refused = world.text("endpoints", "invoke", name, "-d", "one,two", status=1)
    assert refused.startswith("Error: The model answered with status") and refused.count("\n") == 1

    log = world.text("endpoints", "logs", name, "-n", "500")
    assert "Traceback" in log
    (variant,) = world.json("endpoints", "metrics", name, "--window", "15m")["variants"]
    assert variant["invocations"] >= 4 and variant["latency_p50"] > 0
    assert "CALLS" in world.text("endpoints", "metrics", name)


def test_what_does_not_exist_is_one_sentence(world: World) -> None:
    for arguments in (
        ("jobs", "show", "nope"), ("jobs", "logs", "nope"), ("jobs", "stop", "nope", "--yes"), ("endpoints", "show", "nope"),
        ("endpoints", "invoke", "nope", "-d", "1"), ("endpoints", "logs", "nope"), ("endpoints", "delete", "nope", "-y"),
    ):  # fmt: skip
        noun = "training job" if arguments[0] == "jobs" else "endpoint"
        told = world.text(*arguments, status=1)
        assert told == f"Error: There is no {noun} nope. `mlconsole {arguments[0]} ls` lists them.\n"


def test_the_endpoint_is_deleted_last(world: World) -> None:
    (row,) = world.json("endpoints", "ls")
    unasked = world.run("endpoints", "delete", row["name"])
    assert unasked.returncode == 2 and b"--yes" in unasked.stderr
    told = world.text("endpoints", "delete", row["name"], "--yes").splitlines()
    assert [line.split()[1] for line in told] == ["endpoint", "endpoint", "model"]
    deadline = 50
    while world.json("endpoints", "ls") and deadline:
        deadline -= 1
    assert world.json("endpoints", "ls") == []


@pytest.mark.slow
def test_studies_run_one_after_another_and_one_that_is_refused_makes_the_status_1(world: World) -> None:
    arguments = (
        "studies",
        "run",
        "moons",
        "--interface",
        "low",
        "--data",
        "real",
        "--as-in-notebook",
        "--json",
    )
    done = world.run(*arguments)
    assert done.returncode == 1, done.stderr.decode()
    (row,) = json.loads(done.stdout)
    assert (row["study"], row["interface"], row["data"], row["status"]) == (
        "moons",
        "low",
        "generated",
        "refused",
    )
    assert (row["verdict"], row["complete"], row["left_behind"]) == ("refused", False, [])
    (figure,) = row["figures"]
    assert figure["ours"] == pytest.approx(0.807, abs=0.02)
    assert (figure["baseline"], figure["notebook"]) == (pytest.approx(0.9), 0.807)
    assert row["run"] in world.text("runs", "ls")
    assert "1/1 moons, low, generated data" in done.stderr.decode()
