"""Moons and plagiarism, whose training code is sent to SageMaker: by command and from the menu, both interfaces, real and made-up data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.tmux import needs_tmux
from tests.studies.launching import Home, Launched, data_is_labelled
from tests.workflows.told import printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform
from workflows.studies.catalog import find

pytestmark = pytest.mark.timeout(600)

MOONS: dict[str, Any] = {"epochs": 60, "patience": 0, "seeds": 2}
OWN: dict[str, Any] = MOONS | {"data": "imported"}
PLAGIARISM: dict[str, Any] = {"spread-seeds": 5}
SAMPLE: dict[str, Any] = PLAGIARISM | {"data": "synthetic"}
TEXT = "Nobody told me about it, so I will write down what I think of it on my own: very little."


@pytest.fixture
def generated(home: Home) -> Launched:
    """Moons on the notebook's points, through the SDK, by command."""
    return home.once("moons", "high", MOONS)


@pytest.fixture
def imported(home: Home) -> Launched:
    """Moons on points that were imported as a person imports a file, low level, by command."""
    done = home.run("data", "import", "moons", str(home.real / "moons" / "train.csv"), "--yes")
    assert done.returncode == 0, done.stderr
    return home.once("moons", "low", OWN)


@pytest.fixture
def corpus(home: Home) -> Launched:
    """Plagiarism on the real corpus, low level, by command."""
    assert home.real
    return home.once("plagiarism", "low", PLAGIARISM)


@needs_tmux
def test_moons_low_generated_from_the_menu(home: Home) -> None:
    """Gallery, form, run, results, a figure over the whole screen."""
    console = home.form("moons")
    home.fill("moons", "low", MOONS | {"epochs": 0})
    console.shows("epochs cannot be '0': it is a whole number from 1 to 5000")
    console.press("C-s")  # goes to the field
    console.press("C-a", "C-k", "6", "0")
    found = home.start("moons", "low", MOONS)
    assert "Generated data: 450 training" in found.screen
    assert found.last.metrics["accuracy"] > 0.86
    assert found.last.left_behind == [] == home.left(found.run)
    console.press("Tab")
    console.shows("Enter full screen")
    console.press("Enter")
    console.shows("1 of ")
    console.press("Escape")
    console.shows("1 of ", False)
    console.press("4")
    console.shows(f" · {len(runs.list_runs())} run")


def test_moons_high_generated_by_command(home: Home, generated: Launched) -> None:
    metrics = generated.last.metrics
    assert generated.run.metrics == metrics
    assert metrics["accuracy"] > 0.86
    assert metrics["baseline_accuracy"] == pytest.approx(0.9)
    assert metrics["logistic_regression_accuracy"] == pytest.approx(0.86)
    assert metrics["lift"] == pytest.approx(metrics["accuracy"] - 0.9, abs=1e-6)
    assert (metrics["points"], metrics["seeds"], metrics["epochs"]) == (150, 2, 60)
    assert metrics["seeds_min"] <= metrics["seeds_mean"] <= metrics["seeds_max"]
    assert metrics["agreement"] <= 1e-5
    assert {"precision", "recall", "train_seconds", "billable_seconds", "latency_ms_p50"} <= metrics.keys()
    assert generated.last.left_behind == [] == home.left(generated.run)


def test_moons_tells_every_step_from_its_start_to_its_end(generated: Launched) -> None:
    steps = [name for name, _ in find("moons").steps]
    assert [event.step for event in generated.of_kind(events.StepStarted)] == steps
    first = generated.events[0]
    assert isinstance(first, events.RunStarted)
    assert [item["id"] for item in first.steps] == steps


def test_moons_tells_epochs_gates_calls_and_figures(generated: Launched) -> None:
    losses = [event for event in generated.of_kind(events.Metric, "train") if event.name == "train:loss"]
    assert [event.x for event in losses] == list(range(1, 61))
    assert losses[-1].value < losses[0].value
    progress = [(event.unit, event.done) for event in generated.of_kind(events.Progress, "train")]
    assert [done for unit, done in progress if unit == "epochs"] == list(range(1, 61))
    assert [done for unit, done in progress if unit == "seeds"] == [1, 2] and progress[-1] == ("seeds", 2)
    curves = {
        event.title: [one["name"] for one in event.series]
        for event in generated.of_kind(events.Figure, "train")
    }
    assert curves["Training"] == ["train:loss", "validation:loss"]
    assert curves["Hidden units that are dead"] == ["train:dead_units"]
    gates = generated.gates
    assert set(gates) >= {"loss moves", "both classes", "beats chance", "against the baseline", "duplicates"}
    assert set(gates) >= {"units alive", "luck of the net"}
    assert "fail" not in gates.values()
    live = [event for event in generated.of_kind(events.Figure, "train") if event.key]
    assert {event.key for event in live} == {"boundary h0128-e0060"}
    assert live[-1].title == "Decision boundary after epoch 60"
    assert live[-1].form == "field" and live[-1].replaces(live[0])
    assert not [event for event in generated.of_kind(events.Log) if event.message.startswith("boundary ")]
    field = generated.of_kind(events.Figure, "predict")[0]
    assert field.form == "field"
    surface = field.series[0]
    assert (len(surface["z"]), len(surface["z"][0])) == (len(surface["y"]), len(surface["x"]))
    assert {
        "CreateTrainingJob", "CreateModel", "CreateEndpoint", "InvokeEndpoint", "DeleteEndpoint",
    } <= set(generated.called)  # fmt: skip
    text = generated.run.events_file.read_text()
    assert "accessKey" not in text.replace("AccessKeyId", "")
    statuses = [
        event.message.split(":")[0]
        for event in generated.of_kind(events.Log, "train")
        if event.source == "training job"
    ]
    assert statuses[0] == "Starting"
    assert "Completed" in statuses
    kinds = {event.what for event in generated.of_kind(events.Artifact)}
    assert {"data", "training job", "model", "endpoint", "predictions"} <= kinds


