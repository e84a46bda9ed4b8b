"""Inputs that are broken on purpose: each is caught, named and explained, before anything is trained or shown.

Shuffled labels, rows on both sides of the split, stale predictions, a model of one class, sentinel rows in correlations, mixed
encodings: for the moons, the frauds and the plagiarism. The table in docs/studies.md says which check catches which.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algorithms.plagiarism import corpus as corpora
from tests.algorithms import answers
from tests.workflows.transactions import transactions
from tests.workflows.working import Work
from workflows import locations
from workflows.failures import WorkflowError
from workflows.ledger import StaleResult
from workflows.platform import Platform
from workflows.studies import batch, gates
from workflows.studies.moons import data, trained
from workflows.studies.study import Refused

Break = Callable[[pd.DataFrame], pd.DataFrame]


def moons(folder: Path, broken: Break) -> Work:
    """The moons study on imported points that were broken after the import's own checks."""
    train_x, _, train_y, _ = data.make()
    table = broken(pd.DataFrame({"label": train_y, "x": train_x[:, 0], "y": train_x[:, 1]}))
    place = locations.imported_dir() / "moons"
    place.mkdir(parents=True)
    table.to_csv(place / "train.csv", header=False, index=False)
    return Work("moons", folder, {"data": "imported"})


def fraud(folder: Path, broken: Break, **parameters: str | int) -> Work:
    """The fraud study on a folder of transactions, broken."""
    transactions(folder)
    path = folder / "creditcard" / "creditcard.csv"
    broken(pd.read_csv(path)).to_csv(path, index=False)
    return Work("fraud", folder, {"spread-seeds": 0, **parameters}, data_dir=str(folder))


def plagiarism(folder: Path) -> tuple[Work, Path]:
    """The plagiarism study on a small corpus, and the corpus's folder."""
    texts = folder / "plagiarism"
    texts.mkdir()
    answers.write(texts, answers.synthetic("abcde", seed=15))
    return Work("plagiarism", folder / "run", data_dir=str(folder)), texts


def shuffled(column: str) -> Break:
    return lambda table: table.assign(
        **{column: np.random.default_rng(4).permutation(table[column].to_numpy())}
    )


def test_sound_points_of_ones_own_pass(tmp_path: Path) -> None:
    work = moons(tmp_path, lambda table: table)
    work.does("prepare", "audit", "baseline")
    assert {gate.verdict for gate in work.gates.values()} == {"pass"}


def test_shuffled_labels_of_points_are_refused_with_that_name(tmp_path: Path) -> None:
    work = moons(tmp_path, shuffled("label"))
    work.does("prepare")
    with pytest.raises(WorkflowError, match="labels look shuffled"):
        work.does("audit")
    assert work.gates["labels fit the points"].verdict == "fail"


def test_shuffled_labels_of_transactions_are_refused_with_that_name(tmp_path: Path) -> None:
    work = fraud(tmp_path, shuffled("Class"))
    work.does("prepare", "audit")
    with pytest.raises(Refused, match="labels look shuffled"):
        work.does("baseline")
    assert work.gates["labels mean something"].verdict == "fail"


def test_shuffled_labels_of_answers_are_refused_with_that_name(tmp_path: Path) -> None:
    work, texts = plagiarism(tmp_path)
    path = texts / corpora.INFORMATION
    table = pd.read_csv(path)
    mine = table["Category"] != "orig"
    table.loc[mine, "Category"] = np.random.default_rng(2).permutation(table.loc[mine, "Category"].to_numpy())
    table.to_csv(path, index=False)
    work.does("prepare")
    with pytest.raises(WorkflowError, match="labels look shuffled"):
        work.does("audit")


def test_points_on_both_sides_of_the_split_are_counted_and_refused(tmp_path: Path) -> None:
    work = moons(tmp_path, lambda table: pd.concat([table, table.head(60)]))
    work.does("prepare")
    with pytest.raises(WorkflowError, match=r"\d+ test points are among the training points"):
        work.does("audit")
    assert work.gates["duplicates"].verdict == "fail"


def test_transactions_on_both_sides_of_the_split_are_counted_and_refused(tmp_path: Path) -> None:
    work = fraud(tmp_path, lambda table: pd.concat([table, table.head(40)]), split="random")
    work.does("prepare")
    with pytest.raises(
        WorkflowError, match=r"are also training rows, .* of them Class = 1: their score is memory"
    ):
        work.does("audit")


def test_an_answer_on_both_sides_of_the_split_is_named_and_refused(tmp_path: Path) -> None:
    work, texts = plagiarism(tmp_path)
    work.does("prepare")
    described = pd.read_csv(work.context.work / "features.csv")
    train, test = (described.loc[described["Datatype"] == name, "File"].iloc[0] for name in ("train", "test"))
    (texts / test).write_text((texts / train).read_text().upper())
    work.does("prepare")
    with pytest.raises(WorkflowError, match=f"{test} = {train}"):
        work.does("audit")


def test_files_that_changed_after_they_were_recorded_are_refused(tmp_path: Path) -> None:
    work = Work("moons", tmp_path)
    work.does("prepare", "audit", "baseline")
    path = work.context.work / "train.csv"
    path.write_text(path.read_text().replace("0.0,", "1.0,", 1))
    with pytest.raises(StaleResult, match=r"train\.csv \(step prepare\) is not what the run recorded"):
        work.context.ledger.verify("prepare")


