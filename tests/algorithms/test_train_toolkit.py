"""The training toolkit's contract, run as the container's command on a directory of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.container.training_environment import arguments, decode, variable


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_json_hyperparameters_come_back_as_they_went(value: Any) -> None:
    assert decode(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text", ["adam", "", "0,1", "1e-3x", "s3://b/k", "'quoted'", "{open", "None", "True"]
)
def test_what_is_not_json_is_text(text: str) -> None:
    assert decode(text) == text


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8)))
def test_arguments_name_every_hyperparameter_in_order(given_: dict[str, str]) -> None:
    words = arguments(given_)
    assert words[1::2] == [given_[name] for name in sorted(given_)]
    assert words[::2] == [f"--{name}" if len(name) > 1 else f"-{name}" for name in sorted(given_)]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (True, "True"),
        (None, "None"),
        (0.1, "0.1"),
        ([1, "a"], "[1, 'a']"),
        ({"b": 2, "a": 1}, "a=1,b=2"),
        ("text", "text"),
    ],
)
def test_arguments_are_pythons_text(value: Any, word: str) -> None:
    assert arguments({"name": value}) == ["--name", word]


def test_variables_are_compact_json_or_text() -> None:
    assert variable("plain text") == "plain text"
    assert variable({"b": [1, 2], "a": True}) == '{"a":true,"b":[1,2]}'


def run(
    base: Path,
    files: Mapping[str, str],
    hyperparameters: Mapping[str, str],
    *,
    submit: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the container's ``train`` on a directory with the job's configuration."""
    for folder in ("input/config", "input/data/training", "model", "output/data", "code"):
        (base / folder).mkdir(parents=True)
    for name, content in files.items():
        (base / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (base / "code" / name).write_text(content)
    config = {
        "hyperparameters": {
            "sagemaker_submit_directory": submit or "s3://bucket/sourcedir.tar.gz",
            **hyperparameters,
        },
        "inputdataconfig": {"training": {"TrainingInputMode": "File"}},
        "resourceconfig": {
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "current_instance_type": "ml.m5.large",
        },
    }
    for name, content in config.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    return subprocess.run(
        [sys.executable, "-P", "-m", "algorithms.container.train"],
        env={
            **os.environ,
            "SAGEMAKER_BASE_DIR": str(base),
            "TRAINING_JOB_NAME": "job",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_is_main_in_its_own_folder_with_its_neighbours(tmp_path: Path) -> None:
    script = (
        "import os, sys, pickle\nimport neighbour\n"
        "class Thing: pass\n"
        "assert pickle.loads(pickle.dumps(Thing())).__class__ is Thing\n"
        "import __main__\nassert __main__.Thing is Thing\n"
        "print(__name__, __file__, sys.argv, sys.path[0], os.getcwd(), neighbour.VALUE, sep='|')\n"
    )
    done = run(
        tmp_path,
        {"train.py": script, "neighbour.py": "VALUE = 5"},
        {"sagemaker_program": "train.py", "e": "1"},
    )
    assert done.returncode == 0, done.stderr
    code = str(tmp_path / "code")
    assert done.stdout.splitlines()[-1] == f"__main__|{code}/train.py|['train.py', '-e', '1']|{code}|{code}|5"
    assert not (tmp_path / "output" / "failure").exists()


def test_processes_that_a_script_spawns_find_its_functions(tmp_path: Path) -> None:
    script = (
        "import multiprocessing\n"
        "def double(x):\n    return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print('doubled', pool.map(double, [21]))\n"
    )
    done = run(tmp_path, {"train.py": script}, {"sagemaker_program": "train.py"})
    assert done.returncode == 0, done.stderr
    assert "doubled [42]" in done.stdout


def test_files_beside_a_script_do_not_hide_the_standard_library_from_the_toolkit(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        {"train.py": "print('ran')", "tarfile.py": "raise SystemExit('shadowed')", "algorithms.py": "1/0"},
        {"sagemaker_program": "train.py"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ran"


def test_a_traceback_is_the_scripts_and_its_end_the_reason(tmp_path: Path) -> None:
    script = "def f():\n    raise KeyError('missing')\nf()\n"
    done = run(tmp_path, {"train.py": script}, {"sagemaker_program": "train.py", "epochs": "2"})
    assert done.returncode == 1
    assert "algorithms" not in done.stderr
    assert done.stderr.startswith("Traceback (most recent call last):")
    failure = (tmp_path / "output" / "failure").read_text()
    assert failure == (
        "ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"raise KeyError('missing')\n KeyError: 'missing'\"\n"
        f'Command "{sys.executable} train.py --epochs 2"'
    )


@pytest.mark.parametrize(
    ("leave", "code"),
    [("sys.exit(0)", 0), ("sys.exit()", 0), ("sys.exit(4)", 4), ("sys.exit('why')", 1), ("os._exit(9)", 9)],
)
def test_exit_statuses_are_the_scripts(tmp_path: Path, leave: str, code: int) -> None:
    done = run(tmp_path, {"train.py": f"import os, sys\n{leave}\n"}, {"sagemaker_program": "train.py"})
    assert done.returncode == code
    assert (tmp_path / "output" / "failure").exists() == (code in (1, 4))


def test_what_a_script_wrote_as_its_failure_stays(tmp_path: Path) -> None:
    script = (
        "import os\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('mine')\nraise ValueError\n"
    )
    run(tmp_path, {"train.py": script}, {"sagemaker_program": "train.py"})
    assert (tmp_path / "output" / "failure").read_text() == "mine"


def test_a_local_archive_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("train.py")
        info.size = len(b"print('unpacked')")
        tar.addfile(info, io.BytesIO(b"print('unpacked')"))
    done = run(tmp_path / "ml", {}, {"sagemaker_program": "train.py"}, submit=str(archive))
    assert done.stdout.splitlines()[-1] == "unpacked"


def test_an_archive_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("../../escaped.py")
        tar.addfile(info, io.BytesIO(b""))
    done = run(tmp_path / "ml", {}, {"sagemaker_program": "train.py"}, submit=str(archive))
    assert done.returncode == 1
    assert "cannot be unpacked" in (tmp_path / "ml" / "output" / "failure").read_text()
    assert not (tmp_path / "escaped.py").exists()


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({}, "does not name an entry point"),
        ({"sagemaker_program": "gone.py"}, "'gone.py' is not in the source code"),
    ],
)
def test_a_missing_program_is_named(tmp_path: Path, hyperparameters: dict[str, str], message: str) -> None:
    done = run(tmp_path, {}, hyperparameters)
    assert done.returncode != 0
    assert message in (tmp_path / "output" / "failure").read_text()


@pytest.mark.parametrize("name", ["../outside.sh", "{absolute}"])
def test_a_program_outside_the_source_code_is_left_alone(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside.sh"
    outside.write_text("echo ran\n")
    outside.chmod(0o600)
    done = run(tmp_path, {}, {"sagemaker_program": name.format(absolute=outside)})
    assert done.returncode == 2
    assert "is not in the source code" in (tmp_path / "output" / "failure").read_text()
    assert outside.stat().st_mode & 0o777 == 0o600


def test_framework_parameters_are_withheld_from_the_script(tmp_path: Path) -> None:
    script = "import json, os, sys\nprint(json.dumps([sys.argv[1:], json.loads(os.environ['SM_FRAMEWORK_PARAMS']), os.environ['SM_MODULE_DIR']]))"
    given_ = {
        "sagemaker_program": '"train.py"',
        "sagemaker_mpi_enabled": "true",
        "_tuning_objective_metric": "loss",
        "lr": "1",
    }
    done = run(tmp_path, {"train.py": script}, given_)
    assert json.loads(done.stdout.splitlines()[-1]) == [
        ["--lr", "1"],
        {"sagemaker_mpi_enabled": True},
        "s3://bucket/sourcedir.tar.gz",
    ]
