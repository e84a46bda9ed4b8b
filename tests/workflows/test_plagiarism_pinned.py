"""Broken inputs of the plagiarism study are caught, named and explained; baselines, gates and the two columns of a text."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from algorithms.plagiarism import corpus, evaluation, features, subsequence
from tests.algorithms import answers
from workflows.data.catalog import find
from workflows.data.place import Located
from workflows.failures import WorkflowError
from workflows.studies import gates
from workflows.studies.plagiarism import checks, hosted, pinned, sidebyside, thresholds, trained
from workflows.studies.plagiarism.pinned import Pinned
from workflows.studies.scores import confusion

NAMES = "c_1,c_3,lcs_word"


def place(folder: Path) -> Located:
    """The corpus of a folder as `locate` would find it."""
    table = folder / corpus.INFORMATION
    return Located(find("plagiarism"), "folder", folder, {"table": table}, "0" * 64, "Made for a test.")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A small corpus on disk: five tasks, 45 answers."""
    folder = tmp_path / "texts"
    folder.mkdir()
    answers.write(folder, answers.synthetic("abcde", seed=15))
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def pin(texts: Path, work: Path, names: str = NAMES) -> Pinned:
    return pinned.pin(place(texts), work, names, 0.98, 1)[0]


def test_what_was_pinned_is_read_again(texts: Path, work: Path) -> None:
    made, files = pinned.pin(place(texts), work, NAMES, 0.98, 1)
    again = pinned.read(work, made.names)
    assert (again.names, again.corpus) == (("c_1", "c_3", "lcs_word"), made.corpus)
    assert again.train.files == made.train.files and again.test.files == made.test.files
    assert (again.train.x == made.train.x).all() and (again.answers.y == made.answers.y).all()
    assert set(files) >= {work / pinned.TABLE, work / pinned.TRAIN, work / "corpus" / corpus.INFORMATION}
    for check in (checks.alignment, checks.sentinels, checks.labels, checks.duplicates):
        assert check("audit", again).verdict == "pass", check


def test_features_are_named_or_selected_on_training_answers(texts: Path, work: Path) -> None:
    selected = pin(texts, work, "select").names
    assert 1 <= len(selected) < len(pinned.CUSTOMARY)
    assert pin(texts, work, "c_8, lcs_word").names == ("c_8", "lcs_word")
    with pytest.raises(WorkflowError, match="features cannot be 'c_1,d_2': there is no feature 'd_2'"):
        pin(texts, work, "c_1,d_2")


def test_shuffled_labels_are_caught(texts: Path, work: Path) -> None:
    lines = (texts / corpus.INFORMATION).read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    mine = [row for row in rows if row[2] != "orig"]
    categories = [row[2] for row in mine]
    random.Random(3).shuffle(categories)
    for row, category in zip(mine, categories, strict=True):
        row[2] = category
    (texts / corpus.INFORMATION).write_text("\n".join([lines[0], *map(",".join, rows)]) + "\n")
    gate = checks.labels("audit", pin(texts, work))
    assert gate.verdict == "fail"
    assert "labels look shuffled, or shifted against the rows" in gate.reason


def test_misaligned_features_are_caught_and_their_owner_is_named(texts: Path, work: Path) -> None:
    made = pin(texts, work)
    values = made.features.to_numpy().copy()
    rows = [row for row, document in enumerate(made.corpus.documents) if not document.original]
    values[rows] = values[[*rows[1:], rows[0]]]
    shifted = Pinned(
        made.corpus,
        made.frame,
        made.features.assign(**dict(zip(made.features, values.T, strict=True))),
        made.names,
    )
    gate = checks.alignment("audit", shifted)
    assert gate.verdict == "fail"
    first, second = (made.corpus.documents[row].file for row in rows[:2])
    assert f"{first} has those of {second}" in gate.reason
    lines = (work / pinned.TABLE).read_text().splitlines()
    (work / pinned.TABLE).write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]) + "\n")
    with pytest.raises(
        WorkflowError, match=r"features\.csv does not list the documents of the corpus in their order"
    ):
        pinned.read(work, made.names)


def test_sentinel_rows_are_caught_and_kept_out_of_correlations(texts: Path, work: Path) -> None:
    made = pin(texts, work)
    table = made.features.copy()
    row = next(row for row, document in enumerate(made.corpus.documents) if not document.original)
    table.loc[row] = features.SENTINEL
    gate = checks.sentinels("audit", Pinned(made.corpus, made.frame, table, made.names))
    assert gate.verdict == "fail"
    assert made.corpus.documents[row].file in gate.reason
    told = checks.sentinels("audit", made).reason
    assert "5 originals carry -1" in told and "would correlate" in told
    assert features.SENTINEL not in np.concatenate([made.train.x, made.test.x])


