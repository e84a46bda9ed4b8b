"""Population: by command and from the menu, both interfaces, the real census and a made-up one; counties asked for afterwards."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from console.cli.root import cli
from tests.console.tmux import needs_tmux
from tests.studies.launching import TMUX, Home, Launched
from workflows import events, runs
from workflows.ledger import StaleResult
from workflows.studies.population import finished

pytestmark = pytest.mark.timeout(600)

POPULATION: dict[str, Any] = {"starts": 4, "bootstraps": 4, "nulls": 2, "msd-limit": 0.2}
CENSUS: dict[str, Any] = POPULATION | {"k-least": 6, "k-most": 6, "bootstraps": 3}
SAMPLE: dict[str, Any] = POPULATION | {"data": "synthetic", "k-least": 3, "k-most": 4, "host": "both"}


def segment_of(run: runs.Run) -> dict[str, int]:
    table = pd.read_csv(run.work / "segments.csv")
    return dict(zip(table["county"], table["segment"], strict=True))


@pytest.fixture
def census(home: Home) -> Launched:
    """Population on the real census, low level, by command."""
    return home.once("population", "low", CENSUS, real=True)


@pytest.fixture
def sample(home: Home) -> Launched:
    """Population on the sample, low level, from the menu where there is tmux."""
    return home.once("population", "low", SAMPLE, menu=TMUX)


@pytest.fixture
def carried(home: Home, sample: Launched) -> Launched:
    """Population on the sample once more, through the SDK, by command."""
    county = sorted(segment_of(sample.run))[5]
    return home.once("population", "high", SAMPLE | {"host": "kmeans", "k-least": 4, "county": county})


def test_low_on_the_census_by_command(census: Launched) -> None:
    """PCA's numbers to three decimals, from the artefact of its job."""
    table = census.table("Singular values")
    assert [row[1] for row in table.rows[:5]] == [19.592, 13.036, 11.718, 10.180, 7.991]
    assert [row[3] for row in table.rows[:7]] == [
        "0.3210", "0.4631", "0.5779", "0.6646", "0.7180", "0.7675", "0.8017",
    ]  # fmt: skip
    metrics = census.last.metrics
    assert (metrics["components"], metrics["counties"]) == (7, 3218)
    assert metrics["msd"] == pytest.approx(0.123, abs=0.002)
    assert "Los Angeles, California" in census.last.message


@needs_tmux
@pytest.mark.slow
def test_high_on_the_census_from_the_menu(home: Home, census: Launched) -> None:
    found = home.again("population", census, "high")
    assert found.last.metrics["explained_variance"] == census.last.metrics["explained_variance"]
    assert found.table(f"Numbers carried on from {census.run.id}")


def test_low_on_the_sample_from_the_menu(sample: Launched) -> None:
    assert sample.last.message.startswith("On SYNTHETIC data")
    called = sample.called
    for operation in ("CreateTrainingJob", "CreateTransformJob", "CreateEndpoint"):
        assert called.count(operation) == 2
    assert called.index("CreateTransformJob") < called.index("CreateEndpoint")
    drawn = {event.title.partition(" [")[0]: event for event in sample.of_kind(events.Figure)}
    assert {event.form for event in drawn.values()} == {"line", "bar", "heatmap", "scatter"}
    metrics = sample.last.metrics
    heat = drawn["Centroids in the components"].series[0]
    assert len(heat["z"]) == len(heat["y"]) == metrics["k"]
    assert len(heat["z"][0]) == len(heat["x"]) == metrics["components"]
    points = drawn["Counties by segment, in the first two components"].series
    assert sum(len(entry["labels"]) for entry in points) == metrics["counties"]
    assert all(len(entry["labels"]) == len(entry["x"]) == len(entry["y"]) for entry in points)
    assert metrics["agreement"] <= 1e-4
    names = [row[1] for row in sample.table("Segments by what").rows]
    assert len(set(names)) == len(names)


def test_high_on_the_sample_by_command_carries_its_numbers_on(sample: Launched, carried: Launched) -> None:
    assert carried.last.metrics["agreement_with_earlier"] > 0.9
    assert carried.table(f"Numbers carried on from {sample.run.id}")
    before, after = segment_of(sample.run), segment_of(carried.run)
    assert sum(before[name] == number for name, number in after.items()) / len(after) > 0.9
    assert "CreateEndpoint" in carried.called


def test_a_county_is_asked_for_in_the_newest_run_on_real_data(
    home: Home, census: Launched, carried: Launched
) -> None:
    """A newer one on made-up counties is named, and answers when it is asked."""
    asked = home.run("population", "county", "los angeles, CA", "--json")
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["synthetic"] is False and answer["county"] == "Los Angeles, California"
    assert runs.find(answer["run"]).created < carried.run.created
    told = home.run("population", "county", "los angeles, CA")
    assert f"the counties of the newer {carried.run.id} are made up" in told.stderr
    last = json.loads(home.run("population", "segments", "--run", "last", "--json").stdout)
    assert (last["run"], last["synthetic"]) == (carried.run.id, True)


def test_a_run_on_made_up_counties_answers_and_refuses_files_that_changed(carried: Launched) -> None:
    run, after = carried.run, segment_of(carried.run)
    county = sorted(after)[5]
    asked = CliRunner().invoke(cli, ["population", "county", county.lower(), "--run", run.id, "--json"])
    assert asked.exit_code == 0, asked.output
    answer = json.loads(asked.stdout)
    assert answer["county"] == county and answer["synthetic"] is True
    assert answer["segment"]["number"] == after[county]
    assert sum(reason["share"] for reason in answer["reasons"]) == pytest.approx(1, abs=1e-6)
    told = CliRunner().invoke(cli, ["population", "county", county, "--run", "last"])
    assert told.exit_code == 0
    assert "[SYNTHETIC data]" in told.stdout and f"segment {after[county]}" in told.stdout
    listed = json.loads(CliRunner().invoke(cli, ["population", "segments", "--run", run.id, "--json"]).stdout)
    assert sum(one["size"] for one in listed["segments"]) == len(after)
    members = CliRunner().invoke(cli, ["population", "segments", "1", "--run", run.id])
    assert "SYNTHETIC" in members.stderr
    nowhere = CliRunner().invoke(cli, ["population", "county", "Qqqq, Zzzz", "--run", run.id])
    assert "SYNTHETIC" in str(nowhere.exception) + nowhere.stderr
    first = members.stdout.splitlines()
    assert {after[name] for name in first} == {1} and len(first) == list(after.values()).count(1)
    path = run.work / "segments.csv"
    kept = path.read_text()
    path.write_text(kept.replace(",1,", ",2,", 1))
    with pytest.raises(StaleResult, match=r"segments\.csv"):
        finished.read(runs.read(run.folder))
    path.write_text(kept)
