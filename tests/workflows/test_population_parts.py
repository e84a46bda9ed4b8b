"""The dense parts of the population study: curves, names, numbers that stay, explanations, look-ups, scaling."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.formats import ndarray
from workflows import locations, runs
from workflows.configuration import Configuration
from workflows.data import audit
from workflows.failures import WorkflowError
from workflows.ledger import Ledger
from workflows.studies.population import (
    choosing,
    components,
    county,
    data,
    finished,
    judged,
    labelling,
    naming,
    segments,
    trained,
)
from workflows.studies.population.choosing import Point

REAL = os.environ.get("MLCONSOLE_DATA_DIR", "")
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> data.Counties:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_HOME", str(tmp_path_factory.mktemp("home")))
        return data.read(data.located(Configuration(), "synthetic")).counties


def groups(rows: int, centres: int, seed: int, wide: int = 4) -> tuple[Any, Any]:
    """Rows around centres that lie far apart, and the centre of each."""
    random = np.random.default_rng(seed)
    middles = 20.0 * np.eye(max(centres, wide))[:centres, :wide] + random.normal(size=(centres, wide))
    labels = np.arange(rows) % centres
    return middles[labels] + random.normal(size=(rows, wide)) * 0.5, labels


def point(k: int, **known: float) -> Point:
    values = {
        "msd": 1 / k,
        "silhouette": 0.5,
        "stability": 0.95,
        "spread": 0.01,
        "weakest": 0.9,
        "null": 0.1,
        "null_spread": 0.01,
    }
    return Point(k=k, **(values | known))


# --- how many ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("centres", [2, 3, 4])
def test_the_rule_finds_as_many_groups_as_there_are(centres: int) -> None:
    rows, truth = groups(200, centres, 1)
    points = []
    for k in range(2, 7):
        labels = choosing.fit(rows, k, 10, 0).labels_
        draws = choosing.stability(rows, k, labels, 6, 0)
        chance = choosing.null(rows, k, 3, 0)
        points.append(
            Point(
                k,
                float(k),
                choosing.silhouette(rows, labels),
                float(np.mean(draws.indices)),
                float(np.std(draws.indices)),
                float(draws.found_again.min()),
                float(np.mean(chance)),
                float(np.std(chance)),
            )
        )
    made = choosing.choose(points, 0.75)
    assert (made.k, made.sound) == (centres, True)
    assert len(set(zip(truth, choosing.fit(rows, centres, 10, 0).labels_, strict=True))) == centres


def test_noise_has_no_clear_number_of_segments() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 5))
    labels = choosing.fit(rows, 3, 10, 0).labels_
    chance = choosing.null(rows, 3, 6, 0)
    found = point(
        3,
        silhouette=choosing.silhouette(rows, labels),
        null=float(np.mean(chance)),
        null_spread=float(np.std(chance)),
    )
    assert not found.clear
    assert not choosing.choose([found], 0.75).sound


def test_the_rule_takes_the_most_segments_that_are_all_found_again_and_says_so() -> None:
    points = [
        point(2),
        point(3, weakest=0.99),
        point(6, weakest=0.8),
        point(7, weakest=0.7),
        point(8, silhouette=0.1),
    ]
    made = choosing.choose(points, 0.75)
    assert made.k == 6 and made.sound
    assert "Jaccard index of 0.80" in made.reason and "with k = 7 one of 0.70" in made.reason
    none = choosing.choose([point(2, weakest=0.5), point(3, weakest=0.7)], 0.75)
    assert none.k == 3 and not none.sound and "no k is both stable" in none.reason


def test_a_cluster_that_is_split_by_chance_is_not_found_again() -> None:
    rows, _ = groups(200, 3, 4)
    found = choosing.stability(rows, 4, choosing.fit(rows, 4, 10, 0).labels_, 8, 0)
    assert sorted(found.found_again > 0.75)[:2] == [False, False]
    assert choosing.overlaps(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1]), 2).tolist() == [
        [0, 2 / 3],
        [1 / 2, 1 / 4],
    ]


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=12))
def test_the_elbow_is_one_of_the_curve_and_does_not_change_with_its_unit(falls: list[float]) -> None:
    msds = list(itertools.accumulate(falls, lambda left, fall: left - fall, initial=sum(falls) + 1.0))
    ks = list(range(2, 2 + len(msds)))
    found = choosing.elbow(ks, msds)
    assert found in ks[:-1]
    assert choosing.elbow(ks, [8 * msd for msd in msds]) == found


def test_the_elbow_of_a_bent_line_is_where_it_bends() -> None:
    assert choosing.elbow([2, 3, 4, 5, 6, 7], [10, 7, 4, 1, 0.9, 0.8]) == 5
    assert choosing.elbow([2, 3, 4], [3, 2, 1]) == 2
    assert choosing.elbow([2], [3]) == 2
    with pytest.raises(ValueError):
        choosing.elbow([], [])


def test_what_is_tried_fits_the_rows() -> None:
    assert choosing.tried(0, 2, 14, 3218) == list(range(2, 15))
    assert choosing.tried(30, 2, 4, 3218) == [2, 3, 4, 30]
    assert choosing.tried(0, 2, 14, 40) == list(range(2, 9))
    with pytest.raises(WorkflowError, match="k cannot be 30: 100 counties are enough for at most 20"):
        choosing.tried(30, 2, 4, 100)


@given(seeds)
@settings(max_examples=20)
def test_shuffling_keeps_each_columns_values(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(30, 3))
    mixed = choosing.shuffled(rows, seed)
    assert np.array_equal(np.sort(mixed, axis=0), np.sort(rows, axis=0))


# --- names ------------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 9), st.integers(1, 6), seeds)
def test_names_are_all_different_and_deterministic(clusters: int, width: int, seed: int) -> None:
    found = np.random.default_rng(seed).integers(-2, 3, size=(clusters, width)).astype(float)
    columns = [f"col{number}" for number in range(width)]
    made = naming.names(found, columns, list(range(width)))
    assert len(set(made)) == clusters
    assert made == naming.names(found, columns, list(range(width)))


def test_a_name_has_the_largest_deviations_and_more_where_that_is_not_enough() -> None:
    columns = ["White", "Income", "Walk"]
    found = np.array([[2.0, -1.0, 0.3], [1.5, -1.2, -0.9], [0.1, 0.1, -0.1], [0.0, 0.2, 0.1]])
    assert naming.names(found, columns, [0, 1, 2]) == [
        "high White, low Income, high Walk",
        "high White, low Income, low Walk",
        "average",
        "average (2)",
    ]


def test_of_columns_that_say_the_same_only_the_first_names() -> None:
    random = np.random.default_rng(0)
    people = random.gamma(2, 100, 300)
    values = np.column_stack(
        [people, people * 0.49 + random.normal(size=300), random.normal(size=300), np.full(300, 7.0)]
    )
    assert naming.groups(values, 0.95) == [[0, 1], [2], [3]]
    found = naming.deviations(values, (people > 300).astype(int), 2)
    assert found.shape == (2, 4) and np.all(found[:, 3] == 0)
    assert found[1, 0] > 0 > found[0, 0]


# --- numbers that stay ------------------------------------------------------------------------------------------------------


@given(st.integers(2, 7), seeds)
def test_numbers_carry_on_whatever_the_clusters_are_called_this_time(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    before = np.concatenate([np.arange(count), random.integers(0, count, 200)])
    turned = random.permutation(count)
    clusters = turned[before]
    moved = random.random(len(clusters)) < 0.05
    clusters = np.where(moved, random.integers(0, count, len(clusters)), clusters)
    sizes = np.bincount(clusters, minlength=count).tolist()
    found = labelling.matched(clusters, before + 1, sizes, [str(one) for one in range(count)])
    assert sorted(match.segment for match in found) != [] and len({match.segment for match in found}) == count
    for cluster, match in enumerate(found):
        if match.earlier:
            assert turned[match.earlier - 1] == cluster and match.overlap >= labelling.SAME


def test_two_k_means_with_different_seeds_get_the_same_numbers(sample: data.Counties) -> None:
    scaled = data.Scaler.fitted("minmax", sample.columns, sample.values).scaled(sample.values)
    rows = components.fitted(scaled, 8).project(scaled)
    runs = [choosing.fit(rows, 4, 10, seed).labels_ for seed in (1, 2, 3)]
    assert any(not np.array_equal(runs[0], other) for other in runs[1:]), (
        "k-means numbers its clusters at random"
    )
    numbered: list[Any] = []
    for labels in runs:
        sizes = np.bincount(labels).tolist()
        names = naming.names(
            naming.deviations(sample.values, labels, 4), sample.columns, naming.traits(sample.values)
        )
        matches = (
            labelling.matched(labels, numbered[-1], sizes, names)
            if numbered
            else labelling.ordered(sizes, names)
        )
        numbered.append(np.array([match.segment for match in matches])[labels])
    assert sorted(np.bincount(numbered[0])[1:], reverse=True) == list(np.bincount(numbered[0])[1:])
    assert min(float((numbered[0] == other).mean()) for other in numbered[1:]) > 0.98


def test_a_cluster_that_is_new_gets_a_number_that_was_never_given() -> None:
    before = np.array([1] * 50 + [2] * 50)
    now = np.array([0] * 20 + [1] * 20 + [2] * 10 + [3] * 50)
    found = labelling.matched(now, before, [20, 20, 10, 50], ["a", "b", "c", "d"])
    assert [match.segment for match in found] == [3, 4, 5, 2]
    assert [match.earlier for match in found] == [0, 0, 0, 2]


# --- one county -------------------------------------------------------------------------------------------------------------

NAMES = [
    "Los Angeles, California", "Washington, Ohio", "Washington, Texas", "St. Louis city, Missouri", "St. Louis, Missouri",
    "Doña Ana, New Mexico", "Prince George's, Maryland", "LaSalle, Illinois", "La Salle, Texas",
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Los Angeles, California", 0), ("los angeles county, CA", 0), ("California-Los Angeles", 0), ("Los Angeles", 0),
        ("Los Angles, Californa", 0), ("los angles", 0), ("Washington, TX", 2), ("st louis city, mo", 3), ("ST. LOUIS, missouri", 4),
        ("Dona Ana, NM", 5), ("prince georges", 6), ("  LaSalle ,  Illinois ", 7),
    ],
)  # fmt: skip
def test_a_county_is_found_by_a_name_that_is_not_exact(asked: str, meant: int) -> None:
    assert county.find(NAMES, asked) == meant


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("Washington", "2 states have a county 'Washington': Washington, Ohio; Washington, Texas"),
        ("Atlantis, Sea", "Did you mean"),
        (" ", "empty name"),
    ],
)
def test_a_county_that_is_not_there_is_told_with_likely_ones(asked: str, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        county.find(NAMES, asked)


@given(seeds, st.integers(2, 5))
@settings(max_examples=40)
def test_reasons_add_up_to_the_difference_of_the_squared_distances(seed: int, kept: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(60, 6)) @ random.normal(size=(6, 6))
    scaler = data.Scaler.fitted("minmax", list("abcdef"), values)
    found = components.fitted(scaler.scaled(values), 6).first(kept)
    centres = choosing.fit(found.project(scaler.scaled(values)), 3, 3, 0).cluster_centers_
    row = scaler.scaled(values[:1])
    order, distances = trained.nearest(found.project(row), centres)
    first, second = centres[order[0, 0]], centres[order[0, 1]]
    means = (values[0], values[1])
    parts = county.reasons(
        row[0], values[0], list("abcdef"), found, first, second, means, [[0, 3], [1], [2], [4], [5]]
    )
    assert sum(part.share for part in parts) == pytest.approx(1, abs=1e-6)
    assert [abs(part.share) for part in parts] == sorted((abs(part.share) for part in parts), reverse=True)
    # Against first principles: moving one column of the county by a little moves the difference as its weight says.
    difference = distances[0, 1] ** 2 - distances[0, 0] ** 2
    alone = next(part for part in parts if part.column == "b")
    weight = 2 * (found.vectors.astype(float) @ (first - second))[1]
    middle = (found.vectors.astype(float) @ (first + second) / 2)[1]
    assert alone.share * difference == pytest.approx((row[0, 1] - found.mean[1] - middle) * weight, abs=1e-4)
    assert next(part for part in parts if part.column == "a").named == "a and 1 like it"


# --- components and data ----------------------------------------------------------------------------------------------------


def test_the_artefact_is_read_with_the_largest_component_first(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = (random.normal(size=(80, 5)) * [5, 4, 3, 2, 1]).astype(np.float32)
    here = components.fitted(rows, 5)
    path = tmp_path / "model_algo-1"
    ndarray.save(
        path,
        {
            "s": here.singular[::-1].astype(np.float32),
            "v": np.ascontiguousarray(here.vectors[:, ::-1].astype(np.float32)),
            "mean": here.mean.reshape(1, -1).astype(np.float32),
        },
    )
    found = components.load(path, components.total_of(rows))
    assert found.singular == pytest.approx(here.singular, rel=1e-5)
    assert found.explained[-1] == pytest.approx(1, abs=1e-5)
    assert found.needed(0.5) == int(np.argmax(here.explained >= 0.5)) + 1
    assert components.load(path, 2 * components.total_of(rows)).needed(0.9) == 5, (
        "what cannot be reached takes all"
    )
    assert found.makeup(0, list("abcde"), 1)[0][0] == "a"
    ndarray.save(path, [np.zeros((2, 2), np.float32)])
    with pytest.raises(WorkflowError, match="no arrays s, v and mean"):
        components.load(path, 1.0)
    assert components.centroids(path).shape == (2, 2)
    path.write_bytes(b"damaged")
    with pytest.raises(WorkflowError, match="cannot be read"):
        components.centroids(path)


@given(st.sampled_from(["minmax", "standard"]), seeds)
@settings(max_examples=20)
def test_scaling_is_kept_and_a_constant_column_becomes_zero(kind: str, seed: int) -> None:
    values = np.random.default_rng(seed).normal(3, 10, size=(20, 3))
    values[:, 1] = 0.1
    scaler = data.Scaler.fitted(kind, ["a", "b", "c"], values)
    rows = scaler.scaled(values)
    assert np.isfinite(rows).all() and np.abs(rows[:, 1]).max() < 1e-6
    if kind == "minmax":
        assert rows.min() >= 0 and rows[:, 0].max() == pytest.approx(1)
    else:
        assert rows[:, 0].std() == pytest.approx(1, abs=1e-5)


def test_segments_are_kept_as_they_are(tmp_path: Path) -> None:
    rows, labels = groups(40, 3, 2)
    centres = np.array([rows[labels == one].mean(axis=0) for one in range(3)])
    order, distances = trained.nearest(rows, centres)
    names = naming.names(naming.deviations(rows, labels, 3), list("abcd"), [0, 1, 2, 3])
    matches = labelling.ordered([14, 13, 13], names)
    made = segments.assembled(
        list("abcd"), rows, names, naming.deviations(rows, labels, 3), matches, order, distances
    )
    counties = [f'County "{number}", State' for number in range(40)]
    segments.save(tmp_path, counties, made)
    again, found = segments.load(tmp_path)
    assert again == counties and found.segments == made.segments
    assert np.array_equal(found.nearest, made.nearest) and np.array_equal(
        found.second_distance, made.second_distance
    )


def test_stale_or_misaligned_answers_are_refused() -> None:
    rows, _ = groups(30, 3, 3)
    order, distances = trained.nearest(rows, rows[:3])
    judged.check(order[:, 0], distances[:, 0], order, distances)
    with pytest.raises(WorkflowError, match="rows and model do not belong together"):
        judged.check(np.roll(order[:, 0], 1), np.roll(distances[:, 0], 1), order, distances)
    with pytest.raises(WorkflowError, match="1 of 30 answers"):
        judged.check(np.r_[7, order[1:, 0]], distances[:, 0], order, distances)


GOOD: dict[str, Any] = {
    "explained": 0.81, "goal": 0.8, "sizes": [100, 50], "stability": 0.95, "spread": 0.02, "weakest": 0.9, "asked": False, "bar": 0.75, "silhouette": 0.3,
    "null": 0.2, "null_spread": 0.01, "msd": 1.0, "best": 1.0, "limit": 0.05, "logged": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "name", "verdict"),
    [
        ({}, "", ""),
        ({"explained": 0.7}, "variance explained", "fail"),
        ({"sizes": [150, 0]}, "no empty cluster", "fail"),
        ({"sizes": [1490, 10]}, "no empty cluster", "warn"),
        ({"weakest": 0.7}, "stable", "warn"),
        ({"weakest": 0.5}, "stable", "fail"),
        ({"weakest": 0.5, "asked": True}, "stable", "warn"),
        ({"silhouette": 0.22}, "more than chance", "fail"),
        ({"msd": 1.06, "logged": 1.06}, "as near as possible", "fail"),
        ({"logged": 1.01}, "log and model agree", "fail"),
        ({"logged": None}, "log and model agree", "warn"),
    ],
)
def test_the_gate_names_what_is_wrong(changed: dict[str, Any], name: str, verdict: str) -> None:
    found = trained.judged("gate", **(GOOD | changed))
    assert {one.name: one.verdict for one in found if one.verdict != "pass"} == (
        {name: verdict} if name else {}
    )


# --- broken inputs ----------------------------------------------------------------------------------------------------------


def written(frame: pd.DataFrame, folder: Path, patch: pytest.MonkeyPatch) -> data.Located:
    (folder / "census").mkdir(parents=True)
    frame.to_csv(folder / "census" / "acs2015_county_data.csv", index=False)
    patch.setenv("MLCONSOLE_DATA_DIR", str(folder))
    return data.located(Configuration())


@pytest.fixture
def frame(sample: data.Counties) -> pd.DataFrame:
    made = pd.DataFrame(sample.values[:200], columns=sample.columns)
    made.insert(0, "County", [name.rpartition(", ")[0] for name in sample.names[:200]])
    made.insert(0, "State", [name.rpartition(", ")[2] for name in sample.names[:200]])
    made.insert(0, "CensusId", range(1, 201))
    return made


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda frame: frame.drop(columns="Income"), "no column Income"),
        (lambda frame: frame.assign(Income="much"), "Income holds texts"),
        (lambda frame: frame.head(20), "34 columns need at least 68"),
        (
            lambda frame: pd.concat([frame, frame.head(1).assign(Income=1.0)]),
            "stands there more than once with different values",
        ),
        (
            lambda frame: frame.assign(Income=frame["Income"].replace(frame["Income"][3], np.inf)),
            "Income of .* is no finite number",
        ),
    ],
)
def test_tables_that_cannot_be_used_are_refused_with_the_reason(
    spoil: Any, says: str, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = written(spoil(frame), tmp_path, monkeypatch)
    with pytest.raises(WorkflowError, match=says):
        data.read(place)


def test_what_is_left_out_is_named(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame.loc[5, "Income"] = np.nan
    place = written(pd.concat([frame, frame.iloc[[7, 9]]]), tmp_path, monkeypatch)
    found = data.read(place, ("FamilyWork",))
    assert found.incomplete == [f"{frame['County'][5]}, {frame['State'][5]}"]
    assert len(found.copies) == 2 and len(found.counties) == 199 and found.missing == {"Income": 1}
    assert "FamilyWork" not in found.counties.columns and len(found.counties.columns) == 33
    with pytest.raises(WorkflowError, match="leave-out names Height"):
        data.read(place, ("Height",))
    with pytest.raises(WorkflowError, match="leave out fewer"):
        data.read(place, tuple(frame.columns[4:]))


def test_the_audit_finds_columns_that_say_the_same_or_are_squeezed(sample: data.Counties) -> None:
    frame = pd.DataFrame({"a": np.arange(300.0), "b": np.arange(300.0) * 2 + 1, "c": np.arange(300.0) % 7})
    frame["d"] = np.r_[np.linspace(0, 1, 299), 1000.0]
    (together,), (squeezed,) = audit.collinear(frame), audit.squeezed(frame)
    assert together.where == "columns a, b" and together.count == 2
    assert squeezed.where == "column d" and "0.1% of the range" in squeezed.text


@pytest.mark.skipif(not REAL, reason="MLCONSOLE_DATA_DIR leads to no real data")
def test_the_real_census_gives_the_notebooks_components(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONSOLE_DATA_DIR", REAL)
    found = data.read(data.located(Configuration(), "folder"))
    assert found.incomplete == ["Kalawao, Hawaii", "Loving, Texas"]
    assert len(found.counties) == 3218 and len(found.counties.columns) == 34
    rows = data.Scaler.fitted("minmax", found.counties.columns, found.counties.values).scaled(
        found.counties.values
    )
    here = components.fitted(rows, 33)
    assert here.singular[:5] == pytest.approx([19.592, 13.036, 11.718, 10.180, 7.991], abs=5e-4)
    assert here.explained[:7] == pytest.approx(
        [0.3210, 0.4631, 0.5779, 0.6646, 0.7180, 0.7675, 0.8017], abs=5e-5
    )
    assert here.needed(0.8) == 7
    some = found.counties.names[::150]
    assert [found.counties.names[county.find(found.counties.names, name)] for name in some] == some


def _segmented(name: str, created: float, *, synthetic: bool) -> runs.Run:
    folder = locations.runs_dir() / name
    (folder / "work").mkdir(parents=True)
    made = runs.Run(
        id=name, folder=folder, study="population", interface="low", status="completed", created=created, parameters={}, configuration={},
    )  # fmt: skip
    runs.save(made)
    ledger = Ledger(folder)
    for step, outputs in (("prepare", {"synthetic": synthetic}), ("evaluate", {})):
        ledger.begin(step, {})
        ledger.finish(step, outputs, [], "", 0.0)
    return made


def test_counties_are_asked_for_in_the_newest_run_on_real_data() -> None:
    first = _segmented("population-20260101-000001-aaaa", 1.0, synthetic=True)
    assert finished.find().id == first.id, "where there is no other"
    assert finished.passed_over(first) is None
    _segmented("population-20260101-000002-bbbb", 2.0, synthetic=False)
    real = _segmented("population-20260101-000003-cccc", 3.0, synthetic=False)
    assert finished.passed_over(finished.find()) is None
    newer = _segmented("population-20260101-000004-dddd", 4.0, synthetic=True)
    assert finished.find().id == real.id
    assert (finished.passed_over(real) or real).id == newer.id
    assert finished.find("last").id == newer.id
    assert finished.find("bbbb").id.endswith("0002-bbbb")
    assert finished.passed_over(finished.find("bbbb"), "bbbb") is None
