"""Where data sets are found, and what is in the built-in samples."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workflows import locations
from workflows.configuration import Configuration, load
from workflows.data import loading, series
from workflows.data.catalog import DATASETS, find
from workflows.data.checking import check
from workflows.data.findings import errors
from workflows.data.installing import forget, import_file
from workflows.data.place import locate
from workflows.files import sha256
from workflows.problem import Problem

REAL = ("census", "creditcard", "energy", "plagiarism", "moons", "imdb", "boston")
SAMPLES = (*(name for name in REAL if name != "boston"), "housing")


@pytest.fixture(autouse=True)
def _samples(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No real data but where a test asks for it; the samples are made once for all tests."""
    if "real_data" in request.fixturenames:
        request.getfixturevalue("real_data")
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)
    shared = tmp_path_factory.getbasetemp() / "shared-samples"
    monkeypatch.setenv("MLCONSOLE_FETCHED_DIR", str(shared))


def test_the_order_is_imported_folder_fetched_synthetic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = locate("energy")
    assert (sample.source, sample.synthetic) == ("synthetic", True)
    assert sample.note.startswith("SYNTHETIC")
    monkeypatch.setenv("MLCONSOLE_FETCHED_DIR", str(tmp_path / "fetched"))
    shutil.copytree(sample.folder, tmp_path / "fetched" / "energy")
    assert locate("energy").source == "cache"
    shutil.copytree(sample.folder, tmp_path / "real" / "energy")
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path / "real"))
    assert locate("energy", load()).source == "folder"
    located, _ = import_file(find("energy"), sample.path)
    assert located.source == "imported"
    assert locate("energy", load()) == located
    assert locate("energy", source="folder").folder == tmp_path / "real" / "energy"
    assert forget(find("energy"), "imported") and not forget(find("energy"), "imported")
    assert locate("energy").source == "folder"


def test_the_folder_may_stand_in_the_configuration_and_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'data_dir = "{tmp_path}/nowhere"\n')
    configuration = load(file=file)
    assert configuration == Configuration(data_dir=f"{tmp_path}/nowhere")
    with pytest.raises(Problem, match="no folder"):
        locate("census", configuration)


