"""XGBoost's training data: every format, and what is wrong with data, named."""

from __future__ import annotations

import gzip
import importlib.util
import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb import libsvm, tables, training
from algorithms.formats import records
from tests.algorithms.boosting import Jobs, library_model, packed, parquet, rows, same, sparse_text, text

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed"
)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


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
        ("text/csv", {"a.csv": b"1,2\n", "b.csv": b"1,2\n\n1,inf\n"}, "Input data contains `inf` or a value too large, while `missing` is not set to `inf`: file 'b.csv', row 3."),
        ("text/csv", {"a.csv": b"1,2\n1,1e39\n"}, "Input data contains `inf` or a value too large, while `missing` is not set to `inf`: file 'a.csv', row 2."),
        ("libsvm", {"a": b"1 0:2\n1\n1 3:-inf\n"}, "Input data contains `inf` or a value too large, while `missing` is not set to `inf`: file 'a', row 3."),
        ("text/csv", {"a.csv.gz": gzip.compress(b"1,2\n")}, "File 'a.csv.gz' of channel 'train' is compressed with gzip. Set the channel's CompressionType to Gzip"),
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

    try:
        if sparse:
            list(libsvm.blocks(io.BytesIO(block)))
        else:
            list(tables.blocks(io.BytesIO(block), ","))
    except (tables.TableError, libsvm.LibsvmError) as error:
        assert 1 <= error.line <= block.count(b"\n") + 1


def test_a_row_longer_than_the_part_that_is_sniffed(jobs: Jobs) -> None:
    wide = np.column_stack([np.arange(3), np.random.default_rng(0).normal(size=(3, 9000))])
    assert jobs.booster("csv", {"train": {"a": text(wide)}}).num_features() == 9000
    other = Jobs(jobs.base / "2")
    assert other.booster("libsvm", {"train": {"a": sparse_text(wide)}}).num_features() == 9000
