"""``mlconsole rollout`` on a real engine: planned, started, killed while it is watched, watched again, taken back, cleaned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from tests.console.command import COMMAND
from tests.engine.deploying import wait_for
from tests.stopping import stop_engine
from tests.workflows.rolling import Hosted
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform
from workflows.rollout import record

pytestmark = pytest.mark.timeout(400)


@dataclass
class World:
    """An engine with an endpoint of two instances and a model for it."""

    platform: Platform
    hosted: Hosted
    endpoint: str
    model: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_ENGINE_DIR", str(engine))
        platform = open_platform(Configuration())
        hosted = Hosted(platform)
        yield World(platform, hosted, hosted.endpoint(count=2), hosted.model("green"))
    stop_engine(engine)


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What a command prints."""
    code = main(["rollout", *arguments])
    out, err = capsys.readouterr()
    assert code == status, out + err
    return out + err


def read(
    capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0, before: tuple[str, ...] = ()
) -> Any:
    code = main([*before, "rollout", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert code == status, out + err
    lines = [json.loads(line) for line in out.splitlines()]
    return lines if len(lines) > 1 else lines[0]


def test_a_plan_is_drawn_and_changes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "plan", world.endpoint, world.model, "--strategy", "linear", "--step", "25%")
    for part in (
        "step 3 of 4 bakes",
        "75%",
        "model errors",
        "Nobody called",
        "100%",
        "0.01 s for each declared",
    ):
        assert part in text, text
    made = read(capsys, "plan", world.endpoint, world.model)
    names = [call["operation"] for call in made["calls"]]
    assert names == ["CreateEndpointConfig", *["PutMetricAlarm"] * (len(names) - 2), "UpdateEndpoint"]
    assert made["timeline"][1]["share"] == 0.1 and made["seconds"] == pytest.approx(17)
    assert "50% of the capacity" in told(
        capsys, "plan", world.endpoint, world.model, "--step", "60%", status=1
    )
    assert "is none of" in told(capsys, "plan", world.endpoint, "nothing", status=1)
    assert "is no limit" in told(capsys, "plan", world.endpoint, world.model, "--limit", "6xx=1", status=2)
    assert world.hosted.status(world.endpoint)["EndpointStatus"] == "InService"
    assert "There is no rollout yet" in told(capsys, "ls")


def test_who_watches_may_be_killed_and_somebody_else_goes_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.hosted.status(world.endpoint)["EndpointConfigName"]
    watcher = subprocess.Popen(
        [COMMAND, "rollout", "start", world.endpoint, world.model, "--step", "50%", "--wait", "3600", "--bake", "0",
         "--timeout", "7200", "--name", "first", "--yes", "--watch"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: record.everything() and record.find("first").known.phase == "baking")
    finally:
        watcher.send_signal(signal.SIGKILL)
        watcher.wait(30)
    shown = read(capsys, "show", "first")
    assert (shown["state"]["phase"], shown["state"]["share"], shown["outcome"]) == ("baking", 0.5, "")
    text = told(capsys, "show", world.endpoint)
    assert "canary bakes" in text and "50% of the traffic" in text and "roll back now" in text
    assert "no call that skips a bake" in told(capsys, "promote", "first", "--yes", status=1)
    assert "has not ended" in told(capsys, "clean", "first", "--yes", status=1)
    again = told(capsys, "start", world.endpoint, world.model, "--name", "first", "--yes", status=1)
    assert f"{world.endpoint} is Updating" in again
    assert "say --yes" in told(capsys, "rollback", "first", status=2)
    rehearsed = read(capsys, "rollback", "first", before=("--dry-run",))
    assert [call["operation"] for call in rehearsed["calls"]] == ["RollBack", "SetAlarmState"]
    assert "of the new fleet end with it" in rehearsed["questions"][-1]
    told(capsys, "rollback", "first", "--yes", "--watch")
    events = read(capsys, "watch", "first", status=1)
    kinds = [event["event"] for event in events]
    assert kinds.count("started") == kinds.count("finished") == 1 and kinds[-1] == "removed"
    assert world.hosted.status(world.endpoint)["EndpointConfigName"] == before
    assert main(["watch", "rollout", "first", "--json"]) == 1
    line = json.loads(capsys.readouterr().out)
    assert (line["kind"], line["name"], line["status"]) == ("rollout", "first", "rolled-back")
    assert main(["watch", "rollout", "second"]) == 5
    assert "There is no rollout second." in capsys.readouterr().err
    assert "rolled-back" in told(capsys, "ls")
    rehearsed = read(capsys, "clean", "first", before=("--dry-run",))
    assert [(call["operation"], call["resource"]) for call in rehearsed["calls"]] == [
        ("CleanRollout", "first"),
        ("DeleteEndpointConfig", "first"),
    ]
    assert read(capsys, "clean", "first", "--yes")["deleted"] == ["endpoint configuration first"]
    assert "nothing to delete" in told(capsys, "clean", "first", "--yes")


@pytest.mark.parametrize("interface", ["low", pytest.param("high", marks=pytest.mark.slow)])
def test_a_rollout_as_a_script_runs_as_it_is_printed(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path, interface: str
) -> None:
    name = f"scripted-{interface}"
    told(
        capsys, "start", world.endpoint, world.model, "--step", "50%", "--wait", "10", "--bake", "10", "--name", name, "--yes",
        "--watch",
    )  # fmt: skip
    text = told(capsys, "code", name, "--interface", interface)
    # The same again under other names, as a person would edit it.
    script = tmp_path / "rollout.py"
    script.write_text(text.replace(name, f"{name}-again"))
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, **world.platform.environment()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The new fleet serves." in done.stdout
    assert world.hosted.status(world.endpoint)["EndpointConfigName"] == f"{name}-again"
