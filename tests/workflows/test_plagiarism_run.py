"""The plagiarism study as a run: a corpus that is broken on purpose, and the scores at its full size. Launches are in tests/studies."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from algorithms.plagiarism.corpus import INFORMATION
from tests.workflows.conftest import everything
from tests.workflows.told import completed, of_kind, printed
from workflows import events, runs
from workflows.configuration import Configuration
from workflows.platform import open_platform


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
