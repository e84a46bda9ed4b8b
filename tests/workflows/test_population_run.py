"""The population study as a run: what is refused, the printed script, and the scores at its full size. Launches are in tests/studies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.workflows.conftest import everything
from tests.workflows.told import completed, end, of_kind, printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.studies.parameters import ParameterError
from workflows.studies.population import finished

REAL = os.environ.get("MLCONSOLE_DATA_DIR", "")
QUICK: dict[str, Any] = {
    "data": "synthetic", "k-least": 3, "k-most": 4, "starts": 4, "bootstraps": 4, "nulls": 2, "msd-limit": 0.2,
}  # fmt: skip
ANYWAY = {"deploy-anyway": "deploy"}


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["low", "high"])
def test_the_printed_script_runs(interface: str, on_engine: Path) -> None:
    run = runs.start("population", {**QUICK, "host": "both"}, interface=interface, auto_answers=ANYWAY)
    _, last = completed(run)
    said = dict(pair.split("=") for pair in printed(run).strip().splitlines()[-1].split())
    assert (int(said["components"]), int(said["k"])) == (last.metrics["components"], last.metrics["k"])
    assert float(said["explained"]) == pytest.approx(last.metrics["explained_variance"], abs=1e-4)


def test_what_cannot_be_asked_for_is_refused_before_anything_is_made(on_engine: Path) -> None:
    for wrong, says in (
        ({"county": "Atlantis, Sea"}, "There is no county 'Atlantis, Sea' in the data. Did you mean"),
        ({"k": 1}, "one segment is no segmentation"),
    ):
        found = everything(runs.start("population", {**QUICK, **wrong}))
        assert end(found).status == "failed" and says in end(found).message
        assert "CreateTrainingJob" not in {event.operation for event in of_kind(events.ApiCall, found)}
    with pytest.raises(ParameterError, match="k cannot be '101'"):
        runs.start("population", {"k": 101})
    with pytest.raises(Exception, match="No run has segments yet"):
        finished.find()


def test_codes_for_missing_values_are_refused_by_the_audit(
    on_engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from workflows.studies.population import data

    place = data.located(Configuration(), "synthetic")
    table = pd.read_csv(place.path)
    table.loc[[3, 7], ["IncomeErr", "IncomePerCapErr"]] = -666666666
    (tmp_path / "census").mkdir()
    table.to_csv(tmp_path / "census" / "acs2015_county_data.csv", index=False)
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path))
    found = everything(runs.start("population", {**QUICK, "data": "auto"}))
    assert end(found).status == "refused", end(found).message
    assert "2 rows hold a code" in end(found).message and "IncomeErr" in end(found).message


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="MLCONSOLE_DATA_DIR leads to no real data")
@pytest.mark.parametrize(
    ("interface", "preset", "k"), [("low", "", 6), ("high", "", 6), ("low", "as-in-notebook", 8)]
)
def test_the_real_census_with_the_settings_of_a_person(
    interface: str, preset: str, k: int, on_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", REAL)
    found, last = completed(runs.start("population", interface=interface, preset=preset))
    assert last.metrics["k"] == k
    stable = next(gate for gate in of_kind(events.Gate, found, "gate") if gate.name == "stable")
    assert stable.verdict == ("warn" if preset else "pass")
