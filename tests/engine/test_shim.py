"""The shim: how it cuts output into lines, and how it runs and ends a job by itself."""

from __future__ import annotations

import marshal
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.jobs import processes
from engine.jobs.shim import MAX_LINE, PROGRESS_SECONDS, Lines
from engine.jobs.workspace import MARK


@given(st.lists(st.binary(max_size=40)), st.data())
def test_lines_do_not_depend_on_how_the_pipe_cuts_them(wanted: list[bytes], data: st.DataObject) -> None:
    wanted = [line.replace(b"\n", b"").replace(b"\r", b"") for line in wanted]
    stream = b"".join(line + b"\n" for line in wanted)
    lines, found, start = Lines(), [], 0
    while start < len(stream):
        end = data.draw(st.integers(start + 1, len(stream)))
        found += lines.feed(stream[start:end], 0.0)
        start = end
    assert found + lines.finish() == wanted


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9), st.integers(1, 3))
def test_a_long_line_is_cut_between_characters(text: str, lengths: int) -> None:
    unit = text.encode()
    line = unit * (lengths * MAX_LINE // len(unit) + 7)
    lines = Lines()
    pieces = [*lines.feed(line, 0.0), *lines.feed(b"\n", 0.0)]
    assert b"".join(pieces) == line
    assert all(len(piece) <= MAX_LINE for piece in pieces)
    assert all(piece.decode() is not None for piece in pieces)


def test_a_progress_bar_leaves_its_last_state_and_a_line_now_and_then() -> None:
    lines = Lines()
    assert lines.feed(b"start\n 10%\r 20%\r 30%", 100.0) == [b"start", b" 20%"]
    assert lines.feed(b"\r 40%", 101.0) == []
    assert lines.feed(b"\r 50%\r 60%", 100.0 + PROGRESS_SECONDS) == [b" 50%"]
    assert lines.feed(b"\r100%\r\n", 106.0) == [b"100%"]
    assert lines.feed(b"windows\r\nno end", 107.0) == [b"windows"]
    assert lines.finish() == [b"no end"]
    assert lines.finish() == []


def make(root: Path, code: str, **changes: Any) -> Path:
    """A job directory as the workspace makes it, for a Python program."""
    (root / "ml" / "code").mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-c", code],
        "env": {**os.environ, MARK: str(root)},
        "cwd": str(root / "ml" / "code"),
        "namespaces": False,
        "hosts": ["algo-1"],
        "isolate_network": False,
        "read_only": [],
        "grace": 30,
        "max_runtime": 60,
        **changes,
    }
    (root / "spec").write_bytes(marshal.dumps(spec))
    return root


def ended(root: Path) -> dict[str, Any]:
    """What the shim wrote down at the job's end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = processes.document(root / "exit.json")
        if found is not None and not processes.alive(root):
            return found
        time.sleep(0.01)
    raise AssertionError("the shim did not end")


def output(root: Path) -> list[bytes]:
    return [line.partition(b" ")[2] for line in (root / "output").read_bytes().splitlines()]


def test_output_of_both_streams_and_the_exit_status_are_kept(tmp_path: Path) -> None:
    code = "import os, sys; os.write(1, b'out\\xff\\n'); os.write(2, b'err\\n'); os.write(1, b'rest'); sys.exit(7)"
    root = make(tmp_path / "job", code)
    processes.launch(root)
    found = ended(root)
    assert (found["code"], found["stopped"], found["error"]) == (7, "", "")
    assert output(root) == [b"out\xff", b"err", b"rest"]
    assert found["started"] <= found["ended"]


def test_a_second_shim_for_one_job_does_not_start_it_again(tmp_path: Path) -> None:
    root = make(tmp_path / "job", "import time; print('run', flush=True); time.sleep(0.3)")
    processes.launch(root)
    first = processes.document(root / "shim.json")
    processes.launch(root)
    assert processes.document(root / "shim.json") == first
    ended(root)
    processes.launch(root)
    assert output(root) == [b"run"]


def test_who_ignores_the_request_to_stop_is_killed_after_the_grace(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    root = make(tmp_path / "job", code, grace=0.3)
    processes.launch(root)
    while not (root / "output").exists() or b"deaf" not in (root / "output").read_bytes():
        time.sleep(0.01)
    assert processes.terminate(root)
    found = ended(root)
    assert (found["code"], found["stopped"]) == (-9, "requested")


def test_a_program_behind_a_shell_may_finish_within_the_grace(tmp_path: Path) -> None:
    inner = tmp_path / "inner.py"
    inner.write_text(
        "import signal, sys, time\n"
        "def save(*_):\n    time.sleep(0.3)\n    print('saved', flush=True)\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    root = make(tmp_path / "job", "", argv=["/bin/sh", "-c", f"'{sys.executable}' '{inner}'; echo never"])
    processes.launch(root)
    while not (root / "output").exists() or b"ready" not in (root / "output").read_bytes():
        time.sleep(0.01)
    processes.terminate(root)
    found = ended(root)
    assert found["stopped"] == "requested"
    assert output(root) == [b"ready", b"saved"]


def test_nothing_of_a_job_outlives_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print(child.pid)\n"
    )
    root = make(tmp_path / "job", code)
    processes.launch(root)
    assert ended(root)["code"] == 0
    assert not Path(f"/proc/{int(output(root)[0])}").exists()
    assert processes.leftovers(root) == []


def test_a_killed_shim_is_noticed_and_its_job_swept(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print('ready', flush=True)\ntime.sleep(600)\n"
    )
    root = make(tmp_path / "job", code)
    processes.launch(root)
    while not (root / "output").exists() or not (root / "output").stat().st_size:
        time.sleep(0.01)
    assert processes.alive(root)
    processes.destroy(root)
    assert not processes.alive(root)
    assert processes.leftovers(root) == []
    assert not (root / "exit.json").exists()


def test_what_cannot_be_started_is_named(tmp_path: Path) -> None:
    root = make(tmp_path / "job", "", argv=["no-such-program-here"])
    processes.launch(root)
    assert ended(root)["error"] == "no-such-program-here: No such file or directory"


def test_a_directory_without_instructions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(processes.StartError, match="spec"):
        processes.launch(tmp_path)
