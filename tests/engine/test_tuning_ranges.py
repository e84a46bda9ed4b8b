"""Ranges, scales and texts of searched hyperparameters; draws, spreads and grids."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.tuning import sampling
from engine.tuning.advisor import _inward, _outward
from engine.tuning.ranges import Parameter, RangeError, Scale, combinations, key_of, read
from tests.engine.tuning import categorical, continuous, integer, ranges

SHARES = st.floats(0, 1)
NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    """Any valid searched hyperparameter."""
    kind = draw(st.sampled_from(["integer", "continuous", "log", "reverse", "log integer", "categorical"]))
    if kind == "categorical":
        return Parameter(
            "p", "Categorical", values=tuple(draw(st.lists(st.text(), min_size=1, max_size=30, unique=True)))
        )
    if "integer" in kind:
        low = draw(st.integers(1 if "log" in kind else -1000, 1000))
        high = draw(st.integers(low + 1, low + 100_000))
        return Parameter("p", "Integer", low, high, "log" if "log" in kind else "linear")
    if kind == "reverse":
        low, high = sorted((draw(st.floats(0, 0.999999)), draw(st.floats(0, 0.999999))))
    elif kind == "log":
        low, high = sorted((draw(st.floats(1e-12, 1e6)), draw(st.floats(1e-12, 1e6))))
    else:
        low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    assume(low < high)
    scale: Scale = "reverse" if kind == "reverse" else "log" if kind == "log" else "linear"
    return Parameter("p", "Continuous", low, high, scale)


@given(parameters(), SHARES)
def test_every_share_of_a_range_is_a_value_of_it_written_as_aws_writes_it(
    parameter: Parameter, share: float
) -> None:
    text = parameter.at(share)
    assert parameter.contains(text)
    if parameter.kind == "Integer":
        assert text == str(int(text))
    elif parameter.kind == "Continuous":
        assert text == repr(float(text))


@given(parameters(), SHARES)
def test_the_share_of_a_value_is_where_it_came_from(parameter: Parameter, share: float) -> None:
    assume(parameter.kind == "Continuous" and parameter.high > parameter.low * (1 + 1e-6))
    text = parameter.at(share)
    assert float(parameter.at(parameter.share(text))) == pytest.approx(float(text), rel=1e-6, abs=1e-6)


@given(parameters(), SHARES, SHARES)
def test_scales_keep_the_order(parameter: Parameter, one: float, other: float) -> None:
    assume(parameter.kind != "Categorical")
    low, high = sorted((one, other))
    assert float(parameter.at(low)) <= float(parameter.at(high))


@given(parameters(), SHARES)
def test_a_value_survives_the_way_to_the_advisor_and_back(parameter: Parameter, share: float) -> None:
    text = parameter.at(share)
    back = _outward(parameter, _inward(parameter, text))
    if parameter.scale == "reverse":
        assert float(back) == pytest.approx(float(text), abs=1e-15)
    else:
        assert back == text


def test_the_middle_of_a_scale() -> None:
    assert float(Parameter("p", "Continuous", 1e-4, 1.0, "log").at(0.5)) == pytest.approx(1e-2)
    assert float(Parameter("p", "Continuous", 0.0, 0.9999, "reverse").at(0.5)) == pytest.approx(0.99)
    assert Parameter("p", "Continuous", 2.0, 4.0).at(0.5) == "3.0"
    assert Parameter("p", "Integer", 1, 3).at(0.5) == "2"


def test_all_integers_are_equally_likely() -> None:
    parameter = Parameter("p", "Integer", 1, 4)
    counts = dict.fromkeys("1234", 0)
    for step in range(4000):
        counts[parameter.at((step + 0.5) / 4000)] += 1
    assert set(counts.values()) == {1000}


@pytest.mark.parametrize(
    ("item", "scale"),
    [
        (continuous("p", 0.01, 1.0), "log"),
        (continuous("p", 0.011, 1.0), "linear"),
        (continuous("p", 0.0, 1000.0), "linear"),
        (integer("p", 1, 100), "log"),
        (integer("p", 1, 99), "linear"),
        (integer("p", -5, 1000), "linear"),
        (continuous("p", 0.5, 0.6, "Logarithmic"), "log"),
        (continuous("p", 0.0, 0.99, "ReverseLogarithmic"), "reverse"),
        (continuous("p", 0.01, 1.0, "Linear"), "linear"),
    ],
)
def test_auto_scaling_is_logarithmic_from_a_factor_of_a_hundred_on(item: dict[str, Any], scale: str) -> None:
    assert read(ranges(item))[0].scale == scale


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([continuous("p", 1.0, 1.0)], "must be less than its maximum"),
        ([integer("p", 3, 2)], "must be less than its maximum"),
        ([continuous("p", 0.0, 1.0, "Logarithmic")], "only values greater than 0"),
        ([continuous("p", 0.0, 1.0, "ReverseLogarithmic")], "0<=x<1.0"),
        ([continuous("p", -0.1, 0.5, "ReverseLogarithmic")], "0<=x<1.0"),
        ([integer("p", 0, 5, "ReverseLogarithmic")], "not available for the integer"),
        ([{"Name": "p", "MinValue": "1", "MaxValue": "2.5"}], "must be an integer"),
        ([{"Name": "p", "MinValue": "a", "MaxValue": "2.5"}], "must be a number"),
        ([{"Name": "p", "MinValue": "nan", "MaxValue": "2.5"}], "must be a number"),
        ([{"Name": "p", "MinValue": "0.1", "MaxValue": "inf"}], "must be a number"),
        ([categorical("p", "a", "a")], "duplicate values"),
        ([continuous("p", 0.0, 1.0), categorical("p", "a")], "duplicate hyperparameters"),
        ([continuous("", 0.0, 1.0)], "empty Name"),
    ],
)
def test_invalid_ranges_are_named(items: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RangeError, match=re.escape(said)) as raised:
        read(ranges(*items))
    if said != "empty Name":
        assert "[p]" in str(raised.value)


SPACE = read(ranges(continuous("lr", 1e-5, 1.0), integer("n", 1, 20), categorical("c", "a", "b")))


def test_the_same_seed_draws_the_same_configurations() -> None:
    first = [sampling.draw(SPACE, 7, number) for number in range(20)]
    assert first == [sampling.draw(SPACE, 7, number) for number in range(20)]
    assert first != [sampling.draw(SPACE, 8, number) for number in range(20)]


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_nothing_is_drawn_twice_where_there_is_something_else(seed: int, jobs: int) -> None:
    space = read(ranges(integer("n", 1, 20), categorical("c", "a", "b")))
    taken: set[tuple[str, ...]] = set()
    for number in range(jobs):
        taken.add(key_of(sampling.draw(space, seed, number, taken), space))
    assert len(taken) == jobs


def test_an_exhausted_space_is_drawn_from_again() -> None:
    space = read(ranges(categorical("c", "a", "b")))
    assert sampling.draw(space, 1, 3, {("a",), ("b",)})["c"] in "ab"


@given(st.integers(0, 2**31), st.integers(1, 30))
def test_a_spread_has_one_point_in_each_part_of_every_range(seed: int, count: int) -> None:
    space = read(ranges(continuous("x", 0.0, 1.0, "Linear"), continuous("y", 1e-4, 1.0, "Logarithmic")))
    points = [sampling.spread(space, seed, number, count) for number in range(count)]
    assert sorted(min(int(float(point["x"]) * count), count - 1) for point in points) == list(range(count))
    shares = [math.log(float(point["y"]) / 1e-4) / math.log(1e4) for point in points]
    for part, share in enumerate(sorted(shares)):
        assert part / count - 1e-9 <= share <= (part + 1) / count + 1e-9


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_grid_has_every_combination_once(sizes: list[int]) -> None:
    space = [
        Parameter(f"p{index}", "Categorical", values=tuple(map(str, range(size))))
        for index, size in enumerate(sizes)
    ]
    count = int(combinations(space))
    cells = [tuple(sampling.cell(space, number).values()) for number in range(count)]
    assert cells == list(itertools.product(*(parameter.values for parameter in space)))
