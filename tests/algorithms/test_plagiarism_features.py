"""Features against their definitions: scikit-learn's vectorizer and a plain dynamic programme."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.plagiarism import (
    arrays,
    audit,
    cleaning,
    containment,
    evaluation,
    features,
    split,
    subsequence,
)
from algorithms.plagiarism.features import FeatureError
from tests.algorithms import answers

WORDS = st.lists(
    st.sampled_from(["a", "b7", "cat", "dog", "i", "the", "of", "x9", "zebra"]), min_size=1, max_size=25
)
TEXTS = WORDS.map(" ".join)


def vectorized(answer: str, source: str, n: int) -> float:
    """Containment as the notebook works it out; 0 where the answer has no n-gram."""
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        counts = (
            CountVectorizer(analyzer="word", ngram_range=(n, n)).fit_transform([answer, source]).toarray()
        )
    except ValueError:  # empty vocabulary
        return 0.0
    return float(counts.min(axis=0).sum() / counts[0].sum()) if counts[0].sum() else 0.0


def tabulated(answer: list[str], source: list[str]) -> int:
    """The longest common subsequence by the textbook's table."""
    table = [[0] * (len(source) + 1) for _ in range(len(answer) + 1)]
    for i, word in enumerate(answer, 1):
        for j, other in enumerate(source, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if word == other else max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_features_are_those_of_the_definitions(pairs: list[tuple[str, str]]) -> None:
    names = [*(f"c_{n}" for n in (3, 1, 2, 17)), "lcs_word"]
    found = features.of(pairs, names)
    for row, (answer, source) in zip(found, pairs, strict=True):
        lcs = tabulated(answer.split(), source.split()) / len(answer.split())
        wanted = [*(vectorized(answer, source, n) for n in (3, 1, 2, 17)), lcs]
        assert row.tolist() == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.text("aB1_é'. -", min_size=1, max_size=40), st.text("aB1_é'. -", max_size=40), st.integers(1, 4))
def test_containment_tokenizes_any_text_as_scikit_learn_does(answer: str, source: str, n: int) -> None:
    assert containment.containment(answer, source, n) == pytest.approx(
        vectorized(answer, source, n), abs=1e-12
    )


def test_long_texts_of_many_words_are_counted_exactly_for_large_n() -> None:
    rng = np.random.default_rng(4)
    source = [f"w{number}" for number in rng.integers(0, 3000, 5000)]
    answer = [*source[100:2100], *(f"w{number}" for number in rng.integers(0, 3000, 500)), *source[:90]]
    pair = (" ".join(answer), " ".join(source))
    names = [f"c_{n}" for n in (1, 5, 6, 11, 40)]
    wanted = [vectorized(*pair, n) for n in (1, 5, 6, 11, 40)]
    assert (
        features.of([pair, ("one two", "one"), pair], names)[[0, 2]].tolist() == [pytest.approx(wanted)] * 2
    )


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_matches_are_one_longest_common_subsequence(answer: list[str], source: list[str]) -> None:
    found = subsequence.matches(answer, source)
    assert len(found) == tabulated(answer, source)
    assert all(answer[here] == source[there] for here, there in found)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(found))


@settings(max_examples=60, deadline=None)
@given(st.text("ab İ,.\n", max_size=40), st.text("ab İ,.\n", max_size=40))
def test_an_alignment_is_both_texts_whole_with_the_same_runs(answer: str, source: str) -> None:
    found = subsequence.align(answer, source)
    assert "".join(piece.text for piece in found.answer) == answer
    assert "".join(piece.text for piece in found.source) == source
    runs = [
        {p.run: cleaning.clean(p.text).split() for p in side if p.run is not None}
        for side in (found.answer, found.source)
    ]
    assert runs[0] == runs[1]
    assert list(runs[0]) == list(range(len(runs[0])))
    assert sum(map(len, runs[0].values())) == found.common
    assert found.share == pytest.approx(
        subsequence.normalised(cleaning.clean(answer), cleaning.clean(source))
    )


