"""The population study as a run: a real engine, real jobs and endpoints, both interfaces; numbers that stay; afterwards; broken inputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from console.cli.root import cli
from tests.workflows.conftest import everything
from tests.workflows.told import completed, end, of_kind, printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.ledger import StaleResult
from workflows.platform import open_platform
from workflows.studies.catalog import find
from workflows.studies.parameters import ParameterError
from workflows.studies.population import finished

REAL = os.environ.get("MLCONSOLE_DATA_DIR", "")
QUICK: dict[str, Any] = {
    "data": "synthetic", "k-least": 3, "k-most": 4, "starts": 4, "bootstraps": 4, "nulls": 2, "msd-limit": 0.2,
}  # fmt: skip
ANYWAY = {"deploy-anyway": "deploy"}


def figures(found: list[events.Event]) -> dict[str, events.Figure]:
    return {event.title.partition(" [")[0]: event for event in of_kind(events.Figure, found)}


def segment_of(run: runs.Run) -> dict[str, int]:
    table = pd.read_csv(run.work / "segments.csv")
    return dict(zip(table["county"], table["segment"], strict=True))


def test_both_interfaces_segment_host_and_delete_and_keep_their_numbers(on_engine: Path) -> None:
    low = runs.start("population", {**QUICK, "host": "both"}, interface="low", auto_answers=ANYWAY)
    found, last = completed(low)
    assert last.message.startswith("On SYNTHETIC data")
    steps = [name for name, _ in find("population").steps]
    assert [(event.step, event.status) for event in of_kind(events.StepFinished, found)] == [
        (step, "done") for step in steps
    ]
    titles = [
        event.title
        for event in (*of_kind(events.Table, found), *of_kind(events.Figure, found))
        if event.step != "cleanup"
    ]
    assert [title for title in titles if "SYNTHETIC" not in title] == []
    called = [event.operation for event in of_kind(events.ApiCall, found)]
    assert (
        called.count("CreateTrainingJob")
        == called.count("CreateTransformJob")
        == called.count("CreateEndpoint")
        == 2
    )
    assert called.index("CreateTransformJob") < called.index("CreateEndpoint")
    drawn = figures(found)
    assert {event.form for event in drawn.values()} == {"line", "bar", "heatmap", "scatter"}
    heat = drawn["Centroids in the components"].series[0]
    assert (
        len(heat["z"]) == len(heat["y"]) == last.metrics["k"]
        and len(heat["z"][0]) == len(heat["x"]) == last.metrics["components"]
    )
    points = drawn["Counties by segment, in the first two components"].series
    assert sum(len(entry["labels"]) for entry in points) == last.metrics["counties"]
    assert all(len(entry["labels"]) == len(entry["x"]) == len(entry["y"]) for entry in points)
    assert last.metrics["agreement"] <= 1e-4
    names = [
        row[1]
        for row in next(
            table for table in of_kind(events.Table, found) if table.title.startswith("Segments by what")
        ).rows
    ]
    assert len(set(names)) == len(names)
    script = runs.code(runs.read(low.folder))
    compile(script, "script.py", "exec")
    assert "ModelTrainer" not in script and "workflows" not in script

    high = runs.start(
        "population",
        {**QUICK, "k-least": 4, "county": sorted(segment_of(low))[5]},
        interface="high",
        auto_answers=ANYWAY,
    )
    again, last = completed(high)
    assert last.metrics["agreement_with_earlier"] > 0.9
    assert any(
        table.title.startswith(f"Numbers carried on from {low.id}") for table in of_kind(events.Table, again)
    )
    before, after = segment_of(low), segment_of(high)
    assert sum(before[name] == number for name, number in after.items()) / len(after) > 0.9
    clusters = [
        [one.cluster for one in finished.read(runs.read(run.folder)).segments.segments] for run in (low, high)
    ]
    assert len(clusters[0]) == len(clusters[1])
    assert "CreateEndpoint" in {event.operation for event in of_kind(events.ApiCall, again)}
    sagemaker = open_platform(Configuration()).client("sagemaker")
    for run in (low, high):
        assert sagemaker.list_models(NameContains=run.id)["Models"] == []
        assert sagemaker.list_endpoints(NameContains=run.id)["Endpoints"] == []
    script = runs.code(runs.read(high.folder))
    compile(script, "script.py", "exec")
    assert "ModelTrainer" in script
    _asked_afterwards(high, sorted(after)[5], after)


def _asked_afterwards(run: runs.Run, county: str, after: dict[str, int]) -> None:
    """The command answers from the files of the run, and refuses files that changed."""
    asked = CliRunner().invoke(cli, ["population", "county", county.lower(), "--run", run.id, "--json"])
    assert asked.exit_code == 0, asked.output
    answer = json.loads(asked.stdout)
    assert (
        answer["county"] == county
        and answer["segment"]["number"] == after[county]
        and answer["synthetic"] is True
    )
    assert sum(reason["share"] for reason in answer["reasons"]) == pytest.approx(1, abs=1e-6)
    told = CliRunner().invoke(cli, ["population", "county", county])
    assert (
        told.exit_code == 0
        and "[SYNTHETIC data]" in told.stdout
        and f"segment {after[county]}" in told.stdout
    )
    listed = json.loads(CliRunner().invoke(cli, ["population", "segments", "--json"]).stdout)
    assert sum(one["size"] for one in listed["segments"]) == len(after)
    members = CliRunner().invoke(cli, ["population", "segments", "1"])
    assert "SYNTHETIC" in members.stderr
    nowhere = CliRunner().invoke(cli, ["population", "county", "Qqqq, Zzzz"])
    assert "SYNTHETIC" in str(nowhere.exception) + nowhere.stderr
    first = members.stdout.splitlines()
    assert {after[name] for name in first} == {1} and len(first) == list(after.values()).count(1)
    path = run.work / "segments.csv"
    path.write_text(path.read_text().replace(",1,", ",2,", 1))
    with pytest.raises(StaleResult, match=r"segments\.csv"):
        finished.read(runs.read(run.folder))


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


@pytest.mark.skipif(not REAL, reason="MLCONSOLE_DATA_DIR leads to no real data")
def test_the_real_census_by_the_built_in_algorithms(on_engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PCA's numbers to three decimals, from the artefact of its job; more segments are in the slow test."""
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", REAL)
    quick = {**QUICK, "data": "auto", "k-least": 6, "k-most": 6, "bootstraps": 3}
    found, last = completed(runs.start("population", quick))
    table = next(one for one in of_kind(events.Table, found) if one.title.startswith("Singular values"))
    assert [row[1] for row in table.rows[:5]] == [19.592, 13.036, 11.718, 10.180, 7.991]
    assert [row[3] for row in table.rows[:7]] == [
        "0.3210",
        "0.4631",
        "0.5779",
        "0.6646",
        "0.7180",
        "0.7675",
        "0.8017",
    ]
    assert (last.metrics["components"], last.metrics["counties"], last.metrics["synthetic"]) == (7, 3218, 0)
    assert last.metrics["msd"] == pytest.approx(0.123, abs=0.002)
    assert "Los Angeles, California" in last.message


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
