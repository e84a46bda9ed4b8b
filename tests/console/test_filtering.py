"""The grammar of filters."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.filtering import parse, resemblance

ROW = {"name": "fraud-linear-2027-0113", "status": "Failed", "kind": "training", "type": "ml.m5.large"}
NAMES = tuple(ROW)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", True),
        ("fraud", True),
        ("FRAUD failed", True),
        ("fraud completed", False),
        ("!completed", True),
        ("!fraud", False),
        ("!!fraud", True),
        ("status:failed", True),
        ("st:fail", True),
        ("status:fraud", False),
        ("!status:failed", False),
        ("name:linear !kind:trial", True),
        ("^fraud", True),
        ("^linear", False),
        ("name:^fraud-.*-\\d{4}$", True),
        ("!name:^fraud", False),
        ("pca|fraud", True),
        ("type:m[45]\\.large", True),
        ("ml.m5.large", True),
        ('"linear-2027"', True),
        ('"fraud linear"', False),
        ("-f frlin", True),
        ("-f lnfr", False),
        ("status:failed -f frlin", True),
        ("status:completed -f frlin", False),
        ("s3://bucket", False),
        ("fraud(", False),
    ],
)
def test_a_filter_shows_what_its_words_say(text: str, shown: bool) -> None:
    found = parse(text, NAMES)
    assert found.matches(ROW) is shown
    if found.words is not None:
        told = "\0".join(ROW.values()).lower()
        assert all((word in told) is not negative for word, negative in found.words) is shown


def test_words_are_told_from_what_needs_more() -> None:
    assert parse('Fraud !"two words" fraud(').words == (
        ("fraud", False),
        ("two words", True),
        ("fraud(", False),
    )
    for text in ("name:fraud", "^fraud", "-f fraud", "fraud kind:x"):
        assert parse(text, NAMES).words is None


def test_what_is_wrong_with_a_filter_is_said() -> None:
    assert parse("fraud( status:failed", NAMES).problem.startswith(
        "'fraud(' is no regular expression yet: missing )"
    )
    assert parse("colour:red", NAMES).problem == "no field 'colour': there are name, status, kind, type"
    assert not parse("status:failed ^fraud s3://bucket/x", NAMES).problem


@given(st.text(string.printable, max_size=40))
def test_no_text_breaks_a_filter(text: str) -> None:
    parse(text, NAMES).matches(ROW)


@given(
    st.text(string.ascii_lowercase + "-", min_size=1, max_size=8),
    st.text(string.ascii_lowercase + "-", max_size=20),
)
def test_a_word_resembles_exactly_the_texts_that_hold_its_letters_in_order(word: str, text: str) -> None:
    expression = ".*".join(re.escape(letter) for letter in word)
    assert (resemblance(word, text) > 0) == bool(re.search(expression, text))


def test_the_closest_name_comes_first() -> None:
    names = ["boston-xgb-0114", "fraud-linear-0113", "moons-train-0112", "from-all-under-5"]
    best = sorted(names, key=lambda name: resemblance("fraud", name), reverse=True)
    assert best[0] == "fraud-linear-0113"
    assert sorted(names, key=lambda name: resemblance("mt", name), reverse=True)[0] == "moons-train-0112"
