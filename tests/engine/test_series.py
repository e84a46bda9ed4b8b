"""Metric bins, statistics, metric math and the store below CloudWatch."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metricstore.archive import Archive
from engine.metricstore.bins import EXACT_VALUES, Bin, bucket_of, value_of
from engine.metricstore.expressions import ExpressionError, TimeSeries, evaluate
from engine.metricstore.statistics import parse
from engine.series import MetricStore

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)


def _statistic(name: str, found: Bin) -> float:
    parsed = parse(name)
    assert parsed is not None
    value = parsed[0](found)
    assert value is not None
    return value


def _interpolated(values: list[float], fraction: float) -> float:
    """numpy's default percentile, naively."""
    ordered = sorted(values)
    rank = fraction * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (rank - low) * (ordered[high] - ordered[low])


@given(st.lists(FINITE, min_size=1, max_size=EXACT_VALUES), st.integers(0, 1000))
def test_few_values_are_exact(values: list[float], tenths: int) -> None:
    found = Bin()
    for value in values:
        found.add(value)
    assert found.count == len(values)
    assert (found.low, found.high) == (min(values), max(values))
    assert math.isclose(found.total, math.fsum(values), rel_tol=1e-9, abs_tol=1e-9 * max(map(abs, values)))
    wanted = _interpolated(values, tenths / 1000)
    got = _statistic(f"p{tenths / 10}", found)
    assert math.isclose(got, wanted, rel_tol=1e-6, abs_tol=1e-6 * max(map(abs, values)))


@given(
    st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=EXACT_VALUES + 1, max_size=400),
    st.integers(0, 100),
)
@settings(max_examples=60, deadline=None)
def test_many_values_are_right_to_one_percent(values: list[float], percent: int) -> None:
    found = Bin()
    for value in values:
        found.add(value)
    got = _statistic(f"p{percent}", found)
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    assert low * 0.99 <= got <= high * 1.0101


@given(FINITE.filter(lambda value: abs(value) > 1e-300))
def test_a_bucket_stands_for_its_values_within_one_percent(value: float) -> None:
    assert math.isclose(value_of(bucket_of(value)), value, rel_tol=0.0100)


@given(st.lists(st.lists(FINITE, max_size=90), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_merging_and_encoding_lose_nothing(groups: list[list[float]]) -> None:
    together, merged = Bin(), Bin()
    for group in groups:
        part = Bin()
        for value in group:
            part.add(value)
            together.add(value)
        merged.merge_encoded(part.encode(), 0, distribution=True)
    assert merged.count == together.count
    assert (merged.low, merged.high) == (together.low, together.high)
    assert sum(count for _, count in merged.distribution()) == together.count


def test_a_statistic_set_has_no_percentiles_unless_all_its_values_are_equal() -> None:
    found = Bin()
    found.add_statistics(3, 9.0, 2.0, 4.0)
    assert parse("p50")[0](found) is None  # type: ignore[index]
    assert _statistic("Average", found) == 3.0
    equal = Bin()
    equal.add_statistics(4, 8.0, 2.0, 2.0)
    assert _statistic("p50", equal) == 2.0


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("SampleCount", 10),
        ("Average", 5.5),
        ("p50", 5.5),
        ("p90", 9.1),
        ("p100", 10),
        ("tm90", 5.0),
        ("TM(10%:90%)", 5.5),
        ("TM(:5)", 3.0),
        ("TC(2:4)", 2),
        ("TS(8:)", 19),
        ("PR(:5)", 50),
        ("IQM", 5.5),
        ("wm90", 5.4),
        ("WM(2:9)", 5.5),
    ],
)
def test_statistics_of_one_to_ten(name: str, wanted: float) -> None:
    found = Bin()
    for value in range(1, 11):
        found.add(float(value))
    assert math.isclose(_statistic(name, found), wanted)


@pytest.mark.parametrize(
    "name", ["p101", "average", "px", "TM(90%:10%)", "TM(:)", "PR(10%:20%)", "TM(1:20%)", ""]
)
def test_what_is_no_statistic(name: str) -> None:
    assert parse(name) is None


