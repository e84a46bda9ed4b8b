"""The audits that studies share, on data with each fault in it, and on the real data."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.data import audit, loading
from workflows.data.findings import Finding
from workflows.data.place import locate


def table(rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(1)
    label = random.integers(0, 2, rows)
    return pd.DataFrame({"a": random.normal(label, 1.0), "b": random.normal(0, 1, rows), "label": label})


def only(findings: list[Finding]) -> Finding:
    (one,) = findings
    return one


def test_copies_in_a_table_are_counted() -> None:
    frame = table()
    assert audit.duplicates(frame) == []
    found = only(audit.duplicates(pd.concat([frame, frame.head(7)])))
    assert (found.severity, found.count, found.where) == ("warning", 7, "first at row 201")
    relabelled = frame.head(3).assign(label=1 - frame["label"].head(3))
    assert audit.duplicates(pd.concat([frame, relabelled])) == []
    assert only(audit.duplicates(pd.concat([frame, relabelled]), ["a", "b"])).count == 3


def test_copies_across_a_split_are_errors_and_their_class_is_told() -> None:
    frame = table()
    train, test = frame.head(150), frame.tail(50)
    assert audit.across_split(train, test) == []
    leaked = pd.concat([test, train[train["label"] == 1].head(4), train[train["label"] == 0].head(2)])
    found = only(audit.across_split(train, leaked, label="label", positive=1))
    assert (found.severity, found.count, found.where) == ("error", 6, "test row 51")
    assert "4 of them label = 1" in found.text


@settings(max_examples=60, deadline=None)
@given(
    train=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30),
    test=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30),
)
def test_copies_across_a_split_are_exactly_those(
    train: list[tuple[int, int]], test: list[tuple[int, int]]
) -> None:
    one, two = (pd.DataFrame(rows, columns=["a", "b"]) for rows in (train, test))
    expected = sum(row in set(train) for row in test)
    assert sum(found.count for found in audit.across_split(one, two)) == expected


def test_a_feature_that_gives_the_label_away_is_an_error() -> None:
    frame = table()
    assert audit.leakage(frame, "label") == []
    found = only(audit.leakage(frame.assign(refund=-3.0 * frame["label"] + frame["b"] / 100), "label"))
    assert (found.severity, found.where) == ("error", "column refund")
    prices = pd.DataFrame({"x": range(50), "price": [2.0 * value + 1 for value in range(50)]})
    assert only(audit.leakage(prices, "price")).where == "column x"


def test_missing_and_constant_columns_and_twins() -> None:
    frame = table().assign(same=4, twin=lambda one: one["b"])
    frame.loc[:4, "a"] = np.nan
    frame.loc[:99, "hollow"] = 1.0
    frame.loc[:49, "hollow"] = 2.0
    assert [(one.severity, one.where, one.count) for one in audit.missing(frame)] == [
        ("note", "column a", 5),
        ("warning", "column hollow", 100),
    ]
    assert [(one.what, one.where) for one in audit.constant(frame)] == [
        ("constant", "column same"),
        ("twin", "column twin"),
    ]
    assert audit.missing(table()) == audit.constant(table()) == []


def test_sentinel_rows_and_what_they_do_to_correlations() -> None:
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"c_1": random.uniform(0, 1, 95), "c_2": random.uniform(0, 1, 95)})
    assert audit.sentinels(frame) == []
    coded = pd.concat([frame, pd.DataFrame({"c_1": [-1.0] * 5, "c_2": [-1.0] * 5})])
    found = only(audit.sentinels(coded))
    assert found.count == 5
    before, after = np.corrcoef(coded.T)[0, 1], np.corrcoef(frame.T)[0, 1]
    assert f"correlate by {before:.2f}, without them by {after:.2f}" in found.text
    temperatures = pd.DataFrame({"t": [-1.0, -2.0, 3.0], "u": [-1.0, -4.0, 3.0]})
    assert audit.sentinels(temperatures) == []  # -1 lies among the others: an ordinary value


def test_a_label_that_the_other_rows_contradict_is_a_candidate() -> None:
    random = np.random.default_rng(3)
    labels = np.repeat([0, 1], 40)
    features = np.column_stack([random.normal(4 * labels, 0.6), random.normal(0, 1, 80)])
    names = [f"row {index}" for index in range(80)]
    assert audit.suspicious_labels(features, labels.tolist(), names) == []
    wrong = labels.copy()
    wrong[[5, 70]] = 1 - wrong[[5, 70]]
    assert {one.where for one in audit.suspicious_labels(features, wrong.tolist(), names)} == {
        "row 5",
        "row 70",
    }
    assert audit.suspicious_labels(features, [0] * 80, names) == []


def test_shuffled_labels_are_found_and_sound_ones_are_not_accused() -> None:
    frame = table(400)
    features = {"a": frame["a"], "b": frame["b"]}
    assert audit.shuffled(features, frame["label"].tolist()) == []
    accused = 0
    for seed in range(20):
        mixed = frame["label"].sample(frac=1, random_state=seed).tolist()
        accused += bool(audit.shuffled(features, mixed))
    assert accused >= 19
    assert only(audit.shuffled(features, [1] * 400)).what == "one-class"


def test_a_rare_class_is_told_with_the_accuracy_of_saying_nothing() -> None:
    assert "99.800%" in only(audit.balance([0] * 998 + [1] * 2)).text
    assert audit.balance([0, 1, 1]) == audit.balance([]) == []


def test_days_that_lack_repeat_or_belong_elsewhere() -> None:
    days = [datetime.date(2008, 1, 1) + datetime.timedelta(number) for number in range(40)]
    first, last = days[0], days[-1]
    assert audit.dates(days, first, last) == []
    assert "1 days are lacking, the first is 2008-01-06" in only(audit.dates(days[:5] + days[6:])).text
    assert "more than once" in only(audit.dates([*days, days[-1]])).text
    assert "not in order" in only(audit.dates([days[1], days[0], *days[2:]])).text
    moved = [day.replace(year=2009) for day in days]
    assert "Is the year right?" in only(audit.dates(moved, first, last)).remedy


def test_features_and_labels_must_be_of_the_same_rows() -> None:
    assert audit.aligned([1, 2], [0, 1]) == []
    assert only(audit.aligned([1, 2], [0])).what == "misaligned"
    keys = (["a", "b", "c"], ["a", "c", "b"])
    found = only(audit.aligned([1, 2, 3], [0, 1, 1], keys))
    assert (found.where, found.count) == ("row 2", 2)


def test_the_real_frauds_lie_in_one_copy_each_and_separate(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", str(real_data))
    frame = loading.table(locate("creditcard"))
    assert audit.duplicates(frame) == [] == audit.leakage(frame, "Class")
    features = {name: frame[name] for name in ("V14", "V17", "Amount")}
    assert audit.shuffled(features, frame["Class"].tolist()) == []
    mixed = frame["Class"].sample(frac=1, random_state=0).tolist()
    assert only(audit.shuffled(features, mixed)).what == "misaligned"
