"""What a requirement compiles to: sentences, numbers, and metrics that are not what was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.studies.fraud.info import FRAUD
from workflows.studies.fraud.requirement import (
    Kind,
    Requirement,
    mismatch,
    of,
    parse,
    precision_at,
    rate_at,
)
from workflows.studies.fraud.variants import targets, variants
from workflows.studies.parameters import ParameterError, parse_all


@pytest.mark.parametrize(
    ("sentence", "kind", "share"),
    [
        ("catch 90 % of frauds", "catch", 0.9),
        ("Catch at least 92.5% of all the frauds.", "catch", 0.925),
        ("miss at most 5 % of the frauds", "catch", 0.05),
        ("a recall of at least 80 %", "catch", 0.8),
        ("flag at most 15 % of valid transactions", "flag", 0.15),
        ("at most 2,5 per cent of genuine customers may be flagged", "flag", 0.025),
        ("a false-positive rate of 1 %", "flag", 0.01),
        ("at least 80 % of the flagged transactions are frauds", "precise", 0.8),
        ("precision of at least 85%", "precise", 0.85),
        ("at most 20 % of alarms are false", "precise", 0.2),
    ],
)
def test_a_sentence_is_a_kind_and_a_share(sentence: str, kind: Kind, share: float) -> None:
    found = parse(sentence)
    opposite = sentence.startswith("miss") or "false" in sentence.split()[-1]
    assert found.kind == kind
    assert found.share == pytest.approx(1 - share if opposite else share)


@pytest.mark.parametrize(
    "sentence",
    [
        "a miss costs 100 and a false alarm costs 5",
        "€100 per miss, €5 per false alarm",
        "A missed fraud costs us 100 euros, a false alarm 5",
    ],
)
def test_costs_are_read(sentence: str) -> None:
    found = parse(sentence)
    assert (found.kind, found.cost_miss, found.cost_alarm) == ("cost", 100, 5)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("do it well", "not understood"),
        ("catch 90 % of frauds and flag at most 15 % of valid transactions", "several requirements"),
        ("flag at most 15 % of valid transactions, a precision of 85 %", "several requirements"),
        ("catch 0 % of frauds", "above 0 %"),
        ("catch 140 % of frauds", "up to 100 %"),
        ("a miss costs 0 and a false alarm costs 5", "cost of 0"),
    ],
)
def test_a_sentence_that_is_none_is_refused_with_the_reason(sentence: str, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        parse(sentence)


@given(
    st.floats(0.5, 99.5), st.sampled_from(["catch {} % of frauds", "flag at most {} % of valid transactions"])
)
def test_any_share_is_read_back(share: float, form: str) -> None:
    assert parse(form.format(f"{share:.3f}")).share == pytest.approx(round(share, 3) / 100, abs=1e-9)


def test_fifteen_per_cent_of_valid_transactions_is_no_precision_of_eighty_five() -> None:
    needed = parse("flag at most 15 % of valid transactions")
    told = mismatch(needed, "precision", 492 / 284_807)
    assert "false-positive rate, not a precision of 0.85" in told
    assert "0.0103" in told and "0.027%" in told
    assert mismatch(needed, "false-positive-rate", 0.00173) == ""
    assert mismatch(needed, "compiled", 0.00173) == ""
    assert "0.9983" in mismatch(Requirement("catch", 0.9, 1, 1), "accuracy", 0.00173)
    assert "not by precision" in mismatch(Requirement("catch", 0.9, 1, 1), "precision", 0.00173)


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.0001, 0.5))
def test_a_rate_and_its_precision_belong_together(precision: float, recall: float, frauds: float) -> None:
    assert precision_at(rate_at(precision, recall, frauds), recall, frauds) == pytest.approx(precision)


@given(st.floats(0.01, 0.99), st.sampled_from(["catch", "flag", "precise"]), st.integers(1, 10_000))
def test_a_margin_makes_a_requirement_stricter(share: float, kind: Kind, rows: int) -> None:
    needed = Requirement(kind, share, 1, 1)
    strict = needed.strict(1.0, rows, rows)
    assert needed.strict(0.0, rows, rows) == needed
    assert 0 < strict.share <= 1
    assert strict.share < share if kind == "flag" else strict.share >= share


def test_the_requirement_becomes_the_jobs_targets() -> None:
    given_: dict[str, str] = {"sentence": "catch 95 % of frauds"}
    values = parse_all(FRAUD.parameters, given_)
    assert targets(values, of(values)) == (0.95, 0.9)
    found = {item.name: item for item in variants(values, of(values), 20.0, 10_000)}
    assert list(found) == ["simple", "recall", "balanced", "precision"]
    assert found["recall"].hyperparameters["target_recall"] == "0.95"
    assert found["simple"].hyperparameters["positive_example_weight_mult"] == "0.05"
    assert found["balanced"].hyperparameters["positive_example_weight_mult"] == "balanced"
    assert "positive_example_weight_mult" not in variants(values, of(values), 1.0, 10_000)[0].hyperparameters
    with pytest.raises(ParameterError, match="simple, recall, balanced, precision"):
        variants({**values, "variants": "simple,other"}, of(values), 1.0, 100)


def test_the_usual_share_of_a_kind_is_taken_where_none_is_given() -> None:
    values = parse_all(FRAUD.parameters, {"requirement": "flag"})
    assert of(values) == Requirement("flag", 0.15, 100, 5)
    notebook = parse_all(FRAUD.parameters, FRAUD.presets["as-in-notebook"])
    assert mismatch(of(notebook), str(notebook["stated-metric"]), 0.00173)