def test_data_survives_and_dimensions_are_told_apart(tmp_path: Path) -> None:
    store = MetricStore(tmp_path)
    for value in (1.0, 2.0, 3.0):
        store.put("n", "m", {"a": "1", "b": "2"}, value, 1_700_000_000.5, "Count")
    store.put("n", "m", {"b": "2", "a": "1"}, 4.0, 1_700_000_030, "Count")
    store.put("n", "m", {"a": "1"}, 100.0, 1_700_000_000)
    store.put("n", "m", {"a": "1"}, math.nan, 1_700_000_000)
    store.close()
    store = MetricStore(tmp_path)
    points = store.statistics(
        "n", "m", {"a": "1", "b": "2"}, 1_699_999_980, 1_700_000_100, 60, ["Sum", "p50"]
    )
    assert points == [(1_699_999_980, {"Sum": 10.0, "p50": 2.5})]
    assert [(item.dimensions, item.unit) for item in store.series("n")] == [
        ((("a", "1"),), "None"),
        ((("a", "1"), ("b", "2")), "Count"),
    ]
    store.clear()
    assert store.series() == []
    assert store.statistics("n", "m", {"a": "1"}, 0, 2e9, 60, ["Sum"]) == []
    store.close()


def test_ageing_keeps_every_statistic(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    now = 1_700_000_000
    series = archive.register("n", "m", "None", (), now)
    begin = (now - 12 * 3600) // 60 * 60
    for minute in range(30):
        batch = []
        for second in range(60):
            found = Bin()
            for k in range(3):
                found.add(minute + k / 10)
            batch.append((series, begin + minute * 60 + second, found.encode()))
        archive.append(batch, {series: now})
    archive.fold()

    def read() -> dict[int, tuple[float, float, float]]:
        from collections import defaultdict

        into: dict[int, Bin] = defaultdict(Bin)
        archive.reader(series, begin, now)(60, into, distribution=True)
        return {
            time: (b.count, round(b.total, 6), round(_statistic("p90", b), 6)) for time, b in into.items()
        }

    before = read()
    rows = archive._db.execute("SELECT count(*) FROM blocks WHERE level=1").fetchone()[0]
    assert rows > 1
    while archive.compact(now):
        pass
    assert archive._db.execute("SELECT count(*) FROM blocks WHERE level=1").fetchone()[0] == 0
    assert read() == before
    while archive.compact(now + 456 * 86400 + 30 * 86400 + 3600):
        pass
    assert read() == {}
    archive.close()


_VICTIM = """
import sys, time
from pathlib import Path
from engine.series import MetricStore
store = MetricStore(Path(sys.argv[1]))
for i in range(1000):
    store.put("n", "m", {}, 1.0, 1_700_000_000 + i % 7)
store.flush()
print("flushed", flush=True)
time.sleep(60)
"""


def test_a_killed_process_keeps_what_was_flushed_and_counts_nothing_twice(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "flushed\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    journal = next(tmp_path.glob("journal-*.bin"))
    with journal.open("ab") as file:
        file.write(b"\x40\x00\x00\x00torn")
    for _ in range(2):
        store = MetricStore(tmp_path)
        assert store.statistics("n", "m", {}, 1.6e9, 1.8e9, 86400, ["SampleCount"])[0].values == {
            "SampleCount": 1000
        }
        store.close()


def _series(*values: float) -> TimeSeries:
    return TimeSeries(60, {60 * i: value for i, value in enumerate(values)})


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a + b", [11, 22, 33]),
        ("100 * a / b", [10, 10, 10]),
        ("-a ^ 2", [-1, -4, -9]),
        ("(a + b) * 2 - 1", [21, 43, 65]),
        ("SUM([a, b])", [11, 22, 33]),
        ("AVG(METRICS())", [5.5, 11, 16.5]),
        ('MAX(METRICS("b"))', [10, 20, 30]),
        ("SUM(a)", [6, 6, 6]),
        ("a / (a - 2)", [-1, None, 3]),
        ("RUNNING_SUM(a)", [1, 3, 6]),
        ("DIFF(b)", [None, 10, 10]),
        ("RATE(b)", [None, 1 / 6, 1 / 6]),
        ("FILL(gap, 0)", [5, 0, 7]),
        ("FILL(gap, REPEAT)", [5, 5, 7]),
        ("FILL(gap, LINEAR)", [5, 6, 7]),
        ("CEIL(a / 2)", [1, 1, 2]),
        ("PERIOD(a)", [60, 60, 60]),
    ],
)
def test_metric_math(expression: str, wanted: list[float | None]) -> None:
    known = {"a": _series(1, 2, 3), "b": _series(10, 20, 30), "gap": TimeSeries(60, {0: 5.0, 120: 7.0})}
    value = evaluate(expression, known, {"a", "b"}, (0, 180))
    if isinstance(value, list):
        (value,) = value
    assert isinstance(value, TimeSeries)
    assert value.points == {60 * i: item for i, item in enumerate(wanted) if item is not None}


