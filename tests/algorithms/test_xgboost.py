"""The built-in XGBoost's parts: hyperparameters, training data of every format, metrics, model files."""

from __future__ import annotations

import importlib.util
import json
import math
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import Channel, Job
from algorithms.builtin.xgb import (  # fmt: skip
    data,
    library,
    libsvm,
    metrics,
    models,
    ranges,
    table,
    tables,
    training,
    versions,
)
from algorithms.formats import records

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed"
)

NEW, OLD = versions.of("1.7-1"), versions.of("1")
UNIT = ranges.Interval(0, 1)
POSITIVE = ranges.Interval(0)
INTERVALS = {
    "eta": UNIT,
    "gamma": POSITIVE,
    "max_depth": POSITIVE,
    "min_child_weight": POSITIVE,
    "max_delta_step": POSITIVE,
    "subsample": ranges.Interval(0, 1, open_low=True),
    "colsample_bytree": ranges.Interval(0, 1, open_low=True),
    "colsample_bylevel": ranges.Interval(0, 1, open_low=True),
    "colsample_bynode": ranges.Interval(0, 1, open_low=True),
    "lambda": POSITIVE,
    "alpha": POSITIVE,
    "sketch_eps": ranges.Interval(0, 1, open_low=True, open_high=True),
    "scale_pos_weight": ranges.Interval(0, open_low=True),
    "max_leaves": POSITIVE,
    "max_bin": POSITIVE,
    "rate_drop": UNIT,
    "skip_drop": UNIT,
    "one_drop": UNIT,
    "lambda_bias": UNIT,
    "tweedie_variance_power": ranges.Interval(1, 2, open_low=True, open_high=True),
    "base_score": POSITIVE,
    "num_round": ranges.Interval(1),
    "early_stopping_rounds": ranges.Interval(1),
    "verbosity": ranges.Interval(0, 3),
    "nthread": ranges.Interval(1),
    "seed": ranges.Interval(-(2**31), 2**31 - 1, open_low=True, open_high=True),
    "csv_weights": UNIT,
    "refresh_leaf": UNIT,
    "num_parallel_tree": ranges.Interval(1),
    "_kfold": ranges.Interval(2),
    "_num_cv_round": ranges.Interval(1),
}
WHOLE = {
    "max_depth", "max_leaves", "max_bin", "one_drop", "num_round", "early_stopping_rounds", "verbosity", "nthread", "seed",
    "csv_weights", "refresh_leaf", "num_parallel_tree", "_kfold", "_num_cv_round",
}  # fmt: skip


def read(given_: dict[str, str], version: versions.Version = NEW) -> dict[str, Any]:
    return table.read({"num_round": "1", **given_}, version)


@given(
    st.sampled_from(sorted(INTERVALS)),
    st.one_of(
        st.integers(-(2**33), 2**33),
        st.sampled_from([-1, 0, 1, 2, 3, 4, 2**31, -(2**31), 0.5, 1.5]),
        st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]),
    ),
)
def test_a_number_is_taken_exactly_when_it_is_in_the_range(name: str, number: float) -> None:
    interval = INTERVALS[name]
    if name in WHOLE and (not math.isfinite(number) or number != int(number)):
        expected = re.escape(f"Hyperparameter {name}: could not parse value {str(number)!r}")
    elif number in interval and math.isfinite(number):
        expected = ""
    else:
        shown = int(number) if name in WHOLE else float(number)
        expected = re.escape(f"Hyperparameter {name}: value {shown} not in range {interval}")
    if not expected:
        assert read({name: str(number)})[name] == number
        return
    with pytest.raises(ClientError, match=f"^{expected}$"):
        read({name: str(number)})


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"objective": "reg:nothing"}, "Hyperparameter objective: value reg:nothing not in range ['binary:logistic',"),
        ({"booster": "forest"}, "Hyperparameter booster: value forest not in range ['gbtree', 'gblinear', 'dart']"),
        ({"nothing": "1"}, "Extraneous hyperparameter found: nothing"),
        ({"silent": "1"}, "Extraneous hyperparameter found: silent"),
        ({"eval_metric": "rmse,wrong"}, "Hyperparameter eval_metric: value ['rmse', 'wrong'] not in range ["),
        ({"eval_metric": "error@x"}, "Hyperparameter eval_metric: value ['error@x'] not in range ["),
        ({"eval_metric": "auc", "objective": "reg:gamma"}, "Metric 'auc' can only be applied for classification and ranking problems."),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        ({"objective": "multi:softprob"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"num_class": "3"}, "Do not need to setup parameter 'num_class' for learning task other than multi-classification."),
        ({"monotone_constraints": "(1,0)"}, "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."),
        ({"monotone_constraints": "(2,)", "tree_method": "hist"}, "Hyperparameter monotone_constraints: value [2] not in range [-1, 0, 1]"),
        ({"monotone_constraints": "__import__('os')", "tree_method": "hist"}, "Hyperparameter monotone_constraints: could not parse value"),
        ({"interaction_constraints": "[[0,1],2]", "tree_method": "hist"}, "Hyperparameter interaction_constraints: could not parse value"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected."),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options: 'shotgun', 'coord_descent'."),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update' can only be used with updater 'refresh' and 'prune'"),
        ({"_tuning_objective_metric": "train:rmse"}, "Hyperparameter _tuning_objective_metric: value train:rmse not in range ["),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_the_container_says_it(given_: dict[str, str], problem: str) -> None:
    with pytest.raises(ClientError) as caught:
        read(given_)
    assert str(caught.value).startswith(problem)


