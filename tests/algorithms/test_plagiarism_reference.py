"""The notebook's own unit-test values and printed figures, on the real corpus (``MLCONSOLE_DATA_DIR``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algorithms.plagiarism import arrays, audit, categories, corpus, evaluation, features, split, subsequence
from algorithms.plagiarism.corpus import Corpus

NAMES = [*(f"c_{n}" for n in range(1, 8)), "lcs_word"]
CUSTOMARY = ["c_1", "c_5", "lcs_word"]


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    if not (real_data / "plagiarism" / corpus.INFORMATION).is_file():
        pytest.skip("needs real data: MLCONSOLE_DATA_DIR holds no plagiarism/file_information.csv")
    return real_data / "plagiarism"


@pytest.fixture(scope="module")
def real(folder: Path) -> Corpus:
    return corpus.read(folder)


@pytest.fixture(scope="module")
def frame(real: Corpus) -> pd.DataFrame:
    return split.datatypes(real.frame())


@pytest.fixture(scope="module")
def table(real: Corpus) -> pd.DataFrame:
    return features.table(real, NAMES)


def test_numerical_df(folder: Path) -> None:
    found = categories.numerical(corpus.table(corpus.read_information(folder / "test_info.csv")))
    assert list(found) == ["File", "Task", "Category", "Class"]
    assert [found.loc[row, "Category"] for row in (0, 2, 30, 5, 37, 41)] == [1, 0, 3, 2, -1, -1]


def test_the_corpus_has_its_counts(real: Corpus, frame: pd.DataFrame) -> None:
    assert frame["Category"].value_counts().to_dict() == {0: 38, 1: 19, 2: 19, 3: 19, -1: 5}
    assert frame["Datatype"].value_counts().to_dict() == {"train": 70, "test": 25, "orig": 5}
    assert real.unlisted == ()
    assert audit.duplicates(real) == ()
    dropped = {document.file: document.dropped for document in real.documents if document.dropped}
    assert len(dropped) == 17
    assert dropped["g2pA_taska.txt"] == max(dropped.values()) == 10


def test_containment(table: pd.DataFrame) -> None:
    assert np.allclose(
        table.loc[:3, "c_1"], [0.39814814814814814, 1.0, 0.86936936936936937, 0.5935828877005348], rtol=1e-12
    )
    assert np.allclose(
        table.loc[:3, "c_3"],
        [0.0093457943925233638, 0.96410256410256412, 0.61363636363636365, 0.15675675675675677],
        rtol=1e-12,
    )
    assert table.loc[4, "c_1"] <= 1.0


def test_lcs(real: Corpus, table: pd.DataFrame) -> None:
    wanted = [
        0.1917808219178082,
        0.8207547169811321,
        0.8464912280701754,
        0.3160621761658031,
        0.24257425742574257,
    ]
    found = [subsequence.normalised(d.text, real.source(d).text) for d in real.documents[:5]]
    assert np.allclose(found, wanted, rtol=1e-12)
    assert table.loc[:4, "lcs_word"].tolist() == found
    assert isinstance(found[0], float)
    assert table.loc[10, "lcs_word"] <= 1.0


def test_lcs_of_the_text_that_explains_it() -> None:
    answer = "i think pagerank is a link analysis algorithm used by google that uses a system of weights attached to each element of a hyperlinked set of documents"
    source = "pagerank is a link analysis algorithm used by the google internet search engine that assigns a numerical weighting to each element of a hyperlinked set of documents"
    assert subsequence.normalised(answer, source) == pytest.approx(20 / 27)


def test_data_split(frame: pd.DataFrame, table: pd.DataFrame, tmp_path: Path) -> None:
    train, test = arrays.train_test(frame, table, NAMES[:2])
    assert (len(train.x), len(test.x), train.x.shape[1], train.y.ndim) == (70, 25, 2, 1)
    arrays.write_csv(tmp_path / "train.csv", train.x, train.y)
    written = pd.read_csv(tmp_path / "train.csv", header=None)
    assert written.shape == (70, 3)
    assert np.array_equal(written[0], train.y)
    assert np.array_equal(written[[1, 2]], train.x)


@pytest.mark.parametrize("seed", [split.SEED, split.HELPER_SEED])
def test_the_split_is_the_notebooks(frame: pd.DataFrame, seed: int) -> None:
    wanted = pd.Series("train", index=frame.index)
    wanted[frame["Category"] < 0] = "orig"
    for rows, count in ((frame["Category"] > 0, 1), (frame["Category"] == 0, 2)):
        drawn = frame[rows].groupby(["Task", "Category"], group_keys=False)
        for _, group in drawn:
            chosen = np.random.RandomState(seed).choice(len(group), size=count, replace=False)
            wanted[group.index[chosen]] = "test"
    assert split.datatypes(frame, seed)["Datatype"].tolist() == wanted.tolist()


def test_correlations_without_and_with_the_sentinels(table: pd.DataFrame) -> None:
    pairs = [("c_1", "c_5"), ("c_1", "c_6"), ("c_1", "c_7"), ("c_1", "lcs_word"), ("c_5", "lcs_word"), ("c_6", "lcs_word")]  # fmt: skip
    honest = features.correlations(table)
    assert [round(honest.loc[a, b], 2) for a, b in pairs] == [0.84, 0.81, 0.79, 0.94, 0.91, 0.89]
    printed = features.correlations(table, sentinels=True)
    pairs = [("c_1", "c_5"), ("c_1", "c_6"), ("c_1", "lcs_word"), ("c_2", "lcs_word"), ("c_3", "c_4")]
    assert [round(printed.loc[a, b], 2) for a, b in pairs] == [0.88, 0.87, 0.97, 0.98, 1.0]


def test_means_of_the_categories(frame: pd.DataFrame, table: pd.DataFrame) -> None:
    means = table[["c_1", "c_3", "lcs_word"]].groupby(frame["Category"]).mean().round(3)
    assert means.loc[0].tolist() == [0.489, 0.022, 0.241]
    assert means.loc[1].tolist() == [0.727, 0.287, 0.498]
    assert means.loc[2].tolist() == [0.822, 0.489, 0.696]
    assert means.loc[3].tolist() == [0.813, 0.647, 0.694]


def test_the_class_split_is_lucky(frame: pd.DataFrame, table: pd.DataFrame) -> None:
    found = evaluation.over_seeds(frame, table, CUSTOMARY, range(12))
    accuracies = [counts.accuracy for counts in found.values()]
    assert found[split.SEED].accuracy == 1.0
    assert min(accuracies) < 0.93 < np.mean(accuracies) < 0.97


def test_the_chosen_features_are_right_about_92_of_95_and_the_whole_class_split(
    frame: pd.DataFrame, table: pd.DataFrame
) -> None:
    judged = evaluation.leave_one_out(frame, table, features.CHOSEN)
    assert evaluation.confusion(judged["Class"], judged["Predicted"]).accuracy >= 92 / 95
    assert evaluation.over_seeds(frame, table, features.CHOSEN, [split.SEED])[split.SEED].accuracy == 1.0


def test_leave_one_out_and_the_doubtful_labels(
    real: Corpus, frame: pd.DataFrame, table: pd.DataFrame
) -> None:
    judged = evaluation.leave_one_out(frame, table, features.DEFAULT)
    assert evaluation.confusion(judged["Class"], judged["Predicted"]).accuracy >= 91 / 95
    candidates = audit.candidates(real, table[list(features.DEFAULT)], judged)
    assert [candidate.file for candidate in candidates[:2]] == ["g2pE_taskc.txt", "g4pD_taskb.txt"]
    assert str(candidates[0]).startswith("g2pE_taskc.txt is labelled cut but looks like non: c_1 = 0.368")
    mistakes = audit.mistakes(real, table, judged)
    assert {"g2pE_taskc.txt", "g4pD_taskb.txt", "g4pE_taska.txt"} <= {mistake.file for mistake in mistakes}
