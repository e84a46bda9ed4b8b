"""Parameters of studies: texts in, typed values or a sentence out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.studies.catalog import catalog
from workflows.studies.parameters import Parameter, ParameterError, parse_all, parse_assignments

EPOCHS = Parameter("epochs", "int", 80, "Passes.", 1, 5000)
RATE = Parameter("rate", "float", 0.1, "Step.", 1e-6, 1.0)
MIX = Parameter("mix", "bool", True, "Mix.")
KIND = Parameter("kind", "choice", "a", "Kind.", choices=(("a", "one"), ("b", "two")))


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (EPOCHS, " 12 ", 12), (EPOCHS, 12, 12), (RATE, "1e-3", 0.001), (MIX, "no", False), (MIX, "TRUE", True), (MIX, False, False), (KIND, "b", "b"),
    ],
)  # fmt: skip
def test_a_good_text_becomes_a_typed_value(parameter: Parameter, text: str, value: object) -> None:
    assert parameter.parse(text) == value
    assert type(parameter.parse(text)) is type(value)


@pytest.mark.parametrize(
    ("parameter", "text", "allowed"),
    [
        (EPOCHS, "0", "a whole number from 1 to 5000"),
        (EPOCHS, "ten", "a whole number from 1 to 5000"),
        (EPOCHS, "1.5", "a whole number from 1 to 5000"),
        (RATE, "nan", "a number from 1e-06 to 1"),
        (RATE, "inf", "a number from 1e-06 to 1"),
        (MIX, "maybe", "yes or no"),
        (KIND, "c", "a, b"),
    ],
)
def test_a_bad_text_is_refused_with_name_value_and_range(
    parameter: Parameter, text: str, allowed: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        parameter.parse(text)
    assert parameter.name in str(caught.value)
    assert repr(text) in str(caught.value)
    assert allowed in str(caught.value)


@given(st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parameter in (EPOCHS, RATE, MIX, KIND):
        try:
            parameter.parse(text)
        except ParameterError as error:
            assert parameter.name in str(error)


def test_assignments_name_what_is_wrong() -> None:
    assert parse_assignments([EPOCHS, RATE], ["epochs=3"]) == {"epochs": 3}
    with pytest.raises(ParameterError, match="not an assignment"):
        parse_assignments([EPOCHS], ["epochs"])
    with pytest.raises(ParameterError, match=r"no parameter 'epoch'.*epochs"):
        parse_assignments([EPOCHS], ["epoch=3"])


def test_what_is_not_given_has_its_default() -> None:
    assert parse_all([EPOCHS, MIX], {"mix": "off"}) == {"epochs": 80, "mix": False}


def test_every_study_declares_defaults_and_presets_that_are_allowed() -> None:
    for info in catalog():
        defaults = {parameter.name: parameter.default for parameter in info.parameters}
        assert parse_all(info.parameters, defaults) == defaults
        for values in info.presets.values():
            parse_all(info.parameters, values)


def test_the_bounds_of_every_number_can_be_typed_as_they_are_told() -> None:
    for info in catalog():
        for parameter in info.parameters:
            if parameter.type not in ("int", "float"):
                continue
            for bound in (parameter.minimum, parameter.maximum):
                if bound is not None:
                    told = next(word for word in parameter.range.split() if _is(word, bound))
                    assert parameter.parse(told) == bound


def _is(word: str, bound: float) -> bool:
    try:
        return float(word) == bound
    except ValueError:
        return False
