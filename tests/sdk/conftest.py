"""Clients that nobody here wrote, each in a virtual environment of its own, against a real engine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parent / "programs"
SOURCE = Path(__file__).parents[2] / "algorithms" / "moons" / "source"


def _venvs() -> Path:
    """Where the clients' environments are kept between runs: they take minutes to make."""
    return Path(os.environ.get("MLCONSOLE_TEST_VENVS", Path.home() / ".cache" / "mlconsole-test-venvs"))


@pytest.fixture(scope="session")
def environment_with() -> Callable[..., Path]:
    """Makes (once) a virtual environment with the given requirements; returns its ``bin`` folder."""

    def make(*requirements: str) -> Path:
        digest = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:12]
        folder = _venvs() / digest
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            done = subprocess.run(
                [str(folder / "bin" / "pip"), "install", "-q", *requirements],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"cannot install {requirements}: {done.stderr.strip().splitlines()[-1:]}")
            (folder / "ready").touch()
        return folder / "bin"

    return make


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a shell after ``eval "$(mlconsole engine env)"``, with an engine of its own."""
    home = tmp_path / "home"
    base = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MLCONSOLE_"))}
    base |= {
        "MLCONSOLE_HOME": str(home),
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{base['PATH']}",
    }
    mlconsole = [sys.executable, "-m", "console"]
    try:
        done = subprocess.run(
            [*mlconsole, "engine", "env", "--json"], env=base, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        yield base | json.loads(done.stdout)["set"]
    finally:
        subprocess.run([*mlconsole, "engine", "stop"], env=base, capture_output=True, check=False)


@pytest.fixture
def train_csv(tmp_path: Path) -> Path:
    """The moons study's training rows: label first, no header."""
    import numpy
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    numpy.random.seed(0)
    points, labels = make_moons(600, noise=0.25)
    x, _, y, _ = train_test_split(points, labels, test_size=0.25, random_state=1)
    path = tmp_path / "train.csv"
    numpy.savetxt(path, numpy.column_stack([y, x]), delimiter=",", fmt="%.18g")
    return path


@pytest.fixture
def run_program(shell: dict[str, str], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs one of ``programs/`` with an interpreter; it writes its findings as JSON."""

    def run(python: Path | str, program: str, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(python), str(PROGRAMS / program), *arguments],
            env=shell | {"RESULT": str(tmp_path / "result.json")}, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
        return result

    return run
