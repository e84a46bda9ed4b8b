"""What the menu tells of a study before it runs: where its data is, and the most that it costs on AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows import costs
from workflows.configuration import load
from workflows.studies.catalog import catalog, find
from workflows.studies.cost import of_run
from workflows.studies.shelf import shelf, shelves


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)


def test_every_study_of_the_catalog_has_a_state_and_a_cost() -> None:
    found = shelves(load())
    assert set(found) == {info.name for info in catalog()}
    for name, one in found.items():
        assert one.data in ("synthetic", "generated", "none"), name
        assert one.note and one.dollars and one.dollars > 0


def test_real_data_is_found_and_a_sample_of_it_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fraud = find("fraud")
    assert shelf(fraud).data == "synthetic" and "data fetch" in shelf(fraud).note
    folder = tmp_path / "real" / "creditcard"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path / "real"))
    assert shelf(fraud, load()).data == "synthetic", "the folder has not got it"
    (folder / "creditcard.csv").write_text("Time\n")
    assert shelf(fraud, load()).data == "real" and str(folder) in shelf(fraud, load()).note


def test_a_folder_of_real_data_that_is_not_there_is_no_reason_for_made_up_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path / "typo"))
    found = shelf(find("fraud"), load())
    assert found.data == "missing" and "typo" in found.note


def test_the_cost_is_both_machines_for_the_usual_time() -> None:
    moons = find("moons")
    training, hosting = costs.per_hour("ml.m5.large", costs.TRAINING), costs.per_hour("ml.t2.medium")
    assert training is not None and hosting is not None
    assert of_run(moons, {}).dollars == pytest.approx((training + hosting) * moons.minutes[1] / 60)