@pytest.mark.parametrize(
    ("shift", "told"), [(-3600.0, "s after the job had ended"), (3600.0, "s before the job began")]
)
def test_answers_of_another_transform_job_are_stale(
    shift: float, told: str, tmp_path: Path, platform: Platform
) -> None:
    """An older output in place, as in the executed notebook that printed 0.72604 twice; and one that was put there later."""
    work = Work("fraud", tmp_path, platform=platform)
    context = work.context
    path = tmp_path / "held-out.csv.out"
    path.write_text("0.1\n0.2\n")
    output = f"{context.prefix}/scores/simple"
    context.interface.upload(path, output)
    written = (
        platform.client("s3")
        .head_object(
            Bucket=platform.bucket, Key=output.partition(f"{platform.bucket}/")[2] + "/held-out.csv.out"
        )["LastModified"]
        .timestamp()
    )
    context.step = "evaluate"
    context.ledger.begin("evaluate", {})
    with pytest.raises(WorkflowError, match="No transform job of this step wrote to"):
        batch.answers(context, output, "held-out.csv", 2)
    context.ledger.note(
        "evaluate", **{batch.TIMES: {output: ["job-1", written - 10 + shift, written + shift]}}
    )
    with pytest.raises(WorkflowError, match=f"Stale predictions: .* was written .* {told}.*job-1"):
        batch.answers(context, output, "held-out.csv", 2)
    context.ledger.note("evaluate", **{batch.TIMES: {output: ["job-1", written - 10, written]}})
    assert batch.answers(context, output, "held-out.csv", 2) == ["0.1", "0.2"]
    with pytest.raises(WorkflowError, match="2 answers to 3 rows"):
        batch.answers(context, output, "held-out.csv", 3)


def test_data_of_one_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"450 the label 1.*one-class"):
        moons(tmp_path, lambda table: table.assign(label=1)).does("prepare")
    with pytest.raises(WorkflowError, match=r"Class holds 0; it must hold 0 .* and both of them"):
        fraud(tmp_path, lambda table: table.assign(Class=0)).does("prepare")


def test_a_model_of_one_class_is_named_with_its_cause() -> None:
    dead = {"hidden": 20, "dead_units": 3, "final_relu": True}
    assert gates.both_classes("gate", [0] * 450).verdict == "fail"
    relu = trained.alive("gate", dead, [0.5] * 450)
    assert relu.verdict == "fail"
    assert relu.reason.startswith("ReLU before the sigmoid: all 450 points get exactly 1/2")
    assert "3 of 20 hidden units are dead" in relu.reason
    units = trained.alive("gate", dead | {"dead_units": 20, "final_relu": False}, [0.49] * 450)
    assert units.verdict == "fail" and units.reason.startswith("Dead units: 20 of 20")
    assert trained.alive("gate", dead, [0.5] * 200 + [0.9] * 250).verdict == "warn"
    assert trained.alive("gate", dead | {"final_relu": False}, [0.2, 0.8]).verdict == "pass"
    assert trained.alive("gate", dead | {"final_relu": False}, [0.2, 0.8], "it died later").verdict == "warn"


def test_sentinel_rows_in_transactions_are_told_with_what_they_do_to_correlations(tmp_path: Path) -> None:
    columns = [f"V{number}" for number in range(1, 29)]

    def coded(table: pd.DataFrame) -> pd.DataFrame:
        rows = table.index[table["Class"] == 0][:40]
        table.loc[rows, columns] = -999.0
        table.loc[rows, "Time"] += np.arange(40) + 1e6  # no copies of each other
        return table

    work = fraud(tmp_path, coded)
    work.does("prepare", "audit")
    gate = work.gates["sentinel rows"]
    assert gate.verdict == "warn"
    assert "rows hold a code (-999" in gate.reason and "without them" in gate.reason


def test_the_originals_minus_one_stays_out_of_correlations(tmp_path: Path) -> None:
    work, _ = plagiarism(tmp_path)
    work.does("prepare", "audit")
    assert "5 originals carry -1 and take part in nothing" in work.gates["sentinel rows"].reason
    path = work.context.work / "features.csv"
    table = pd.read_csv(path)
    columns = [name for name in table.columns if name.startswith(("c_", "lcs"))]
    row = int(np.flatnonzero(table["Category"] == 0)[0])
    table.loc[row, columns] = -1.0
    table.to_csv(path, index=False)
    with pytest.raises(StaleResult):
        work.does("audit")


def test_mixed_encodings_are_named(tmp_path: Path) -> None:
    work, texts = plagiarism(tmp_path)
    first = sorted(texts.glob("cut*.txt"))[0]
    first.write_bytes(first.read_bytes() + b" caf\xe9")
    work.does("prepare", "audit")
    assert work.gates["encodings"].verdict == "warn"
    assert "mixed encodings" in work.gates["encodings"].reason
    shutil.rmtree(work.context.work)
    work.context.work.mkdir()
    first.write_text("ein Text", encoding="utf-16")
    with pytest.raises(WorkflowError, match=f"{first.name} is UTF-16"):
        work.does("prepare")


@pytest.mark.parametrize("study", ["moons", "fraud"])
def test_a_table_in_another_encoding_is_refused(study: str, tmp_path: Path) -> None:
    made = moons(tmp_path, lambda table: table) if study == "moons" else fraud(tmp_path, lambda table: table)
    path = (
        locations.imported_dir() / "moons" / "train.csv"
        if study == "moons"
        else tmp_path / "creditcard" / "creditcard.csv"
    )
    path.write_bytes(path.read_bytes() + "1,caf\xe9,2\n".encode("latin-1"))
    with pytest.raises(WorkflowError, match=r"encod|utf-8"):
        made.does("prepare")