def test_mixed_encodings_are_counted_and_foreign_ones_refused(texts: Path, work: Path) -> None:
    first, second = sorted(texts.glob("cut*.txt"))[:2]
    first.write_bytes(first.read_bytes() + b"\ncaf\xe9 \x93quoted\x94")
    gate = checks.encodings("audit", pin(texts, work).corpus)
    assert (gate.verdict, gate.value) == ("warn", 3.0)
    assert "mixed encodings" in gate.reason
    second.write_text(second.read_text(), encoding="utf-16")
    first.write_bytes(b"")
    with pytest.raises(WorkflowError) as refused:
        pin(texts, work)
    assert f"{second.name} is UTF-16 or no text" in str(refused.value)
    assert f"{first.name} is empty" in str(refused.value)


def test_a_test_answer_among_the_training_answers_is_caught(texts: Path, work: Path) -> None:
    made = pin(texts, work)
    train, test = made.train.files[0], made.test.files[0]
    (texts / test).write_text((texts / train).read_text().upper())
    gate = checks.duplicates("audit", pin(texts, work))
    assert gate.verdict == "fail"
    assert f"{test} = {train}" in gate.reason
    extra = texts / "notes.txt"
    extra.write_text("left over")
    assert checks.unlisted("audit", made.corpus, pinned.read_corpus(texts).unlisted).verdict == "warn"


def test_stale_and_misaligned_predictions_are_refused() -> None:
    offline = np.array([[1, 0.97], [0, 0.08], [1, 0.6]])
    hosted.agree(offline + 1e-12, offline)
    with pytest.raises(WorkflowError, match="stale or misaligned"):
        hosted.agree(offline[[1, 0, 2]], offline)
    with pytest.raises(WorkflowError, match=r"shape \(2, 2\) where \(3, 2\)"):
        hosted.agree(offline[:2], offline)


def test_baselines_are_judged_by_leave_one_out(texts: Path, work: Path) -> None:
    made = pin(texts, work)
    majority, one, three = thresholds.all_of(made)
    every, test = made.answers.y.tolist(), made.test.y.tolist()
    assert [item.name for item in (majority, one, three)] == [thresholds.MAJORITY, "c_1 alone", "c_3 alone"]
    assert confusion(every, majority.left_out).accuracy == pytest.approx(
        max(np.mean(every), 1 - np.mean(every))
    )
    assert confusion(every, three.left_out).accuracy > confusion(every, majority.left_out).accuracy
    assert len(one.test) == len(test)


@pytest.mark.parametrize(
    ("x", "y", "cut"),
    [([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0.5), ([0.5, 0.5], [1, 1], 0.5), ([0.3, 0.6], [0, 0], 1.6)],
)
def test_a_threshold_lies_in_the_widest_of_the_best_gaps(x: list[float], y: list[int], cut: float) -> None:
    assert thresholds.threshold(np.array(x), np.array(y)) == pytest.approx(cut)


def test_a_lucky_split_and_memorised_answers_are_warned_of() -> None:
    spread = [0.92, 0.96, 1.0, 0.96, 0.92, 0.96]
    lucky = gates.luck("evaluate", "split", 1.0, spread, 25, "leave-one-out")
    assert lucky.verdict == "warn" and "One of 25 answers is 4.0%: quote leave-one-out" in lucky.reason
    assert gates.luck("evaluate", "split", 0.96, spread, 25, "leave-one-out").verdict == "pass"
    assert trained.generalises("gate", 1.0, 0.8, 70).verdict == "warn"
    assert trained.generalises("gate", 0.98, 0.96, 70).verdict == "pass"


def test_an_answer_stands_beside_its_source_with_the_common_words_marked() -> None:
    source = "The quick brown fox jumps over the lazy dog. " + "Nothing here is of any interest. " * 12
    lines = sidebyside.rows(subsequence.align("A quick brown cat jumps high", source))
    assert all(len(cell) <= sidebyside.WIDTH for line in lines for cell in line)
    left = " ".join(cell for cell, _ in lines).strip()
    right = " ".join(cell for _, cell in lines)
    assert left == "A «quick brown» cat «jumps» high"
    assert "«quick brown» fox «jumps»" in right and "[…]" in right


def test_the_real_corpus_reaches_the_required_figures(real_data: Path, work: Path) -> None:
    made = pin(real_data / "plagiarism", work)
    left_out = evaluation.leave_one_out(made.frame, made.features, made.names, c=100.0)
    assert confusion(left_out["Class"].tolist(), left_out["Predicted"].tolist()).accuracy >= 0.958
    seeds = evaluation.over_seeds(
        made.frame.drop(columns="Datatype"), made.features, made.names, [1], c=100.0
    )
    assert seeds[1].accuracy == 1.0
    scores = [confusion(made.answers.y.tolist(), item.left_out).accuracy for item in thresholds.all_of(made)]
    assert scores[0] == pytest.approx(0.6)
    assert checks.encodings("audit", made.corpus).value > 0
    assert {
        check("audit", made).verdict
        for check in (checks.alignment, checks.sentinels, checks.labels, checks.duplicates)
    } == {"pass"}
    assert "would correlate 0.88 instead of 0.84" in checks.sentinels("audit", made).reason