def test_what_is_not_there_is_told_with_the_next_step() -> None:
    with pytest.raises(Problem, match="Data sets: census"):
        locate("cencus")
    with pytest.raises(Problem, match="mlconsole data import boston FILE"):
        locate("boston")
    with pytest.raises(Problem, match="no source 'cloud'"):
        locate("census", source="cloud")
    with pytest.raises(Problem, match="not there from the source imported"):
        locate("census", source="imported")


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_the_same_each_time_and_fit_the_schema(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    located = locate(name)
    assert not errors(check(located.dataset, located.folder))
    table = loading.table(located)
    assert list(table.columns)[: len(located.dataset.columns)] == [c.name for c in located.dataset.columns]
    first = {path.name: sha256(path) for path in located.folder.iterdir()}
    monkeypatch.setenv("MLCONSOLE_FETCHED_DIR", str(tmp_path))
    again = locate(name)
    assert again.folder != located.folder
    assert {path.name: sha256(path) for path in again.folder.iterdir()} == first
    assert again.sha256 == located.sha256
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_made_up_counties_have_few_causes_and_two_holes() -> None:
    table = loading.table(locate("census"))
    assert table.shape == (3_220, 37)
    facts = table.iloc[:, 3:].dropna()
    assert len(facts) == 3_218
    scaled = (facts - facts.min()) / (facts.max() - facts.min())
    power = np.linalg.svd(scaled - scaled.mean(), compute_uv=False) ** 2
    assert 0.7 < power[:7].sum() / power.sum() < 0.9
    assert not table.duplicated(["State", "County"]).any() and table["CensusId"].is_unique
    for group in (["Professional", "Service", "Office", "Construction", "Production"], ["Drive", "Carpool", "Transit", "Walk", "OtherTransp", "WorkAtHome"]):  # fmt: skip
        assert (table[group].sum(axis=1) - 100).abs().max() < 0.5


def test_made_up_frauds_are_rare_and_some_stand_there_twice() -> None:
    table = loading.table(locate("creditcard"))
    frauds = table[table["Class"] == 1]
    assert 0.0016 < len(frauds) / len(table) < 0.0018
    assert int(frauds.duplicated().sum()) == 4
    assert int(table.duplicated().sum()) > 200
    assert table["Time"].is_monotonic_increasing
    assert frauds["V14"].mean() < -3
    assert loading.valid_weight(locate("creditcard")) == 1


def test_made_up_power_has_seasons_and_whole_years() -> None:
    power = loading.daily_power(locate("energy"))
    assert len(power) == 1_442
    months = power.groupby(power.index.month).mean()
    assert months[1] > 1.6 * months[7]
    assert power[power.index.day_of_week >= 5].mean() > power[power.index.day_of_week < 5].mean() + 0.1
    train, test = (loading.series(locate("energy"), role) for role in ("train", "test"))
    assert [line["start"] for line in test] == ["2007-01-01", "2008-01-01", "2009-01-01"]
    assert [len(line["target"]) for line in test] == [365, 366, 365]
    assert [line["target"][: -series.HORIZON] for line in test] == [line["target"] for line in train]


def test_made_up_answers_have_categories_that_texts_tell_apart() -> None:
    table = loading.table(locate("plagiarism"))
    counts = Counter(table["Category"])
    assert counts == {"non": 38, "cut": 19, "light": 19, "heavy": 19, "orig": 5}
    smallest = table[table["Category"] != "orig"].groupby(["Task", "Category"]).size()
    assert smallest.min() >= 3
    found = check(find("plagiarism"), locate("plagiarism").folder)
    assert [finding.where[:4] for finding in found if finding.what == "labels"] == ["g2pE", "g4pD"]
    assert any(finding.what == "encoding" for finding in found)


def test_made_up_reviews_share_their_words() -> None:
    table = loading.table(locate("imdb"))
    assert Counter(zip(table["split"], table["label"], strict=True)) == {
        ("train", "pos"): 2_000, ("train", "neg"): 2_000, ("test", "pos"): 1_000, ("test", "neg"): 1_000,
    }  # fmt: skip
    train, test = (table[table["split"] == part] for part in ("train", "test"))
    assert int(test["review"].isin(train["review"]).sum()) == 12
    (copies,) = (
        one for one in check(find("imdb"), locate("imdb").folder) if one.what == "duplicates-across-split"
    )
    assert (copies.severity, copies.count) == ("warning", 12)
    words = [set(" ".join(train[train["label"] == label]["review"]).split()) for label in ("pos", "neg")]
    assert len(words[0] & words[1]) > 0.8 * len(words[0] | words[1])


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("imdb", lambda raw: raw[:-500], "cannot be read as imdb"),
        ("census", lambda raw: raw.replace(b"Income", b"Einkommen", 1), "it has no column Income"),
        ("census", lambda raw: raw.replace(b",Ash", b",\xe4sh"), "utf-8"),
        ("creditcard", lambda raw: raw[:200_000] + b"\n1,2,x" + b",3" * 28 + b"\n", "column V2 holds texts"),
        ("energy", lambda raw: raw.replace(b"2007-02-03", b"2007-02-30"), "column datetime"),
    ],
)  # fmt: skip
def test_damaged_data_is_a_problem_and_not_a_traceback(
    name: str, damage: Callable[[bytes], bytes], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = locate(name)
    (tmp_path / name).mkdir()
    (tmp_path / name / sample.path.name).write_bytes(damage(sample.path.read_bytes()))
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(tmp_path))
    with pytest.raises(Problem, match=says) as caught:
        loading.table(locate(name))
    assert "mlconsole data check" in caught.value.remedy


@pytest.mark.parametrize("name", REAL)
def test_the_real_data_is_found_and_has_no_errors(
    name: str, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(real_data))
    located = locate(name)
    assert (located.source, located.synthetic) == ("folder", False)
    assert not errors(check(located.dataset, located.folder))
    rows = {"creditcard": 14_120, "imdb": 6_000}.get(name, located.dataset.rows)
    assert len(loading.table(located)) == rows
    assert located.sample == (name in ("creditcard", "imdb"))


def test_the_real_series_are_those_of_the_daily_table(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(real_data))
    located = locate("energy")
    for line, made in zip(
        loading.series(located, "test"), series.lines(loading.daily_power(located)), strict=True
    ):
        difference = np.abs(np.array(line["target"]) - np.array(made["target"]))
        assert (
            np.median(difference) < 1e-9
        )  # days with missing minutes differ: they were filled in another way
        assert (difference > 1e-9).sum() < 25
    assert loading.valid_weight(locate("creditcard")) == pytest.approx(20.756, abs=1e-3)


def test_the_real_corpus_has_the_two_answers_that_look_mislabelled(real_data: Path) -> None:
    found = check(find("plagiarism"), real_data / "plagiarism")
    assert [one.where for one in found if one.what == "labels"] == ["g2pE_taskc.txt", "g4pD_taskb.txt"]


def test_the_catalog_is_complete() -> None:
    assert {dataset.study for dataset in DATASETS} >= {
        "population",
        "fraud",
        "moons",
        "forecasting",
        "plagiarism",
    }
    for dataset in DATASETS:
        assert dataset.licence and dataset.origin.page and dataset.columns
        assert not dataset.label or dataset.column(dataset.label)
    assert locations.imported_dir().is_relative_to(locations.store_dir())
