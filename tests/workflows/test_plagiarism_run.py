"""The plagiarism study as a run: a process of its own, a real engine, real training and hosting, in both interfaces."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from algorithms.plagiarism.corpus import INFORMATION
from tests.workflows.conftest import everything
from tests.workflows.told import completed, of_kind, printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform
from workflows.studies.catalog import find

SYNTHETIC: dict[str, Any] = {"data": "synthetic", "spread-seeds": 5}
TEXT = "Nobody told me about it, so I will write down what I think of it on my own: very little."


def test_a_low_level_run_on_the_built_in_sample(on_engine: Path) -> None:
    run = runs.start("plagiarism", SYNTHETIC, interface="low")
    found, last = completed(run)
    steps = [name for name, _ in find("plagiarism").steps]
    assert [(event.step, event.status) for event in of_kind(events.StepFinished, found)] == [
        (step, "done") for step in steps
    ]
    assert last.message.endswith("The corpus is SYNTHETIC: this says nothing about real answers.")
    assert any(
        event.level == "warning" and event.message.startswith("SYNTHETIC")
        for event in of_kind(events.Log, found, "prepare")
    )
    titles = [
        event.title
        for event in of_kind(events.Table, found) + of_kind(events.Figure, found)
        if event.step != "cleanup"
    ]
    assert [title for title in titles if "SYNTHETIC" not in title] == []
    metrics = last.metrics
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
    gates = {event.name for event in of_kind(events.Gate, found)}
    assert gates >= {
        "encodings", "alignment", "sentinel rows", "duplicates", "labels", "target, cross-validated", "both classes", "beats chance",
        "generalises", "target, leave-one-out", "target, this split", "luck of the split", "against the baseline",
    }  # fmt: skip
    beside = [
        event for event in of_kind(events.Table, found, "evaluate") if event.columns == ["answer", "source"]
    ]
    assert beside and all("«" in event.title or any("«" in row[0] for row in event.rows) for event in beside)
    assert (
        open_platform(Configuration()).client("sagemaker").list_endpoints(NameContains=run.id)["Endpoints"]
        == []
    )
    assert float(printed(run).rpartition(" accuracy=")[2].split()[0]) >= 0.9


def test_a_run_through_the_sdk_judges_a_pasted_text_and_keeps_its_endpoint(on_engine: Path) -> None:
    given = SYNTHETIC | {"text": TEXT, "features": "select", "classifier": "gaussian-nb"}
    run = runs.start("plagiarism", given, interface="high", keep=True)
    found, last = completed(run)
    assert last.metrics["text_probability"] < 0.5
    (answers,) = [
        event
        for event in of_kind(events.Table, found, "predict")
        if event.title.startswith("Your text against")
    ]
    assert [row[0] for row in answers.rows] == [f"orig_task{task}.txt" for task in "abcde"]
    assert {row[-1] for row in answers.rows} == {"own work"}
    assert "own work" in of_kind(events.StepFinished, found, "predict")[0].summary
    (told,) = [
        event.message
        for event in of_kind(events.Log, found, "predict")
        if "While it is kept" in event.message
    ]
    body = told.partition(" -d '")[2].partition("' -a ")[0]
    answer = (
        open_platform(Configuration())
        .client("sagemaker-runtime")
        .invoke_endpoint(EndpointName=run.id, Body=body, ContentType="application/json", Accept="text/csv")
    )
    label, probability = answer["Body"].read().decode().strip().split(",")
    assert (label, float(probability)) == (
        "0",
        pytest.approx(last.metrics["text_probability"], rel=1e-5, abs=1e-9),
    )
    count = len(run.events_file.read_text().splitlines())
    runs.stop(run)
    assert list(runs.follow(run, offset=count, timeout=120))[-1].left_behind == []  # type: ignore[attr-defined]


def test_a_corpus_with_shuffled_labels_is_refused_before_anything_is_trained(
    on_engine: Path, tmp_path: Path
) -> None:
    from workflows.data.place import locate

    folder = tmp_path / "real" / "plagiarism"
    shutil.copytree(locate("plagiarism", source="synthetic").folder, folder)
    head, *rows = (folder / INFORMATION).read_text().splitlines()
    mine = [row for row in rows if not row.endswith(",orig")]
    categories = [row.rpartition(",")[2] for row in mine]
    random.Random(5).shuffle(categories)
    mixed = [f"{row.rpartition(',')[0]},{category}" for row, category in zip(mine, categories, strict=True)]
    (folder / INFORMATION).write_text(
        "\n".join([head, *mixed, *(row for row in rows if row.endswith(",orig"))]) + "\n"
    )
    run = runs.start("plagiarism", configuration=Configuration(data_dir=str(tmp_path / "real")))
    last = everything(run)[-1]
    assert isinstance(last, events.RunFinished)
    assert last.status == "failed"
    assert "labels look shuffled" in last.message
    assert (
        open_platform(Configuration())
        .client("sagemaker")
        .list_training_jobs(NameContains=run.id)["TrainingJobSummaries"]
        == []
    )


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["low", "high"])
def test_the_real_corpus_reaches_the_required_scores(
    interface: str, real_data: Path, on_engine: Path
) -> None:
    configuration = Configuration(data_dir=str(real_data))
    run = runs.start("plagiarism", interface=interface, configuration=configuration)
    found, last = completed(run)
    assert last.metrics["leave_one_out"] == pytest.approx(0.9684, abs=1e-4)
    assert last.metrics["accuracy"] == 1.0
    assert (last.metrics["seeds"], last.metrics["seeds_min"]) == (60, 0.92)
    doubtful = [
        event for event in of_kind(events.Table, found, "evaluate") if event.title.startswith("Labels")
    ]
    assert [row[0] for row in doubtful[0].rows] == ["g2pE_taskc.txt", "g4pD_taskb.txt", "g4pE_taska.txt"]
    assert float(printed(run).rpartition(" accuracy=")[2].split()[0]) >= 0.9


@pytest.mark.slow
def test_the_notebooks_settings_are_printed_beside_what_notebooks_printed(
    real_data: Path, on_engine: Path
) -> None:
    configuration = Configuration(data_dir=str(real_data))
    run = runs.start("plagiarism", interface="low", preset="as-in-notebook", configuration=configuration)
    found, last = completed(run)
    assert last.metrics["leave_one_out"] == pytest.approx(0.9368, abs=1e-4)
    (beside,) = [event for event in of_kind(events.Table, found) if event.title == "As in the notebook"]
    assert beside.rows == [
        ["recall", 1.0, 1.0, "+0.0000"], ["precision", 0.9375, 0.9375, "+0.0000"], ["accuracy", 0.96, 0.96, "+0.0000"],
    ]  # fmt: skip
    (scores,) = [
        event for event in of_kind(events.Table, found, "evaluate") if event.title.startswith("Scores")
    ]
    assert ["notebook: logistic regression, c_1, c_5, lcs_word", 9, 1, 0, 15, 1.0, 0.938, 0.96] in scores.rows
