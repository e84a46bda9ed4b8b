"""What every test shares: the slow marker, the real data, and a home of its own."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells start what runs in the background deaf to Ctrl-C, and programs inherit that. Tests that press it need ears.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = (
    "console/test_snapshots.py",
    "algorithms/test_moons.py",
    "algorithms/test_linear_fraud.py",
    "workflows/test_moons_run.py",
    "console/test_cli_moons.py",
    "studies/test_population.py",
    "console/test_flows.py",
    "engine/test_supervisor.py",
    "engine/test_tuning_survival.py",
    "console/test_grammar.py",
    "console/test_results.py",
    "console/test_tuning.py",
    "console/test_lessons_of_models.py",
    "console/test_lessons.py",
    "workflows/test_drift.py",
    "workflows/test_run_results.py",
    "engine/test_tuning_advisor.py",
    "engine/test_daemon.py",
    "console/test_experiments.py",
    "studies/test_moons.py",
    "engine/test_hosting.py",
    "console/test_lessons_of_hosting_and_tuning.py",
    "engine/test_xgboost.py",
    "console/test_faults.py",
    "workflows/test_tuning.py",
    "workflows/test_statistics_simulated.py",
    "engine/test_training_sdk.py",
    "sdk/test_sdk.py",
    "workflows/test_rollout_engine.py",
    "sdk/test_transform.py",
    "algorithms/test_reviews_lstm.py",
    "algorithms/test_linear_training.py",
    "engine/test_deployment_survival.py",
    "console/test_terminal.py",
    "studies/test_fraud.py",
    "algorithms/test_serve.py",
    "engine/test_training_jobs.py",
    "workflows/test_sweep.py",
    "workflows/test_tuning_analysis.py",
    "engine/test_xgboost_jobs.py",
    "engine/test_transform_failures.py",
    "console/test_lesson_of_updating.py",
    "engine/test_tuning_search.py",
    "workflows/test_interfaces.py",
    "engine/test_transform_jobs.py",
)
"""Files that take half a minute and more. They begin first: a long one that begins last keeps one core busy and the others idle."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    rank = {folder / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))
    if config.getoption("--run-slow"):
        return
    skip = pytest.mark.skip(reason="slow: needs minutes or an environment of its own; --run-slow runs it")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported by now stays: let no collection go through it again and again, which is a fifth of what the console's tests take."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real data sets, or a skip that says why."""
    folder = os.environ.get("MLCONSOLE_DATA_DIR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real data: MLCONSOLE_DATA_DIR does not name a folder")
    return Path(folder)


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the person's own configuration, engine or runs."""
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
