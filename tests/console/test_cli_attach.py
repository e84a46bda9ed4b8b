"""Watching a run: renderers, questions, Ctrl-C, signals, exit statuses. The run is a process that keeps a run's contract."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console.command import COMMAND, Terminal, prepared_run, run
from workflows import runs
from workflows.runs import Run

Start = Callable[..., Run]


@pytest.fixture
def start() -> Iterator[Start]:
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*options: str, number: int = 1) -> Run:
        made = prepared_run(number)
        script = Path(__file__).with_name("slow_run.py")
        processes.append(
            subprocess.Popen(
                [sys.executable, str(script), str(made.folder), *options], start_new_session=True
            )
        )
        until(lambda: "epochs" in made.events_file.read_text())
        return made

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finish(run: Run, status: str) -> None:
    (run.control / "finish").write_text(status)


@pytest.mark.parametrize(
    ("status", "code"), [("completed", 0), ("failed", 1), ("refused", 3), ("stopped", 130)]
)
def test_the_exit_status_tells_how_the_run_ended(start: Start, status: str, code: int) -> None:
    made = start()
    finish(made, status)
    done = run("runs", "attach", "last")
    assert done.returncode == code, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"Run {made.id}: study moons, interface low, target embedded, 1 steps"
    assert "- Train the net" in lines
    assert "  warming up" in lines
    assert any(
        line.endswith(f"moons {status} in {words}")
        for line in lines
        for words in [line.rpartition(" in ")[2]]
    )
    assert "That is all." in lines
    if status == "completed":
        assert "  accuracy  0.9" in lines


def test_json_is_one_event_a_line_as_stored_and_the_last_one_is_the_result(start: Start) -> None:
    made = start()
    finish(made, "completed")
    done = run("runs", "attach", made.id, "--json")
    assert done.returncode == 0
    stored = [json.loads(line) for line in made.events_file.read_text().splitlines()]
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert printed == stored
    assert printed[-1]["event"] == "run-finished"
    assert (printed[-1]["status"], printed[-1]["metrics"]) == ("completed", {"accuracy": 0.9})


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_without_a_terminal_a_signal_stops_the_run_with_its_clean_up(
    start: Start, number: int, code: int
) -> None:
    made = start()
    watcher = subprocess.Popen([COMMAND, "runs", "attach", made.id], stdout=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.send_signal(number)
    rest = watcher.communicate(timeout=60)[0]
    assert watcher.returncode == code
    assert "Stopping; what the run made is being deleted." in rest
    assert runs.find(made.id).status == "stopped"


def test_hanging_up_leaves_the_run_alone(start: Start) -> None:
    made = start()
    watcher = subprocess.Popen(
        [COMMAND, "runs", "attach", made.id],
        stdout=subprocess.PIPE,
        text=True,
        # Under nohup the tests inherit that it is ignored, which the command would honour.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.send_signal(signal.SIGHUP)
    watcher.communicate(timeout=60)
    assert watcher.returncode == 129
    assert runs.find(made.id).status == "running"


def test_a_reader_that_leaves_ends_the_watching_quietly_and_not_the_run(start: Start) -> None:
    made = start()
    command = f"'{COMMAND}' runs attach {made.id} --json | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["event"] == "run-started"
    assert runs.find(made.id).status == "running"


def test_ctrl_c_on_a_terminal_asks_and_watching_goes_on(start: Start) -> None:
    made = start()
    with Terminal(["runs", "attach", made.id]) as terminal:
        terminal.expect("Train the net")
        terminal.send("\x03")
        terminal.expect("[d]etach, [s]top it and clean up, or Enter to keep watching:")
        terminal.send("\n")
        finish(made, "completed")
        assert terminal.wait() == 0
        assert "moons completed" in terminal.text
        assert "\x1b[?25h" in terminal.output  # the cursor is shown again


def test_ctrl_c_on_a_terminal_can_detach(start: Start) -> None:
    made = start()
    with Terminal(["runs", "attach", made.id]) as terminal:
        terminal.expect("Train the net")
        terminal.send("\x03")
        terminal.expect("keep watching:")
        terminal.send("d\n")
        assert terminal.wait() == 0
        assert "Detached; the run goes on." in terminal.text
    assert runs.find(made.id).status == "running"


def test_ctrl_c_on_a_terminal_can_stop(start: Start) -> None:
    made = start()
    with Terminal(["runs", "attach", made.id]) as terminal:
        terminal.expect("Train the net")
        terminal.send("\x03")
        terminal.expect("keep watching:")
        terminal.send("s\n")
        assert terminal.wait() == 130
    assert runs.find(made.id).status == "stopped"


def test_a_second_ctrl_c_detaches(start: Start) -> None:
    made = start()
    with Terminal(["runs", "attach", made.id]) as terminal:
        terminal.expect("Train the net")
        terminal.send("\x03")
        terminal.expect("keep watching:")
        terminal.send("\x03")
        assert terminal.wait() == 0
    assert runs.find(made.id).status == "running"


def test_a_question_is_put_to_the_person_at_the_terminal(start: Start) -> None:
    made = start("ask")
    with Terminal(["runs", "attach", made.id]) as terminal:
        terminal.expect("Deploy it nevertheless?")
        terminal.expect("[REFUSE/deploy]")
        terminal.send("perhaps\n")
        terminal.expect("Answer refuse or deploy; Enter is refuse.")
        terminal.send("dep\n")
        assert terminal.wait() == 0
        assert "moons completed" in terminal.text


def test_a_question_can_be_answered_from_another_terminal(start: Start) -> None:
    made = start("ask")
    until(lambda: runs.find(made.id).status == "waiting")
    shown = run("runs", "show", made.id)
    assert "Deploy it nevertheless?" in shown.stdout
    assert f"`mlconsole runs answer {made.id} refuse|deploy`" in shown.stdout
    wrong = run("runs", "answer", made.id, "perhaps")
    assert wrong.returncode == 1 and "refuse, deploy" in wrong.stderr
    assert run("runs", "answer", made.id, "refuse").returncode == 0
    assert run("runs", "attach", made.id).returncode == 3


def test_the_list_shows_each_run_and_filters(start: Start) -> None:
    first, second = start(number=1), start(number=2)
    finish(first, "failed")
    run("runs", "attach", first.id)
    listed = json.loads(run("runs", "ls", "--json").stdout)
    assert [item["id"] for item in listed] == [second.id, first.id]
    assert [item["status"] for item in listed] == ["running", "failed"]
    assert [item["id"] for item in json.loads(run("runs", "ls", "--status", "failed", "--json").stdout)] == [
        first.id
    ]
    table = run("runs", "ls").stdout.splitlines()
    assert table[0].startswith("RUN ") and len(table) == 3
    assert "\x1b" not in "".join(table)


def test_a_record_is_deleted_only_when_its_run_has_ended(start: Start) -> None:
    made = start()
    refused = run("runs", "rm", made.id, "--yes")
    assert refused.returncode == 1 and "stop it first" in refused.stderr
    stopped = run("runs", "stop", made.id)
    assert (stopped.returncode, stopped.stdout) == (0, f"Run {made.id} is stopped; nothing is left.\n")
    unasked = run("runs", "rm", made.id)
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    assert run("runs", "rm", made.id, "--yes").returncode == 0
    assert not made.folder.exists()
    gone = run("runs", "show", made.id)
    assert gone.returncode == 1 and "There is no run yet" in gone.stderr


def test_a_run_whose_process_is_gone_reads_as_interrupted(start: Start) -> None:
    made = start()
    os.kill(runs.find(made.id).pid, signal.SIGKILL)
    until(lambda: runs.find(made.id).status == "interrupted")
    done = run("runs", "attach", made.id)
    assert done.returncode == 1
    assert f"mlconsole runs resume {made.id}" in done.stdout


def test_no_colours_where_they_are_not_wanted(start: Start) -> None:
    made = start()
    finish(made, "completed")
    with Terminal(["runs", "ls"], env={"NO_COLOR": "1"}) as terminal:
        assert terminal.wait() == 0
        assert "\x1b[3" not in terminal.output
    with Terminal(["runs", "attach", made.id], env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 0
        assert "\x1b" not in terminal.output