def test_quoted_and_structured_hyperparameters_reach_the_library() -> None:
    values = read(
        {
            "objective": '"reg:linear"',
            "monotone_constraints": "(1, -1)",
            "interaction_constraints": "[[0, 1], [2]]",
            "tree_method": "hist",
            "updater": "grow_quantile_histmaker,prune",
            "eval_metric": " rmse , error@0.7",
            "sagemaker_region": "eu-west-1",
            "max_depth": "3.0",
        }
    )
    assert values["eval_metric"] == ["rmse", "error@0.7"]
    assert table.library_parameters(values) == {
        "objective": "reg:squarederror",
        "monotone_constraints": "(1,-1)",
        "interaction_constraints": "[[0, 1], [2]]",
        "tree_method": "hist",
        "updater": "grow_quantile_histmaker,prune",
        "max_depth": 3,
    }
    assert table.library_parameters(read({"silent": "1"}, OLD)) == {"verbosity": 0}


@pytest.mark.parametrize(
    ("tag", "text", "pickles", "commas", "silent"),
    [
        ("1", "0.72", True, True, True),
        ("latest", "0.72", True, True, True),
        ("0.72", "0.72", True, True, True),
        ("0.90-2-cpu-py3", "0.90-2", True, True, False),
        ("1.0-1-cpu-py3", "1.0-1", True, True, False),
        ("1.2-1", "1.2-1", True, True, False),
        ("1.2-2", "1.2-2", True, False, False),
        ("1.3-1", "1.3-1", False, False, False),
        ("1.7-1", "1.7-1", False, False, False),
        ("3.0-5", "3.0-5", False, False, False),
        ("", "3.2-0", False, False, False),
    ],
)
def test_a_tag_decides(tag: str, text: str, pickles: bool, commas: bool, silent: bool) -> None:
    found = versions.of(tag)
    assert str(found) == text
    assert (found.pickles, found.joins_with_commas, found.takes_silent) == (pickles, commas, silent)


# Training data


def rows(count: int = 30, seed: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3))
    return np.column_stack([features[:, 0] * 2 + features[:, 1], features]).astype(np.float32).astype(float)


def text(values: NDArray[Any], mark: str = ",") -> bytes:
    return "".join(mark.join(repr(float(x)) for x in row) + "\n" for row in values).encode()


def sparse_text(values: NDArray[Any], weights: NDArray[Any] | None = None) -> bytes:
    lines = []
    for number, row in enumerate(values):
        head = repr(float(row[0])) + (f":{float(weights[number])!r}" if weights is not None else "")
        lines.append(" ".join([head, *(f"{i}:{float(x)!r}" for i, x in enumerate(row[1:]))]))
    return "\n".join(lines).encode()


