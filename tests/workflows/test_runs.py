"""Runs on disk: found by parts of their names, followed line by line, never believed alive when their process is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workflows import locations, processes, runs
from workflows.events import Log, RunFinished, to_json
from workflows.failures import WorkflowError
from workflows.studies.parameters import ParameterError


def made(
    name: str, status: str = "completed", created: float = 0.0, pid: int = 0, pid_started: str = ""
) -> runs.Run:
    folder = locations.runs_dir() / name
    (folder / "control").mkdir(parents=True)
    (folder / "work").mkdir()
    run = runs.Run(
        id=name, folder=folder, study="moons", interface="low", status=status, created=created, parameters={},
        configuration={}, pid=pid, pid_started=pid_started,
    )  # fmt: skip
    runs.save(run)
    run.events_file.touch()
    return run


def alive(name: str, status: str = "running") -> runs.Run:
    return made(name, status, pid=os.getpid(), pid_started=processes.started(os.getpid()))


def say(run: runs.Run, text: str) -> None:
    with run.events_file.open("a") as file:
        file.write(to_json(Log(time=time.time(), message=text)) + "\n")


def test_runs_are_found_by_id_beginning_ending_and_last() -> None:
    with pytest.raises(runs.RunError, match="no run yet"):
        runs.find("last")
    made("moons-20260101-aaaa", created=1)
    made("moons-20260102-bbbb", created=2)
    assert [run.id for run in runs.list_runs()] == ["moons-20260102-bbbb", "moons-20260101-aaaa"]
    assert runs.find("last").id == "moons-20260102-bbbb"
    assert runs.find("moons-20260101-aaaa").id == runs.find("moons-20260101").id == runs.find("aaaa").id
    with pytest.raises(runs.RunError, match="2 runs match"):
        runs.find("moons")
    for unknown in ("nothing", "", "../runs", "."):
        with pytest.raises(runs.RunError, match="no run"):
            runs.find(unknown)


def test_a_broken_manifest_hides_no_other_run() -> None:
    made("moons-good")
    broken = locations.runs_dir() / "moons-broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    assert [run.id for run in runs.list_runs()] == ["moons-good"]
    with pytest.raises(runs.RunError, match="holds no readable run"):
        runs.read(broken)


def test_a_run_whose_process_is_gone_reads_as_interrupted() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    run = made("moons-child", "running", pid=child.pid, pid_started=processes.started(child.pid))
    assert runs.read(run.folder).status == "running"
    child.kill()
    child.wait()
    now = runs.read(run.folder)
    assert now.status == "interrupted"
    assert "mlconsole runs resume moons-child" in now.message


def test_a_reused_pid_is_not_the_runs_process() -> None:
    assert (
        runs.read(made("moons-other", "running", pid=os.getpid(), pid_started="another").folder).status
        == "interrupted"
    )


def test_a_dead_child_that_nobody_waited_for_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 60
    while processes.started(child.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.started(child.pid) == ""
    child.wait()


def test_following_yields_whole_lines_only_and_ends_at_the_end() -> None:
    run = alive("moons-live")
    seen: list[str] = []
    ended = threading.Event()

    def follow() -> None:
        for event in runs.follow(run):
            seen.append(event.message if isinstance(event, Log | RunFinished) else "?")
        ended.set()

    threading.Thread(target=follow, daemon=True).start()
    say(run, "one")
    line = to_json(Log(time=0.0, message="two"))
    with run.events_file.open("a") as file:
        file.write(line[:10])
        file.flush()
        time.sleep(0.3)
        assert "two" not in seen
        file.write(line[10:] + "\n")
    with run.events_file.open("a") as file:
        file.write("not an event\n")
        file.write(
            to_json(RunFinished(time=0.0, run=run.id, status="completed", metrics={}, message="end")) + "\n"
        )
    run.status = "completed"
    runs.save(run)
    assert ended.wait(30)
    assert seen == ["one", "two", "end"]


def test_following_from_an_offset_and_with_no_patience() -> None:
    run = alive("moons-offset")
    for text in ("a", "b", "c"):
        say(run, text)
    assert [event.message for event in runs.follow(run, offset=1, timeout=0) if isinstance(event, Log)] == [
        "b",
        "c",
    ]


def test_an_end_is_told_even_when_the_process_told_none() -> None:
    run = made("moons-dead", "running", pid=2**22 + 1, pid_started="x")
    say(run, "last words")
    *_, last = runs.follow(run, timeout=5)
    assert isinstance(last, RunFinished)
    assert last.status == "interrupted"


def test_an_active_run_is_neither_resumed_nor_deleted() -> None:
    run = alive("moons-busy")
    with pytest.raises(runs.RunError, match="is running"):
        runs.resume(run)
    with pytest.raises(runs.RunError, match="stop it first"):
        runs.delete(run)
    assert run.folder.exists()


def test_starting_refuses_what_it_cannot_do_before_anything_is_written() -> None:
    with pytest.raises(ParameterError, match="epochs cannot be '0'"):
        runs.start("moons", {"epochs": "0"})
    with pytest.raises(WorkflowError, match=r"no study 'mars'.*moons"):
        runs.start("mars")
    with pytest.raises(runs.RunError, match="no interface 'middle'"):
        runs.start("moons", interface="middle")
    with pytest.raises(runs.RunError, match=r"no preset 'x'.*as-in-notebook"):
        runs.start("moons", preset="x")
    assert runs.list_runs() == []


def test_a_script_can_be_printed_of_a_run_that_never_reached_its_target(tmp_path: Path) -> None:
    from workflows.studies.catalog import find

    for interface in ("low", "high"):
        run = made(f"moons-{interface}", "failed")
        run.interface = interface
        run.parameters = {parameter.name: parameter.default for parameter in find("moons").parameters}
        script = runs.code(run)
        compile(script, "script.py", "exec")
        assert "'epochs': '300'" in script
        assert "import mlconsole" not in script
        assert "from workflows" not in script