@pytest.mark.parametrize(
    "expression", ["", "a +", "c", "SEARCH('x', 'y')", "IF(a, b, 1)", "(a", "a b", "1 / 0", "a > 1"]
)
def test_expressions_that_cannot_be_evaluated(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, {"a": _series(1), "b": _series(2)}, {"a", "b"}, (0, 60))


@given(
    st.lists(
        st.tuples(st.integers(0, 4000), FINITE, st.sampled_from(["Count", "None"])), min_size=1, max_size=60
    ),
    st.sampled_from([1, 5, 10, 30, 60, 300]),
)
@settings(max_examples=25, deadline=None)
def test_aggregation_against_a_naive_reference(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[int, float, str]], period: int
) -> None:
    store = MetricStore(tmp_path_factory.mktemp("metrics"))
    begin = 1_700_000_000
    groups: dict[int, list[float]] = {}
    for i, (offset, value, unit) in enumerate(data):
        store.put("n", "m", {"d": "x"}, value, begin + offset, unit)
        groups.setdefault((begin + offset) // period * period, []).append(value)
        if i % 20 == 19:
            store.flush()
    names = ["SampleCount", "Minimum", "Maximum", "p75"]
    points = store.statistics("n", "m", {"d": "x"}, begin - 300, begin + 5000, period, names)
    assert [point.timestamp for point in points] == sorted(groups)
    for point in points:
        values = groups[point.timestamp]
        assert point.values["SampleCount"] == len(values)
        assert (point.values["Minimum"], point.values["Maximum"]) == (min(values), max(values))
        scale = max(map(abs, values))
        assert math.isclose(
            point.values["p75"], _interpolated(values, 0.75), rel_tol=1e-6, abs_tol=1e-6 * scale
        )
    store.close()


def test_a_full_disk_loses_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MetricStore(tmp_path)
    write = os.write

    def fill(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill)
        store.put("n", "m", {}, 1.0, 1_700_000_000)
        with pytest.raises(OSError, match="No space"):
            # The flushing thread may have been first; then the value is back in memory and this flush fails too.
            store.flush()
        store.put("n", "m", {}, 2.0, 1_700_000_000)
    store.flush()
    assert store.statistics("n", "m", {}, 1.6e9, 1.8e9, 86400, ["Sum", "SampleCount"])[0].values == {
        "Sum": 3.0,
        "SampleCount": 2.0,
    }
    store.close()
    again = MetricStore(tmp_path)
    assert again.statistics("n", "m", {}, 1.6e9, 1.8e9, 86400, ["Sum"])[0].values == {"Sum": 3.0}
    again.close()


def test_values_put_from_many_threads_are_all_counted(tmp_path: Path) -> None:
    store = MetricStore(tmp_path)

    def put(worker: int) -> None:
        for i in range(2000):
            store.put("n", "m", {"w": str(worker % 2)}, float(i), 1_700_000_000 + i % 3, "Count")
            if i % 500 == 0:
                store.flush()

    workers = [threading.Thread(target=put, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for name in ("0", "1"):
        points = store.statistics("n", "m", {"w": name}, 1.6e9, 1.8e9, 86400, ["SampleCount", "Sum"])
        assert points[0].values == {"SampleCount": 4000.0, "Sum": 2 * sum(range(2000))}
    store.close()