def test_words_in_a_row_are_one_stretch() -> None:
    found = subsequence.align("The quick, brown fox!", "A quick brown dog and a fox")
    assert [(piece.text, piece.run) for piece in found.answer] == [
        ("The ", None), ("quick, brown", 0), (" ", None), ("fox", 1), ("!", None)
    ]  # fmt: skip
    assert found.share == pytest.approx(3 / 4)


def test_texts_that_are_too_long_to_lay_side_by_side_are_refused_and_still_measured() -> None:
    long = "word " * 40_000
    with pytest.raises(subsequence.TooLong, match=r"40,000 and 40,000 words are too many.*; shorten one"):
        subsequence.align(long, long)
    assert subsequence.normalised(long, long) == 1.0


def test_a_table_is_aligned_with_the_corpus_and_says_nothing_of_originals() -> None:
    corpus = answers.synthetic()
    table = features.table(corpus, ["c_2", "lcs_word"])
    assert table.index.equals(corpus.frame().index)
    for document, row in zip(corpus.documents, table.to_numpy().tolist(), strict=True):
        if document.original:
            assert row == [-1.0, -1.0]
        else:
            source = corpus.source(document).text
            assert row == pytest.approx(
                [
                    containment.containment(document.text, source, 2),
                    subsequence.normalised(document.text, source),
                ]
            )
    assert audit.sentinels(table, corpus) == ()
    assert len(audit.sentinels(table.iloc[::-1].reset_index(drop=True), corpus)) == 4
    unmarked = features.table(corpus, ["c_2"], sentinel=math.nan)
    assert unmarked["c_2"].isna().sum() == 2


def test_sentinels_pull_correlations_towards_one() -> None:
    table = features.table(answers.synthetic("abcd"))
    honest, notebook = features.correlations(table), features.correlations(table, sentinels=True)
    assert honest.loc["c_1", "c_5"] < notebook.loc["c_1", "c_5"]
    assert honest.equals(features.answered(table).corr())


def test_selection_keeps_what_tells_most_and_says_why_it_leaves_the_rest() -> None:
    label = [0, 0, 0, 1, 1, 1, -1]
    table = pd.DataFrame({
        "c_1": [0.1, 0.2, 0.15, 0.8, 0.9, 0.85, -1],
        "c_2": [0.05, 0.1, 0.075, 0.4, 0.45, 0.425, -1],
        "c_3": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1],
        "lcs_word": [0.3, 0.1, 0.2, 0.3, 0.1, 0.25, -1],
    })  # fmt: skip
    found = features.select(table, label, 0.95)
    assert found.kept == ("c_1", "lcs_word")
    assert [str(dropped) for dropped in found.dropped] == [
        "c_3 is the same for every answer", "c_2 correlates 1.000 with c_1"
    ]  # fmt: skip
    for cutoff, labels, told in ((0.0, label, "cutoff is 0"), (0.9, label[1:], "6 labels came for 7 rows")):
        with pytest.raises(FeatureError, match=told):
            features.select(table, labels, cutoff)
    with pytest.raises(FeatureError, match="the same for all"):
        features.select(table[["c_3"]], label, 0.9)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "no feature is named"),
        (["c_0"], "no feature 'c_0'"),
        (["lcs"], "no feature 'lcs'"),
        (["c_1", "c_1"], "c_1 is named twice"),
    ],
)
def test_features_that_there_are_not_are_refused(names: list[str], told: str) -> None:
    with pytest.raises(FeatureError, match=told):
        features.of([("some text", "some text")], names)


def test_a_pasted_text_is_compared_with_every_original() -> None:
    corpus = answers.synthetic()
    found = features.against(corpus.originals["b"].written.upper(), corpus, ["c_3", "lcs_word"])
    assert found.loc["b"].tolist() == [1.0, 1.0]
    assert found.loc["a", "lcs_word"] < 0.7
    with pytest.raises(FeatureError, match="has no word"):
        features.against(" …", corpus)


