"""Plagiarism: by command and from the menu, both interfaces, the real corpus and a made-up one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.tmux import needs_tmux
from tests.studies.launching import Home, Launched
from tests.workflows.told import printed
from workflows import events
from workflows.configuration import Configuration
from workflows.platform import open_platform

pytestmark = pytest.mark.timeout(600)

PLAGIARISM: dict[str, Any] = {"spread-seeds": 5}
SAMPLE: dict[str, Any] = PLAGIARISM | {"data": "synthetic"}
TEXT = "Nobody told me about it, so I will write down what I think of it on my own: very little."


@pytest.fixture
def corpus(home: Home) -> Launched:
    """Plagiarism on the real corpus, low level, by command."""
    return home.once("plagiarism", "low", PLAGIARISM, real=True)


def test_low_on_the_corpus_by_command(corpus: Launched) -> None:
    metrics = corpus.last.metrics
    assert metrics["leave_one_out"] == pytest.approx(0.9684, abs=1e-4)
    assert metrics["accuracy"] == 1.0
    assert (metrics["answers"], metrics["points"], metrics["seeds"]) == (95, 25, 5)
    assert [row[0] for row in corpus.table("Labels").rows] == [
        "g2pE_taskc.txt", "g4pD_taskb.txt", "g4pE_taska.txt",
    ]  # fmt: skip


@needs_tmux
@pytest.mark.slow
def test_high_on_the_corpus_from_the_menu(home: Home, corpus: Launched) -> None:
    found = home.again("plagiarism", corpus, "high")
    assert found.last.metrics["leave_one_out"] == corpus.last.metrics["leave_one_out"]


@needs_tmux
@pytest.mark.slow
def test_low_on_the_sample_from_the_menu(home: Home) -> None:
    found = home.menu("plagiarism", "low", SAMPLE)
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
    assert float(printed(found.run).rpartition(" accuracy=")[2].split()[0]) >= 0.9


@pytest.mark.slow
def test_high_on_the_sample_by_command_judges_a_text_and_keeps_its_endpoint(home: Home) -> None:
    given = SAMPLE | {"text": TEXT, "features": "select", "classifier": "gaussian-nb"}
    found = home.command("plagiarism", "high", given, "--keep")
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
    stopped = home.run("runs", "stop", found.run.id)
    assert stopped.returncode == 0, stopped.stderr
    assert home.left(found.run) == []