def parquet(values: NDArray[Any]) -> bytes:
    import io

    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(pyarrow.table({f"c{i}": column for i, column in enumerate(values.T)}), stream)
    return stream.getvalue()


def packed(values: NDArray[Any]) -> bytes:
    found = values.astype(np.float32)
    return b"".join(records.dense(found[:, 1:], found[:, 0]))


class Jobs:
    """Training jobs in a folder."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def job(
        self, content: str, channels: dict[str, dict[str, bytes]], tag: str = "1.7-1", **given_: str
    ) -> Job:
        found = {}
        for name, files in channels.items():
            folder = self.base / "input" / "data" / name
            for path, content_ in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content_)
            folder.mkdir(parents=True, exist_ok=True)
            found[name] = Channel(name, folder, content)
        return Job(
            "job", "xgboost", tag, {"num_round": "4", "max_depth": "2", **given_}, found, self.base / "model",
            self.base / "output" / "data", self.base / "checkpoints", 1,
        )  # fmt: skip

    def booster(
        self, content: str, channels: dict[str, dict[str, bytes]], tag: str = "1.7-1", **given_: str
    ) -> Any:
        """The model of a training."""
        training.train(self.job(content, channels, tag, **given_))
        return models.load(self.base / "model", 1).boosters[0]


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


def library_model(values: NDArray[Any], weights: NDArray[Any] | None = None, **given_: Any) -> Any:
    import xgboost

    matrix = xgboost.DMatrix(values[:, 1:], label=values[:, 0], weight=weights)
    return xgboost.train({"max_depth": 2, **given_}, matrix, 4)


def same(one: Any, other: Any) -> bool:
    import xgboost

    probe = xgboost.DMatrix(rows(50, seed=7)[:, 1:])
    return bool((one.predict(probe) == other.predict(probe)).all())


@pytest.mark.parametrize(
    ("content", "files"),
    [
        ("text/csv", {"a.csv": text(rows())}),
        ("text/csv; label_size=1; charset=utf-8", {"a.csv": text(rows()[:9]), "b/c/d/b.csv": text(rows()[9:])}),
        ("csv", {"a.csv": text(rows(), ";"), ".hidden": b"x", "_SUCCESS": b""}),
        ("CSV", {"a.csv": b"\xef\xbb\xbf" + text(rows(), "\t").replace(b"\n", b"\r\n")}),
        ("text/csv", {"a.csv": text(rows(), " ") + b"\n\n"}),
        ("", {"a": sparse_text(rows())}),
        ("text/x-libsvm", {"a": sparse_text(rows()[:9]) + b"\n", "b": sparse_text(rows()[9:])}),
        ("libsvm", {"a": b"# a comment\n" + sparse_text(rows())}),
        ("application/x-parquet", {"a.parquet": parquet(rows()[:20]), "b.parquet": parquet(rows()[20:])}),
        ("application/x-recordio-protobuf", {"a.pbr": packed(rows())}),
    ],
)  # fmt: skip
def test_every_format_trains_the_librarys_own_model(
    jobs: Jobs, content: str, files: dict[str, bytes]
) -> None:
    assert same(jobs.booster(content, {"train": files}), library_model(rows()))


def test_weights_groups_and_missing_values_reach_the_library(jobs: Jobs, tmp_path: Path) -> None:
    import xgboost

    values = rows()
    weights = np.linspace(0.5, 2, len(values)).astype(np.float32)
    wanted = library_model(values, weights)
    weighted = np.column_stack([values[:, :1], weights, values[:, 1:]])
    assert same(jobs.booster("text/csv", {"train": {"a": text(weighted)}}, csv_weights="1"), wanted)
    assert same(Jobs(tmp_path / "2").booster("libsvm", {"train": {"a": sparse_text(values, weights)}}), wanted)  # fmt: skip
    holes = values.copy()
    holes[::4, 2] = np.nan
    gaps = text(holes).replace(b"nan", b"")
    assert same(Jobs(tmp_path / "3").booster("text/csv", {"train": {"a": gaps}}), library_model(holes))
    degrees = np.arange(30) % 3
    groups = np.repeat([1, 2, 3], 10)
    ranked = "\n".join(
        f"{degree} qid:{group} " + " ".join(f"{i}:{float(x)!r}" for i, x in enumerate(row[1:]))
        for degree, group, row in zip(degrees, groups, values, strict=True)
    )
    found = Jobs(tmp_path / "4").booster("libsvm", {"train": {"a": ranked.encode()}}, objective="rank:ndcg")
    matrix = xgboost.DMatrix(values[:, 1:], label=degrees, qid=groups)
    assert same(found, xgboost.train({"max_depth": 2, "objective": "rank:ndcg"}, matrix, 4))


@pytest.mark.parametrize(
    ("content", "files", "problem"),
    [
        ("text/csv", {"a.csv": b"1,2,3\n1,2\n"}, "Failed to load csv data: file 'a.csv' of channel 'train', row 2: has 2 fields, the rows before have 3"),
        ("text/csv", {"a.csv": b"y,a,b\n1,2,3\n"}, "Failed to load csv data: file 'a.csv' of channel 'train', row 1: field 1 ('y') is not a number. Remove the header"),
        ("text/csv", {"a.csv": b"1,2\n\n,2\n"}, "Label contains NaN, infinity or a value too large: file 'a.csv', row 3 has nan"),
        ("text/csv", {"a.csv": b"1,2\n", "b.csv": b"1,2,3\n"}, "File 'b.csv' of channel 'train' has 2 features a row, the files before have 1"),
        ("text/csv", {"a.csv": b"1\n2\n"}, "Failed to load csv data: file 'a.csv' of channel 'train', row 1: has 1 fields; a label and at least one feature"),
        ("text/csv", {"a.csv": b"\n\n"}, "No data in training channel path "),
        ("text/csv", {"a.csv": b""}, "No data in training channel path "),
        ("text/csv", {}, "No data in channel 'train'"),
        ("text/csv;label_size=0", {"a.csv": b"1,2\n"}, "text/csv;label_size=0 is not an accepted csv ContentType."),
        ("image/png", {"a.csv": b"1,2\n"}, "image/png is not an accepted ContentType: csv, text/csv, libsvm"),
        ("", {"a.csv": b"1,2,3\n"}, "First line '1,2,3...' of file 'a.csv' is not 'LIBSVM' format."),
        ("libsvm", {"a": b"1 0:2\n1 0:x\n"}, "Failed to load libsvm data: file 'a' of channel 'train', row 2: '0:x' is not <column>:<value>"),
        ("libsvm", {"a": b"1 0:2\nq 0:1\n"}, "Failed to load libsvm data: file 'a' of channel 'train', row 2: 'q' does not follow LIBSVM label format"),
        ("parquet", {"a": b"no"}, "Failed to load parquet data: file 'a' of channel 'train', it is not a parquet file"),
        ("application/x-recordio-protobuf", {"a": packed(rows())[:-3]}, "Failed to load recordio-protobuf data: file 'a' of channel 'train', record 30"),
        ("application/x-recordio-protobuf", {"a": b"".join(records.dense(np.ones((2, 2), np.float32)))}, "Failed to load recordio-protobuf data: file 'a' of channel 'train', record 1: has no label"),
        ("text/csv", {"1/2/3/4/a.csv": b"1,2\n"}, "Folder depth exceeded the limit: 3."),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used_is_named(
    jobs: Jobs, content: str, files: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(ClientError) as caught:
        training.train(jobs.job(content, {"train": files}))
    assert str(caught.value).startswith(problem), caught.value


@pytest.mark.parametrize(
    ("objective", "more", "labels", "problem"),
    [
        ("binary:logistic", {}, [0, 1, 2], "label must be in [0,1] for logistic regression: file 'a', row 3 has 2."),
        ("binary:hinge", {}, [0, 1, 0.5], "label must be 0 or 1 for binary:hinge"),
        ("multi:softmax", {"num_class": "2"}, [0, 1, 2], "label must be in [0, num_class)"),
        ("multi:softprob", {"num_class": "3"}, [0, 1.5, 2], "label must be in [0, num_class)"),
        ("count:poisson", {}, [0, 1, -1], "PoissonRegression: label must be nonnegative"),
        ("reg:tweedie", {}, [0, 1, -1], "TweedieRegression: label must be nonnegative"),
        ("reg:gamma", {}, [1, 1, 0], "GammaRegression: label must be positive"),
        ("reg:squaredlogerror", {}, [1, 1, -1], "label must be greater than -1"),
        ("rank:map", {}, [1, 0, 2], "label must be 0 or 1 for rank:map: file 'a', row 3 has 2."),
        ("survival:aft", {}, [1, 3, 0], "label must be a positive time for survival:aft"),
        ("rank:pairwise", {}, [1, 1, -1], "relevance degrees must be greater than or equal to 0"),
    ],
)  # fmt: skip
def test_labels_outside_an_objective_are_named(
    jobs: Jobs, objective: str, more: dict[str, str], labels: list[float], problem: str
) -> None:
    content = "".join(f"{label},1,2\n" for label in labels).encode()
    with pytest.raises(ClientError) as caught:
        training.train(jobs.job("csv", {"train": {"a": content}}, objective=objective, **more))
    assert str(caught.value).startswith(problem), caught.value


def test_channels_of_different_width_are_refused(jobs: Jobs) -> None:
    channels = {"train": {"a": b"1,2,3\n"}, "validation": {"a": b"1,2\n"}}
    with pytest.raises(ClientError, match="feature_names mismatch: the train channel has 2 features, the val"):  # fmt: skip
        training.train(jobs.job("csv", channels))


@given(
    st.lists(
        st.lists(st.floats(width=64, allow_nan=True) | st.integers(-9, 9), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", "\t", ";", "|"]),
)
def test_both_readers_of_delimited_text_read_the_same(values: list[list[float]], mark: str) -> None:
    block = "".join(mark.join(repr(x) for x in row) + "\n" for row in values).encode()
    slow = tables._slow(block, mark.encode(), 0, 1)
    quick = tables._quick(block, mark, 0)
    with np.errstate(over="ignore"):
        expected = np.array(values, float).astype(np.float32)
    np.testing.assert_array_equal(slow, expected)
    if quick is not None:
        np.testing.assert_array_equal(quick, expected)
    else:
        assert any(math.isinf(x) for row in values for x in row)


@given(
    st.lists(
        st.tuples(
            st.floats(-1e6, 1e6),
            st.lists(st.tuples(st.integers(0, 99), st.floats(-(2.0**90), 2.0**90, width=32)), max_size=4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_both_readers_of_sparse_text_read_the_same(
    values: list[tuple[float, list[tuple[int, float]]]],
) -> None:
    block = "".join(f"{label!r} {' '.join(f'{c}:{v!r}' for c, v in pairs)}\n" for label, pairs in values)
    slow = libsvm._slow(block.encode(), 1, True)
    quick = libsvm._quick(block.encode())
    assert quick is not None
    for one, other in zip(slow, quick, strict=True):
        assert (one is None and other is None) or np.array_equal(one, other)  # type: ignore[arg-type]


@given(st.binary(max_size=60), st.booleans())
@settings(max_examples=300)
def test_any_bytes_are_rows_or_a_named_line(block: bytes, sparse: bool) -> None:
    import io

    try:
        if sparse:
            list(libsvm.blocks(io.BytesIO(block)))
        else:
            list(tables.blocks(io.BytesIO(block), ","))
    except (tables.TableError, libsvm.LibsvmError) as error:
        assert 1 <= error.line <= block.count(b"\n") + 1


# Metrics, training, models


def test_metrics_are_scikit_learns(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
    import xgboost
    from sklearn import metrics as sk

    values = rows(60)
    values[:, 0] = np.digitize(values[:, 0], [-1, 1])
    names = "merror,accuracy,balanced_accuracy,f1,f1_macro,precision_macro,precision_micro,recall_macro,recall_micro"
    found = jobs.booster("csv", {"train": {"a": text(values)}}, objective="multi:softprob", num_class="3", eval_metric=names)  # fmt: skip
    printed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("[3]\t"))
    shown = dict(item.removeprefix("train-").split(":") for item in printed.split("\t")[1:])
    label, guess = values[:, 0], found.predict(xgboost.DMatrix(values[:, 1:])).argmax(axis=1)
    assert shown == {
        "merror": f"{1 - sk.accuracy_score(label, guess):.5f}",
        "accuracy": f"{sk.accuracy_score(label, guess):.5f}",
        "balanced_accuracy": f"{sk.balanced_accuracy_score(label, guess):.5f}",
        "f1": f"{sk.f1_score(label, guess, average='macro'):.5f}",
        "f1_macro": f"{sk.f1_score(label, guess, average='macro'):.5f}",
        "precision_macro": f"{sk.precision_score(label, guess, average='macro'):.5f}",
        "precision_micro": f"{sk.precision_score(label, guess, average='micro'):.5f}",
        "recall_macro": f"{sk.recall_score(label, guess, average='macro'):.5f}",
        "recall_micro": f"{sk.recall_score(label, guess, average='micro'):.5f}",
    }


@pytest.mark.parametrize(("objective", "cut"), [("binary:logistic", 0.5), ("binary:logitraw", 0.0), ("binary:hinge", 0.5)])  # fmt: skip
def test_classes_follow_from_an_objectives_predictions(objective: str, cut: float) -> None:
    scores = np.array([cut - 0.1, cut, cut + 0.1], np.float32)
    assert metrics.classes(scores, objective).tolist() == [0, 0, 1]


def test_what_early_stopping_watches() -> None:
    assert metrics.plan(["mae", "f1"], None) == (["mae"], ["f1"], "f1")
    assert metrics.plan(["rmse", "mae"], "validation:rmse") == (["mae", "rmse"], [], "rmse")
    assert metrics.plan(None, "validation:accuracy") == ([], ["accuracy"], "accuracy")
    assert metrics.plan(None, None) == ([], [], None)


def test_a_binary_metric_for_three_classes_is_the_customers_error(jobs: Jobs) -> None:
    values = rows()
    values[:, 0] = np.arange(30) % 3
    with pytest.raises(ClientError, match="Target is multiclass but average='binary'"):
        jobs.booster("csv", {"train": {"a": text(values)}}, objective="multi:softmax", num_class="3", eval_metric="f1_binary")  # fmt: skip


def test_gpu_hist_is_hist_where_there_is_no_gpu(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
    found = jobs.booster("csv", {"train": {"a": text(rows())}}, tree_method="gpu_hist")
    assert "tree_method gpu_hist is not available on this machine" in capsys.readouterr().out
    assert same(found, library_model(rows(), tree_method="hist"))


def test_the_same_file_in_both_channels_is_warned_of(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    jobs.booster("csv", {name: {"a.csv": text(rows())} for name in ("train", "validation")})
    assert "WARNING] Suspected identical files found." in capsys.readouterr().out


def test_models_of_every_kind_are_loaded(tmp_path: Path) -> None:
    model = library_model(rows())
    for number, content in enumerate([model.save_raw("json"), model.save_raw("ubj"), pickle.dumps(model)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "any-name").write_bytes(bytes(content))
        (folder / ".hidden").write_bytes(b"x")
        found = models.load(folder, 1)
        assert same(found.boosters[0], model)
        assert (found.objective, found.features, found.pickled) == ("reg:squarederror", 3, number == 2)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "No model in .* The archive must hold 'xgboost-model'"),
        ({"xgboost-model": b"nonsense"}, "Model at .*xgboost-model cannot be loaded: it is neither a pickle"),
        ({"xgboost-model": pickle.dumps([1])}, "it is a pickle of list, not of a Booster"),
        ({"xgboost-model": b"\x80\x04broken"}, "it is a pickle that xgboost .* cannot read"),
    ],
)
def test_what_is_no_model_is_said(tmp_path: Path, files: dict[str, bytes], problem: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ClientError, match=problem):
        models.load(tmp_path, 1)


def test_several_models_vote_where_they_answer_classes() -> None:
    votes = [[0, 1, 2], [1, 1, 0], [1, 0, 0], [0, 2, 2]]
    assert models.most_frequent(np.array(votes)).tolist() == [0, 1, 0]


def test_without_the_library_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "xgboost", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClientError, match=r"xgboost library is not installed on this machine\. Install it with 'pip install"):  # fmt: skip
        library.load()


def test_a_job_goes_on_from_its_checkpoint_to_the_same_model(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    config = folder / "input" / "config"
    config.mkdir(parents=True)
    (config / "checkpointconfig.json").write_text(json.dumps({"LocalPath": "/opt/ml/checkpoints/mine"}))
    files = {"train": {"a": text(rows())}}
    Jobs(folder).booster("csv", files, num_round="9")
    kept = sorted(path.name for path in (folder / "checkpoints" / "mine").iterdir())
    assert kept == [f"xgboost-checkpoint.{number}" for number in range(4, 9)]
    resumed = Jobs(folder).booster("csv", files, num_round="14")
    assert resumed.num_boosted_rounds() == 14
    whole = Jobs(tmp_path / "other").booster("csv", files, num_round="14")
    assert same(resumed, whole)
    assert data.media_type("") == "libsvm"


LABELS: dict[str, list[float]] = {
    "rank:map": [0, 1],
    "multi": [0, 1, 2],
    "binary": [0, 1],
    "rank": [0, 1, 2],
    "reg:logistic": [0, 0.25, 1],
}


def labelled(objective: str) -> NDArray[np.float64]:
    """Rows whose labels an objective takes."""
    values = rows(60)
    known = LABELS.get(objective) or LABELS.get(objective.partition(":")[0]) or [1, 2, 3.5]
    values[:, 0] = np.resize(known, 60)
    return values


@pytest.mark.parametrize("objective", table.OBJECTIVES)
def test_every_objective_trains_and_prints_what_aws_looks_for(
    jobs: Jobs, capsys: pytest.CaptureFixture[str], objective: str
) -> None:
    more = {"num_class": "3"} if objective.startswith("multi:") else {}
    content = text(labelled(objective))
    jobs.booster("csv", {"train": {"a": content}, "validation": {"b": content}}, objective=objective, **more)
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[3]\t")]
    assert len(printed) == 1
    assert found_in(printed[0])


@pytest.mark.parametrize("metric", [*metrics.MAXIMIZE, *metrics.MINIMIZE])
def test_every_metric_is_found_in_the_log(
    jobs: Jobs, capsys: pytest.CaptureFixture[str], metric: str
) -> None:
    objectives = {
        "aft-nloglik": "survival:aft", "interval-regression-accuracy": "survival:aft", "cox-nloglik": "survival:cox",
        "gamma-deviance": "reg:gamma", "gamma-nloglik": "reg:gamma", "poisson-nloglik": "count:poisson", "tweedie-nloglik": "reg:tweedie",
        "map": "rank:map", "ndcg": "rank:ndcg", "merror": "multi:softmax", "mlogloss": "multi:softprob",
        **dict.fromkeys(("mae", "mape", "mphe", "mse", "r2", "rmse", "rmsle"), "reg:squarederror"),
    }  # fmt: skip
    objective = objectives.get(metric, "binary:logistic")
    more = {"num_class": "3"} if objective.startswith("multi:") else {}
    values = labelled(objective)
    content = text(values)
    jobs.booster(
        "csv",
        {"train": {"a": content}, "validation": {"b": content}},
        objective=objective,
        _tuning_objective_metric=f"validation:{metric}",
        early_stopping_rounds="20",
        **more,
    )
    printed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("[3]\t"))
    assert f"validation:{metric}" in found_in(printed)


def found_in(line: str) -> set[str]:
    """The metrics that AWS's definitions find on a line; tabs are ``#011`` in CloudWatch."""
    from engine.builtin import metric_definitions

    line = line.replace("\t", "#011")
    return {item["Name"] for item in metric_definitions("xgboost") if re.search(item["Regex"], line)}


def test_a_row_longer_than_the_part_that_is_sniffed(jobs: Jobs) -> None:
    wide = np.column_stack([np.arange(3), np.random.default_rng(0).normal(size=(3, 9000))])
    assert jobs.booster("csv", {"train": {"a": text(wide)}}).num_features() == 9000
    other = Jobs(jobs.base / "2")
    assert other.booster("libsvm", {"train": {"a": sparse_text(wide)}}).num_features() == 9000
