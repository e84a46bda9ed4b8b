"""Metrics read from a log: every value with its epoch, for the log lines of the real containers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.observe.curves import CurveReader, literal
from workflows.observe.rows import LogLine

XGBOOST = r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
LINEAR = r"#quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)"
BATCHES = r"epoch=\d+, batch=\d+ train loss <loss>=(\S+)"


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(100.0 + i, "algo-1", text) for i, text in enumerate(texts)]


def test_xgboost_rounds_are_read_with_tabs_or_as_cloudwatch_writes_them() -> None:
    reader = CurveReader({"validation:rmse": XGBOOST, "validation:mae": XGBOOST.replace("rmse", "mae")})
    reader.read(
        lines("[0]\ttrain-rmse:64.3\tvalidation-rmse:76.5", "[1]#011train-rmse:55.6#011validation-rmse:73.1")
    )
    (curve,) = reader.curves()
    assert curve.name == "validation:rmse"
    assert curve.points == ((100.0, 76.5), (101.0, 73.1))
    assert curve.steps == (0.0, 1.0)


def test_several_values_of_an_epoch_stand_between_it_and_the_next() -> None:
    reader = CurveReader({"batch": BATCHES, "train:objective_loss": LINEAR})
    reader.read(
        lines(
            "[x INFO 1] #quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=4",
            "[x INFO 1] #quality_metric: host=algo-1, epoch=0, batch=5 train loss <loss>=3",
            "[x INFO 1] #quality_metric: host=algo-1, epoch=0, train mse_objective <loss>=2.5",
            "[x INFO 1] #quality_metric: host=algo-1, epoch=1, batch=0 train loss <loss>=2",
            "[x INFO 1] #quality_metric: host=algo-1, epoch=1, train mse_objective <loss>=nan",
        )
    )
    batch, epoch = reader.curves()
    assert batch.steps == (0.0, 0.5, 1.0)
    assert epoch.steps == (0.0, 1.0) and epoch.points[1][1] != epoch.points[1][1]


def test_without_epochs_or_with_epochs_that_run_backwards_only_the_order_is_known() -> None:
    reader = CurveReader({"loss": "loss=([0-9.]+)"})
    reader.read(lines("loss=1", "loss=0.5"))
    assert reader.curves()[0].steps == ()
    reader = CurveReader({"loss": "loss=([0-9.]+)"})
    reader.read(lines("epoch 1 loss=1", "epoch 0 loss=0.5", "epoch 1 loss=word"))
    (curve,) = reader.curves()
    assert curve.steps == () and len(curve.points) == 2


def test_lines_that_come_later_go_on_with_the_curve_and_broken_expressions_are_left_out() -> None:
    reader = CurveReader({"a": "a=([0-9]+)", "broken": "(", "no group": "a=1"})
    reader.read(lines("epoch 0 a=1"))
    reader.read(lines("epoch 1 a=2"))
    assert [(curve.name, len(curve.points)) for curve in reader.curves()] == [("a", 2)]


@pytest.mark.parametrize(("expression", "part"), [
    (XGBOOST, "#011validation-rmse:"), (LINEAR, "#quality_metric: host="), ("loss=([0-9.]+)", "loss="), ("a|b", ""),
    ("losses?=(.*)", "losse"), (r"\bacc=(\d+)%", "acc="), ("(?i)loss=(.)", ""), ("xa{2}1", "x"), ("", ""),
])  # fmt: skip
def test_the_text_that_every_match_contains(expression: str, part: str) -> None:
    assert literal(expression) == part


@given(st.text("ab=.+*?()[]{}\\d|1", max_size=12), st.text("ab=1. ", max_size=30))
def test_no_match_is_lost_by_looking_for_the_text_first(expression: str, text: str) -> None:
    try:
        compiled = re.compile(expression)
    except (re.error, OverflowError):
        return
    if compiled.search(text):
        assert literal(expression) in text
