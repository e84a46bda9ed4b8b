"""Reading DeepAR's data: every form, and what is refused with file, line, key and remedy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.builtin.deepar import dataset, hyperparameters, shape
from algorithms.builtin.deepar.dataset import Dataset
from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.sampling import Passes, windows
from algorithms.builtin.deepar.series import Series, Unusable, parse
from algorithms.builtin.deepar.windows import Normal, Panel, View
from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import Channel
from tests.algorithms.deepar import SMALL, lines, rows

DAILY = Frequency.parse("D")
REQUIRED = {name: str(SMALL[name]) for name in ("time_freq", "context_length", "prediction_length", "epochs")}


def read(
    folder: Path, files: dict[str, bytes], content_type: str = "", likelihood: str = "student-T"
) -> Dataset:
    for name, content in files.items():
        path = folder / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return dataset.read(Channel("train", folder / "train", content_type), DAILY, likelihood, 5)


def series(target: list[Any], **more: Any) -> Series:
    return parse({"start": "2021-01-04", "target": target, **more}, DAILY, "student-T")


def test_every_form_holds_the_same_series(tmp_path: Path) -> None:
    given_rows = rows(3, 20, cat=[1, 0], dynamic_feat=[[0.5] * 20])
    content = lines(given_rows)
    table = pa.Table.from_pylist(given_rows)
    pq.write_table(table, tmp_path / "x.parquet")
    parquet = (tmp_path / "x.parquet").read_bytes()
    forms = {
        "json": read(tmp_path / "a", {"x.json": content}),
        "jsonl": read(tmp_path / "b", {"deep/x.jsonl": content}),
        "gzip": read(tmp_path / "c", {"x.json.gz": gzip.compress(content)}),
        "parquet": read(tmp_path / "d", {"x.parquet": parquet}),
        "type": read(tmp_path / "e", {"part-00": content}, "application/jsonlines"),
        "parquet type": read(tmp_path / "f", {"part-00": parquet}, "parquet"),
        "windows": read(tmp_path / "g", {"x.json": content.replace(b"\n", b"\r\n\r\n")}),
    }
    wanted = forms["json"].series
    assert len(wanted) == 3
    for name, found in forms.items():
        assert len(found.series) == 3, name
        for one, other in zip(found.series, wanted, strict=True):
            np.testing.assert_array_equal(one.target, other.target)
            assert one.origin == other.origin
            assert one.cat == other.cat == (1, 0)
            assert one.dynamic is not None
            np.testing.assert_array_equal(one.dynamic, other.dynamic)


def test_parquet_may_have_timestamps(tmp_path: Path) -> None:
    import datetime

    start = datetime.datetime(2021, 1, 4)
    pq.write_table(pa.Table.from_pylist([{"start": start, "target": [1.0] * 9}]), tmp_path / "x.parquet")
    found = read(tmp_path / "p", {"x.parquet": (tmp_path / "x.parquet").read_bytes()})
    assert found.series[0].origin == DAILY.origin(start)


def test_short_series_are_counted_and_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, {"x.json": lines(rows(2, 20) + rows(3, 4))})
    assert (len(found.series), found.ignored) == (2, 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", ["not valid JSON"]),
        (b'{"start": "2021-01-04", "target": [1, 2', ["not valid JSON"]),
        (b"\xff\xfe{}", ["not valid JSON"]),
        (b"[" * 100_000, ["not valid JSON", "nested"]),
        (b"[1, 2]", ["must be an object"]),
        (b'{"target": [1]}', ["'start' is missing"]),
        (b'{"start": "2021-01-04"}', ["'target' is missing"]),
        (b'{"start": "soon", "target": [1]}', ["'start'", "YYYY-MM-DD HH:MM:SS"]),
        (b'{"start": "2021-01-04", "target": "12"}', ["'target' must be a list"]),
        (b'{"start": "2021-01-04", "target": [1, "x"]}', ["'target'", "position 1", "'x'"]),
        (b'{"start": "2021-01-04", "target": [1, true]}', ["'target'", "position 1"]),
        (b'{"start": "2021-01-04", "target": [1, [2]]}', ["'target'", "position 1"]),
        (b'{"start": "2021-01-04", "target": [1, Infinity]}', ["'target'", "position 1", "finite"]),
        (b'{"start": "2021-01-04", "target": [1, 1e39]}', ["'target'", "position 1", "finite"]),
        (b'{"start": "2021-01-04", "target": [1, null, ' + b"9" * 400 + b"]}", ["'target'", "finite"]),
        (b'{"start": "2021-01-04", "target": [1], "cat": ["a"]}', ["'cat'", "whole numbers"]),
        (b'{"start": "2021-01-04", "target": [1], "cat": [-1]}', ["'cat'", "whole numbers"]),
        (b'{"start": "2021-01-04", "target": [1], "cat": [0.5]}', ["'cat'", "whole numbers"]),
        (b'{"start": "2021-01-04", "target": [1], "dynamic_feat": [1]}', ["'dynamic_feat'", "list of lists"]),
        (b'{"start": "2021-01-04", "target": [1], "dynamic_feat": [[null]]}', ["dynamic_feat[0]", "numbers"]),
        (b'{"start": "2021-01-04", "target": [1], "dynamic_feat": [[NaN]]}', ["dynamic_feat[0]", "finite"]),
        (b'{"start": "2021-01-04", "target": [1], "dynamic_feat": [[1, 2]]}', ["same length"]),
        (b'{"start": "2021-01-04", "target": [1], "dynamic_feat": [[1], [1, 2]]}', ["different lengths"]),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: bytes, words: list[str]) -> None:
    with pytest.raises(ClientError) as caught:
        read(tmp_path, {"part.json": lines(rows(1, 20)) + b"\n" + line + b"\n"})
    for word in ["'train'", "file part.json, line 3", *words]:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("likelihood", "target", "word"),
    [
        ("negative-binomial", [1, 2, -1], "counts"),
        ("negative-binomial", [1, 2.5], "counts"),
        ("beta", [0.5, 1.0], "between 0 and 1"),
        ("beta", [0.5, 0], "between 0 and 1"),
    ],
)
def test_values_outside_a_likelihoods_range_are_refused(
    likelihood: str, target: list[float], word: str
) -> None:
    with pytest.raises(Unusable, match=word):
        parse({"start": "2021-01-04", "target": target}, DAILY, likelihood)
    parse({"start": "2021-01-04", "target": target}, DAILY, "gaussian")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"format of data\.csv .* ContentType"):
        read(tmp_path / "a", {"data.csv": b"1,2"})
    with pytest.raises(ClientError, match=r"x\.json\.gz, line \d+: the gzip file is damaged"):
        read(tmp_path / "b", {"x.json.gz": gzip.compress(lines(rows(40, 90)))[:-200]})
    with pytest.raises(ClientError, match=r"x\.parquet: it is not a Parquet file"):
        read(tmp_path / "c", {"x.parquet": b"PAR1 no"})
    with pytest.raises(ClientError, match="row 1: the key 'target' is missing"):
        pq.write_table(pa.Table.from_pylist([{"start": "2021-01-04"}]), tmp_path / "y.parquet")
        read(tmp_path / "d", {"y.parquet": (tmp_path / "y.parquet").read_bytes()})


def test_a_parquet_file_with_damaged_texts_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"start": "2021-01-04 00:00:00", "target": [1.0, 2.0]}])
    pq.write_table(table, tmp_path / "x.parquet", compression="none", use_dictionary=False)
    data = (tmp_path / "x.parquet").read_bytes()
    for text in (b"2021-01-04", b"start"):
        damaged = data.replace(text, b"\xd5" + text[1:])
        assert damaged != data
        with pytest.raises(ClientError, match=r"x\.parquet"):
            read(tmp_path / text.hex(), {"x.parquet": damaged})


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "MAX_LINE", 1000)
    with pytest.raises(ClientError, match="line 1: the line is longer"):
        read(tmp_path, {"x.json": b'{"target": [' + b"1," * 5000})


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6), st.floats(-1e30, 1e30), st.none(), st.just("NaN"), st.just(float("nan"))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, max_size=30))
def test_targets_survive_json(target: list[Any]) -> None:
    found = parse(json.loads(json.dumps({"start": "2021-01-04", "target": target})), DAILY, "gaussian").target
    wanted = np.array([np.nan if item is None or item == "NaN" else item for item in target], np.float64)
    np.testing.assert_array_equal(found, wanted.astype(np.float32))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["start", "target", "cat", "dynamic_feat"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("start", "target", "cat", "dynamic_feat"), JSON_VALUES))
    | JSON_VALUES
)
def test_any_value_is_a_series_or_is_refused_with_a_message(value: Any) -> None:
    try:
        found = parse(value, DAILY, "negative-binomial")
    except Unusable as error:
        assert str(error)
    else:
        assert found.target.dtype == np.float32


def resolve(folder: Path, given_rows: list[dict[str, Any]], **more: str) -> tuple[shape.Shape, list[str]]:
    parsed = hyperparameters.parse({**REQUIRED, **more})
    return shape.resolve(parsed, read(folder, {"x.json": lines(given_rows)}))


def test_categories_and_features_are_found(tmp_path: Path) -> None:
    first, second = rows(1, 20, cat=[0, 3]), rows(1, 20, cat=[2, 1])
    found, said = resolve(tmp_path / "a", first + second)
    assert (found.cardinality, found.features) == ((3, 4), 0)
    assert (
        "[cardinality=auto] `cat` field was found in the file `/opt/ml/input/data/train/x.json` and will be used for training."
        in said
    )
    assert (
        "[num_dynamic_feat=auto] `dynamic_feat` field was NOT found in the file `/opt/ml/input/data/train/x.json` and will NOT be used for training."
        in said
    )
    found, _ = resolve(tmp_path / "b", rows(2, 20, dynamic_feat=[[1.0] * 20, [2.0] * 20]))
    assert (found.cardinality, found.features) == ((), 2)
    found, said = resolve(tmp_path / "c", first, cardinality="ignore", num_dynamic_feat="")
    assert found.ignore_cat and not found.cardinality and not said
    found, _ = resolve(tmp_path / "d", first, cardinality="[5, 6]")
    assert found.cardinality == (5, 6)


@pytest.mark.parametrize(
    ("given_rows", "more", "words"),
    [
        (
            rows(1, 20, cat=[0]) + rows(1, 20),
            {},
            ["'cat' is present in file x.json, line 1", "missing in file x.json, line 2"],
        ),
        (rows(1, 20, cat=[0]) + rows(1, 20, cat=[0, 1]), {}, ["line 2", "'cat' has 2 values"]),
        (rows(1, 20, cat=[7]), {"cardinality": "[5]"}, ["line 1", "value 7", "0 to 4"]),
        (rows(1, 20), {"cardinality": "[5]"}, ["line 1", "'cat' is missing", "cardinality"]),
        (rows(1, 20, cat=[0, 1]), {"cardinality": "[5]"}, ["'cat' has 2 values"]),
        (
            rows(1, 20, dynamic_feat=[[1.0] * 20]),
            {"num_dynamic_feat": "2"},
            ["'dynamic_feat' has 1 list", "2"],
        ),
        (rows(1, 20), {"num_dynamic_feat": "2"}, ["'dynamic_feat' is missing"]),
        (
            rows(1, 20, dynamic_feat=[[1.0] * 20]) + rows(1, 20),
            {},
            ["'dynamic_feat' is present", "missing in"],
        ),
    ],
)
def test_series_that_do_not_fit_together_are_named(
    tmp_path: Path, given_rows: list[dict[str, Any]], more: dict[str, str], words: list[str]
) -> None:
    parsed = hyperparameters.parse({**REQUIRED, **more})
    data = read(tmp_path, {"x.json": lines(given_rows)})
    with pytest.raises(ClientError) as caught:
        found, _ = shape.resolve(parsed, data)
        shape.fit_all(found, data, "train")
    for word in words:
        assert word in str(caught.value)


def test_statistics_are_those_of_the_container(tmp_path: Path) -> None:
    content = b'{"start": "2021-01-04", "target": [1, 2, null, -3, 4, 5]}\n{"start": "2021-01-04", "target": [1, 2, 3, 4, 5, 6, 7, 8]}\n'
    assert dataset.statistics(read(tmp_path, {"x.json": content}).series) == [
        "Integer time series",
        "number of time series: 2",
        "number of observations: 13",
        "mean target length: 7.0",
        f"min/mean/max target: -3.0/{45 / 13}/8.0",
        f"mean abs(target): {51 / 13}",
        "contains missing values: yes",
    ]


def cut(panel: Panel, starts: list[int], lags: tuple[int, ...] = (1, 2), normal: Normal | None = None) -> Any:
    view = View(DAILY, 3, 2, lags, True)
    return panel.cut(np.zeros(len(starts), np.int64), np.array(starts), view, normal or panel.normal())


def test_a_window_shows_scaled_earlier_values_and_masks_what_is_unknown() -> None:
    panel = Panel([series([1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0])])
    batch = cut(panel, [4])
    # Context: points 1, 2 (missing), 3; horizon: 4 and 5.
    assert batch.scale[0] == pytest.approx(3.0)
    np.testing.assert_allclose(batch.target[:, 0] * 3, [2, 0, 4, 5, 6])
    np.testing.assert_array_equal(batch.observed[:, 0], [1, 0, 1, 1, 1])
    # A lag shows the last known value in place of a missing one, 0 before the first.
    np.testing.assert_allclose(batch.inputs[:, 0, 0] * 3, [1, 2, 2, 4, 5], rtol=1e-6)
    np.testing.assert_allclose(batch.inputs[:, 0, 1] * 3, [0, 1, 2, 2, 4], rtol=1e-6)
    np.testing.assert_allclose(batch.inputs[:, 0, 5], np.log10(2.0 + np.arange(1, 6)), rtol=1e-6)


def test_a_window_without_values_has_the_typical_scale() -> None:
    panel = Panel([series([0.0] * 5 + [8.0] * 5, cat=[0]), series([2.0] * 10, cat=[1])])
    normal = panel.normal()
    assert normal.scale == pytest.approx(3.0)
    assert normal.scale_of((0,)) == pytest.approx(4.0)
    assert normal.scale_of((9,)) == normal.scale_of(None) == pytest.approx(3.0)
    batch = cut(panel, [0, 4], normal=normal)
    np.testing.assert_allclose(batch.scale, [4.0, 4.0])
    assert batch.observed[:3, 0].sum() == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(5, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_windows_are_what_slices_of_the_series_are(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    targets = [random.normal(size=length).astype(np.float32) for length in lengths]
    panel = Panel([Series(100 * 1440, target, None, None) for target in targets])
    rows_, starts = windows(panel, 2, Passes.plan(len(lengths), 3), random)
    view = View(DAILY, 4, 2, (1, 3, 7), True)
    batch = panel.cut(rows_, starts, view, panel.normal())
    for k, (row, start) in enumerate(zip(rows_, starts, strict=True)):
        padded = np.concatenate([np.zeros(20, np.float32), targets[row]])
        at = 20 + start
        assert start + 2 <= lengths[row]
        known = padded[at - 4 : at + 2]
        np.testing.assert_allclose(batch.target[:, k] * batch.scale[k], known, rtol=1e-4, atol=1e-6)
        for place, lag in enumerate(view.lags):
            wanted = padded[at - 4 - lag : at + 2 - lag]
            np.testing.assert_allclose(
                batch.inputs[:, k, place] * batch.scale[k], wanted, rtol=1e-4, atol=1e-6
            )


def test_an_epoch_has_ten_batches_however_few_the_series() -> None:
    assert Passes.plan(14, 64) == Passes(46, 0.9937888198757764)
    assert Passes.plan(200, 32) == Passes(2, 0.8)
    assert Passes.plan(5000, 32) == Passes(1, 1.0)
    panel = Panel([Series(0, np.ones(length, np.float32), None, None) for length in (20, 200, 20)])
    random = np.random.default_rng(0)
    counts = [len(windows(panel, 5, Passes.plan(3, 64), random)[0]) for _ in range(50)]
    assert 600 < np.mean(counts) < 680
    assert len(set(counts)) > 10


@pytest.mark.parametrize(
    ("given_values", "words"),
    [
        ({"time_freq": "7X"}, ["'7X' is not valid under any of the given schemas", "time_freq"]),
        ({"epochs": "0"}, ["'0' is not valid", "epochs"]),
        ({"epochs": "many"}, ["'many' is not valid", "epochs"]),
        ({"likelihood": "poisson"}, ["'poisson' is not one of", "likelihood"]),
        ({"dropout_rate": "1"}, ["'1' is not valid", "dropout_rate"]),
        ({"learning_rate": "0"}, ["'0' is not valid", "learning_rate"]),
        ({"cardinality": "[0]"}, ["cardinality"]),
        ({"cardinality": "some"}, ["'some' is not valid", "cardinality"]),
        ({"num_dynamic_feat": "-1"}, ["num_dynamic_feat"]),
        ({"test_quantiles": "[0.5, 1]"}, ["test_quantiles"]),
        ({"test_quantiles": "0.5"}, ["test_quantiles"]),
        ({"early_stopping_patience": "0"}, ["early_stopping_patience"]),
        (
            {"mini_batch_siz": "5"},
            ["Additional properties are not allowed ('mini_batch_siz' was unexpected)"],
        ),
    ],
)
def test_hyperparameters_outside_their_range_fail_as_in_the_container(
    given_values: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(ClientError) as caught:
        hyperparameters.parse({**REQUIRED, **given_values})
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_required_hyperparameters_are_required(name: str) -> None:
    with pytest.raises(ClientError, match=f"'{name}' is a required property"):
        hyperparameters.parse({key: value for key, value in REQUIRED.items() if key != name})


def test_hyperparameters_have_the_documented_defaults() -> None:
    found = hyperparameters.parse(REQUIRED)
    assert (found.likelihood, found.num_cells, found.num_layers, found.dropout_rate) == (
        "student-T",
        40,
        2,
        0.1,
    )
    assert (found.mini_batch_size, found.learning_rate, found.embedding_dimension) == (128, 0.001, 10)
    assert (found.cardinality, found.num_dynamic_feat, found.num_eval_samples) == ("auto", "auto", 100)
    assert found.test_quantiles == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert found.early_stopping_patience is None
    more = {
        "likelihood": "STUDENT-t",
        "cardinality": "",
        "num_dynamic_feat": "3",
        "early_stopping_patience": "",
    }
    found = hyperparameters.parse({**REQUIRED, **more, "learning_rate": "5E-4"})
    assert (found.likelihood, found.cardinality, found.num_dynamic_feat) == ("student-T", None, 3)
    assert found.learning_rate == 0.0005