def test_arrays_hold_the_answers_of_their_part() -> None:
    corpus = answers.synthetic("abc")
    frame, table = split.datatypes(corpus.frame()), features.table(corpus)
    train, test = arrays.train_test(frame, table, ["lcs_word", "c_1"])
    assert train.x.shape == (12, 2)
    assert test.x.shape == (15, 2)
    assert set(train.files).isdisjoint(test.files)
    assert test.x[:, 1].tolist() == table.loc[frame["Datatype"] == "test", "c_1"].tolist()
    assert audit.leaks(corpus, train.files, test.files) == ()
    with pytest.raises(FeatureError, match="no column c_9; it has c_1"):
        arrays.train_test(frame, table, ["c_9"])
    with pytest.raises(FeatureError, match="26 rows of features do not belong to 30 documents"):
        arrays.train_test(frame, table.iloc[4:], ["c_1"])


def test_csv_files_have_the_label_first_and_no_header(tmp_path: Path) -> None:
    path = tmp_path / "made" / "train.csv"
    arrays.write_csv(path, np.array([[0.1, 1 / 3, 1.0]] * 3), np.array([1, 0, 1]))
    found = pd.read_csv(path, header=None)
    assert found.shape == (3, 4)
    assert found[0].tolist() == [1, 0, 1]
    assert found[2].tolist() == [1 / 3] * 3
    with pytest.raises(FeatureError, match="row 0 has nan in column 1"):
        arrays.write_csv(path, np.array([[0.1, math.nan]]), np.array([1]))
    with pytest.raises(FeatureError, match="do not fit"):
        arrays.write_csv(path, np.array([[0.1]]), np.array([1, 0]))
    assert pd.read_csv(path, header=None).shape == (3, 4)


def test_leave_one_out_finds_a_label_that_was_swapped() -> None:
    corpus = answers.synthetic("abc")
    frame, table = corpus.frame(), features.table(corpus)
    clean = evaluation.leave_one_out(frame, table, features.DEFAULT)
    assert evaluation.confusion(clean["Class"], clean["Predicted"]).accuracy == 1.0
    swapped = corpus.find("cut0_taskc.txt")
    wrong = frame.assign(Class=frame["Class"].where(frame["File"] != swapped.file, 0))
    judged = evaluation.leave_one_out(wrong, table, features.DEFAULT)
    (mistake,) = audit.mistakes(corpus, table, judged)
    assert (mistake.file, mistake.kind) == (swapped.file, "false positive")
    assert mistake.align(corpus).share == mistake.features["lcs_word"] > 0.9
    assert audit.candidates(corpus, table, judged)[0].file == swapped.file


def test_scores_are_spread_over_seeds_and_counted() -> None:
    corpus = answers.synthetic("abc")
    found = evaluation.over_seeds(corpus.frame(), features.table(corpus), ["c_3"], range(3), "gaussian-nb")
    assert [counts.rows for counts in found.values()] == [15, 15, 15]
    counts = evaluation.confusion([1, 1, 0, 0, 1], [1, 0, 0, 1, 1])
    assert (counts.true_positive, counts.true_negative, counts.false_positive, counts.false_negative) == (
        2,
        1,
        1,
        1,
    )
    assert (counts.accuracy, counts.precision, counts.recall) == (
        0.6,
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert evaluation.confusion([0], [0]).recall == 0.0


def test_the_same_words_twice_are_found_and_leak_across_the_split() -> None:
    from algorithms.plagiarism import corpus

    made = answers.synthetic("a")
    first = made.documents[0]
    twin = corpus.document("twin.txt", "a", first.category, first.written.upper().replace(" ", "  "))
    both = corpus.of([*made.documents, twin])
    assert audit.duplicates(both) == ((first.file, "twin.txt"),)
    assert audit.leaks(both, [first.file], ["twin.txt"]) == ((first.file, "twin.txt"),)
    assert audit.leaks(both, [first.file, "twin.txt"], []) == ()