def test_moons_tags_its_job(home: Home, generated: Launched) -> None:
    sagemaker = open_platform(Configuration()).client("sagemaker")
    (job,) = sagemaker.list_training_jobs(NameContains=generated.run.id)["TrainingJobSummaries"]
    tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "mlconsole:run", "Value": generated.run.id} in tags


def test_moons_low_on_imported_points_by_command(home: Home, imported: Launched) -> None:
    """A quarter of the points tests; the net loses to a baseline by a point or two, and is hosted because that was asked for."""
    assert "Imported by you from " in imported.screen
    assert imported.of_kind(events.StepFinished, "prepare")[0].summary == (
        "Imported data: 337 training points, 113 test points."
    )
    assert imported.last.metrics["points"] == 113 and imported.last.metrics["accuracy"] > 0.86
    assert imported.last.left_behind == [] == home.left(imported.run)


@needs_tmux
def test_moons_high_on_imported_points_from_the_menu(home: Home, imported: Launched) -> None:
    found = home.again("moons", imported, "high")
    assert found.last.metrics["accuracy"] == pytest.approx(imported.last.metrics["accuracy"], abs=0.02)
    assert found.last.left_behind == [] == home.left(found.run)


def test_plagiarism_low_on_the_corpus_by_command(home: Home, corpus: Launched) -> None:
    data_is_labelled(corpus, synthetic=False)
    metrics = corpus.last.metrics
    assert metrics["leave_one_out"] == pytest.approx(0.9684, abs=1e-4)
    assert metrics["accuracy"] == 1.0
    assert (metrics["answers"], metrics["points"], metrics["seeds"]) == (95, 25, 5)
    assert [row[0] for row in corpus.table("Labels").rows] == [
        "g2pE_taskc.txt", "g4pD_taskb.txt", "g4pE_taska.txt",
    ]  # fmt: skip
    assert corpus.last.left_behind == [] == home.left(corpus.run)


@needs_tmux
def test_plagiarism_high_on_the_corpus_from_the_menu(home: Home, corpus: Launched) -> None:
    found = home.again("plagiarism", corpus, "high")
    data_is_labelled(found, synthetic=False)
    assert found.last.metrics["leave_one_out"] == corpus.last.metrics["leave_one_out"]
    assert found.last.left_behind == [] == home.left(found.run)


@needs_tmux
def test_plagiarism_low_on_the_sample_from_the_menu(home: Home) -> None:
    home.form("plagiarism")
    home.fill("plagiarism", "low", SAMPLE)
    found = home.start("plagiarism", "low", SAMPLE)
    data_is_labelled(found, synthetic=True)
    assert found.last.message.endswith("The corpus is SYNTHETIC: this says nothing about real answers.")
    assert any(
        event.level == "warning" and event.message.startswith("SYNTHETIC")
        for event in found.of_kind(events.Log, "prepare")
    )
    metrics = found.last.metrics
    assert metrics["leave_one_out"] >= 0.9
    assert (metrics["answers"], metrics["points"], metrics["seeds"], metrics["doubtful_labels"]) == (
        95,
        25,
        5,
        2,
    )
    assert metrics["seeds_min"] <= metrics["seeds_mean"] <= metrics["seeds_max"]
    assert metrics["agreement"] <= 1e-9
    assert metrics["text_probability"] > 0.9
    assert set(found.gates) >= {
        "encodings", "alignment", "sentinel rows", "duplicates", "labels", "target, cross-validated", "both classes", "beats chance",
        "generalises", "target, leave-one-out", "target, this split", "luck of the split", "against the baseline",
    }  # fmt: skip
    beside = [
        event for event in found.of_kind(events.Table, "evaluate") if event.columns == ["answer", "source"]
    ]
    assert beside and all("«" in event.title or any("«" in row[0] for row in event.rows) for event in beside)
    assert found.last.left_behind == [] == home.left(found.run)
    assert float(printed(found.run).rpartition(" accuracy=")[2].split()[0]) >= 0.9


def test_plagiarism_high_on_the_sample_by_command_judges_a_text_and_keeps_its_endpoint(home: Home) -> None:
    given = SAMPLE | {"text": TEXT, "features": "select", "classifier": "gaussian-nb"}
    found = home.command("plagiarism", "high", given, "--keep")
    data_is_labelled(found, synthetic=True)
    assert found.last.metrics["text_probability"] < 0.5
    answers = found.table("Your text against")
    assert [row[0] for row in answers.rows] == [f"orig_task{task}.txt" for task in "abcde"]
    assert {row[-1] for row in answers.rows} == {"own work"}
    assert "own work" in found.of_kind(events.StepFinished, "predict")[0].summary
    (told,) = [
        event.message for event in found.of_kind(events.Log, "predict") if "While it is kept" in event.message
    ]
    body = told.partition(" -d '")[2].partition("' -a ")[0]
    answer = (
        open_platform(Configuration())
        .client("sagemaker-runtime")
        .invoke_endpoint(
            EndpointName=found.run.id, Body=body, ContentType="application/json", Accept="text/csv"
        )
    )
    label, probability = answer["Body"].read().decode().strip().split(",")
    assert (label, float(probability)) == (
        "0",
        pytest.approx(found.last.metrics["text_probability"], rel=1e-5, abs=1e-9),
    )
    stopped = home.run("runs", "stop", found.run.id, "--yes")
    assert stopped.returncode == 0, stopped.stderr
    assert home.left(found.run) == []
