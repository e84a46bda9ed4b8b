"""A process with its own /opt/ml, by namespaces and by rewriting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs import launcher

needs_namespaces = pytest.mark.skipif(
    not launcher.namespaces_allowed(), reason="the kernel does not allow namespaces here"
)


def run(root: Path, program: str, **options: bool) -> subprocess.CompletedProcess[str]:
    launch = launcher.prepare(
        ["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin", "DIR": "/opt/ml/model"}, root, **options
    )
    return subprocess.run(
        launch.argv, env=launch.env, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "ml" / "model").mkdir(parents=True)
    return tmp_path


@pytest.fixture(params=["namespaces", "rewriting"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "rewriting":
        monkeypatch.setenv(launcher.NO_NAMESPACES, "1")
    elif not launcher.namespaces_allowed():
        pytest.skip("the kernel does not allow namespaces here")
    return str(request.param)


def test_a_program_finds_its_own_directory_at_opt_ml(root: Path, mode: str) -> None:
    done = run(root, 'echo content > /opt/ml/model/made; echo "$DIR"; ls "$DIR"')
    assert done.returncode == 0, done.stderr
    assert (root / "ml" / "model" / "made").read_text() == "content\n"
    expected = "/opt/ml/model" if mode == "namespaces" else str(root / "ml" / "model")
    assert done.stdout.split() == [expected, "made"]
    assert launcher.prepare(["true"], {}, root).base == str(Path(expected).parent)


@needs_namespaces
def test_what_else_is_in_opt_stays_and_hosts_resolve(root: Path) -> None:
    before = sorted(path.name for path in Path("/opt").iterdir())
    done = run(root, "ls /opt; echo; cat /etc/hosts")
    listed, _, hosts = done.stdout.partition("\n\n")
    assert sorted(listed.split()) == sorted({*before, "ml"})
    assert "127.0.0.1 algo-1" in hosts
    assert "algo-1" not in Path("/etc/hosts").read_text()
    assert sorted(path.name for path in Path("/opt").iterdir()) == before


@needs_namespaces
def test_without_network_only_loopback_answers(root: Path) -> None:
    done = run(root, "cat /proc/net/dev", isolate_network=True)
    assert done.returncode == 0, done.stderr
    devices = [line.partition(":")[0].strip() for line in done.stdout.splitlines()[2:]]
    assert devices == ["lo"]
    ping = f"'{sys.executable}' -c \"import socket; s=socket.create_server(('127.0.0.1',0)); socket.create_connection(s.getsockname())\""
    assert run(root, ping, isolate_network=True).returncode == 0


@needs_namespaces
def test_read_only_folders_refuse_writes_of_root_too(root: Path) -> None:
    (root / "ml" / "data").mkdir()
    (root / "ml" / "data" / "file").write_text("kept")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from engine.jobs import namespace; "
        "namespace.enter(sys.argv[2], read_only=['data']); open('/opt/ml/model/x', 'w'); open('/opt/ml/data/file', 'w')"
    )
    packages = str(Path(launcher.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, packages, str(root)], capture_output=True, text=True, check=False
    )
    assert "Read-only file system: '/opt/ml/data/file'" in done.stderr
    assert (root / "ml" / "data" / "file").read_text() == "kept"
    assert (root / "ml" / "model" / "x").exists()


def test_a_switch_in_the_environment_turns_namespaces_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launcher.NO_NAMESPACES, "1")
    assert not launcher.namespaces_allowed()
    monkeypatch.setenv(launcher.NO_NAMESPACES, "0")
    assert launcher.namespaces_allowed() == launcher._probe()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/opt/ml", "/j/ml"),
        ("cd /opt/ml/code && ls /opt/ml", "cd /j/ml/code && ls /j/ml"),
        ("A=/opt/ml:/opt/ml/x", "A=/j/ml:/j/ml/x"),
        ("/opt/mlflow /opt/ml-ops /opt/ml_x", "/opt/mlflow /opt/ml-ops /opt/ml_x"),
        ("file:///opt/ml/model", "file:///j/ml/model"),
        ("/data/opt/ml/x", "/data/opt/ml/x"),
        ("nothing", "nothing"),
    ],
)
def test_only_the_directory_itself_is_rewritten(text: str, expected: str) -> None:
    assert launcher.rewritten(text, "/j/ml") == expected


@given(st.text())
def test_text_without_the_directory_stays(text: str) -> None:
    assert (
        launcher.rewritten(text, "/elsewhere") == text.replace("/opt/ml", "/elsewhere") or "/opt/ml" in text
    )
