"""What the engine knows of built-in algorithms, against what AWS describes; and which command runs an image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.builtin.algorithm import REPOSITORIES
from algorithms.builtin.xgb import metrics as xgboost_metrics
from engine import builtin, images
from engine.jobs.metrics import Extractor, literal
from engine.jobs.outputs import failure_reason

# As DescribeHyperParameterTuningJob showed them for a linear-learner:1 job of 2020.
LINEAR = r"""
test:dcg #quality_metric: host=\S+, test dcg <score>=(\S+)
train:progress #progress_metric: host=\S+, completed (\S+) %
test:binary_f_beta #quality_metric: host=\S+, test binary_f_\S+ <score>=(\S+)
train:objective_loss #quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)
validation:macro_precision #quality_metric: host=\S+, validation macro_precision <score>=(\S+)
validation:dcg #quality_metric: host=\S+, validation dcg <score>=(\S+)
test:mse #quality_metric: host=\S+, test mse <loss>=(\S+)
validation:binary_f_beta #quality_metric: host=\S+, validation binary_f_\S+ <score>=(\S+)
validation:objective_loss #quality_metric: host=\S+, epoch=\S+, validation \S+_objective <loss>=(\S+)
validation:objective_loss:final #quality_metric: host=\S+, validation \S+_objective <loss>=(\S+)
test:macro_recall #quality_metric: host=\S+, test macro_recall <score>=(\S+)
test:absolute_loss #quality_metric: host=\S+, test absolute_loss <loss>=(\S+)
train:recall #quality_metric: host=\S+, train recall <score>=(\S+)
train:mse #quality_metric: host=\S+, train mse <loss>=(\S+)
train:precision #quality_metric: host=\S+, train precision <score>=(\S+)
train:objective_loss:final #quality_metric: host=\S+, train \S+_objective <loss>=(\S+)
validation:recall #quality_metric: host=\S+, validation recall <score>=(\S+)
test:multiclass_accuracy #quality_metric: host=\S+, test multiclass_accuracy <score>=(\S+)
validation:precision #quality_metric: host=\S+, validation precision <score>=(\S+)
validation:multiclass_accuracy #quality_metric: host=\S+, validation multiclass_accuracy <score>=(\S+)
train:binary_f_beta #quality_metric: host=\S+, train binary_f_\S+ <score>=(\S+)
test:recall #quality_metric: host=\S+, test recall <score>=(\S+)
test:macro_precision #quality_metric: host=\S+, test macro_precision <score>=(\S+)
test:macro_f_beta #quality_metric: host=\S+, test macro_f_\S+ <score>=(\S+)
test:objective_loss #quality_metric: host=\S+, test \S+_objective <loss>=(\S+)
test:precision #quality_metric: host=\S+, test precision <score>=(\S+)
validation:multiclass_top_k_accuracy #quality_metric: host=\S+, validation multiclass_top_k_accuracy_\S+ <score>=(\S+)
train:binary_classification_accuracy #quality_metric: host=\S+, train binary_classification_accuracy <score>=(\S+)
validation:mse #quality_metric: host=\S+, validation mse <loss>=(\S+)
test:multiclass_top_k_accuracy #quality_metric: host=\S+, test multiclass_top_k_accuracy_\S+ <score>=(\S+)
validation:binary_classification_accuracy #quality_metric: host=\S+, validation binary_classification_accuracy <score>=(\S+)
train:absolute_loss #quality_metric: host=\S+, train absolute_loss <loss>=(\S+)
validation:macro_recall #quality_metric: host=\S+, validation macro_recall <score>=(\S+)
train:throughput #throughput_metric: host=\S+, train throughput=(\S+) records/second
test:binary_classification_accuracy #quality_metric: host=\S+, test binary_classification_accuracy <score>=(\S+)
validation:absolute_loss #quality_metric: host=\S+, validation absolute_loss <loss>=(\S+)
validation:macro_f_beta #quality_metric: host=\S+, validation macro_f_\S+ <score>=(\S+)
"""


def definitions(repository: str) -> dict[str, str]:
    return {item["Name"]: item["Regex"] for item in builtin.metric_definitions(repository)}


def test_linear_learners_definitions_are_awss_and_the_later_ones() -> None:
    described = dict(line.split(" ", 1) for line in LINEAR.strip().splitlines())
    assert len(described) == 37
    found = definitions("linear-learner")
    assert described.items() <= found.items()
    assert set(found) - set(described) == {
        "validation:roc_auc_score",
        "test:roc_auc_score",
        "validation:rmse",
    }


def test_xgboosts_definitions_are_one_per_metric_and_set() -> None:
    found = definitions("sagemaker-xgboost")
    assert found == definitions("xgboost")
    assert set(found) == {f"{data}:{name}" for data in ("train", "validation") for name in builtin.XGBOOST_METRICS}  # fmt: skip
    assert found["train:gamma-nloglik"] == r".*\[[0-9]+\].*#011train-gamma-nloglik:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"  # fmt: skip
    ways = {name: "Maximize" if name in xgboost_metrics.MAXIMIZE else "Minimize" for name in (*xgboost_metrics.MAXIMIZE, *xgboost_metrics.MINIMIZE)}  # fmt: skip
    assert ways == builtin.XGBOOST_METRICS


@pytest.mark.parametrize("repository", [*REPOSITORIES, "sagemaker-xgboost"])
def test_what_is_known_of_an_algorithm_fits_together(repository: str) -> None:
    assert builtin.is_builtin(repository)
    found = definitions(repository)
    Extractor(builtin.metric_definitions(repository))
    assert set(builtin.objectives(repository)) <= set(found)
    assert builtin.content_types(repository)
    for name, tunable in builtin.tunable(repository).items():
        assert name
        assert bool(tunable.values) == (tunable.kind == "Categorical")
        assert tunable.kind == "Categorical" or tunable.low < tunable.high
    runtime = images.resolve(f"1.dkr.ecr.eu-west-3.amazonaws.com/{repository}:1")
    assert runtime.train is not None
    assert runtime.serve is not None
    assert runtime.train[-3:] == ("algorithms.builtin.train", runtime.builtin, "1")
    assert runtime.serve[-3:] == ("algorithms.builtin.serve", runtime.builtin, "1")


def test_an_unknown_repository_has_nothing() -> None:
    assert not builtin.is_builtin("blazingtext")
    assert builtin.metric_definitions("blazingtext") == []
    assert builtin.objectives("pytorch-training") == {}
    with pytest.raises(images.UnknownImage, match=r"'blazingtext'\. Known repositories: .*kmeans"):
        images.resolve("811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1")


def test_xgboosts_image_runs_its_algorithm_or_a_script() -> None:
    runtime = images.resolve("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1")
    assert runtime.training({}, {}) == runtime.train
    cases: list[tuple[dict[str, str], dict[str, str]]]
    cases = [({"sagemaker_program": '"train.py"'}, {}), ({}, {"SAGEMAKER_PROGRAM": "train.py"})]
    for hyperparameters, environment in cases:
        command = runtime.training(hyperparameters, environment)
        assert command is not None
        assert "algorithms.container.train" in command
    command = runtime.serving({"SAGEMAKER_PROGRAM": "inference.py"})
    assert command is not None
    assert "algorithms.container.serve" in command
    assert runtime.serving({}) == runtime.serve
    closed = images.resolve("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1")
    assert closed.training({"sagemaker_program": "train.py"}, {}) == closed.train


@pytest.mark.parametrize(
    ("regex", "part"),
    [
        (r".*\[[0-9]+\].*#011train-mae:([-+]?[0-9]*).*", "#011train-mae:"),
        (r"#quality_metric: host=\S+, test msd <loss>=(\S+)", "#quality_metric: host="),
        (r"ab*c", "a"),
        (r"loss(?P<x>\d)", "loss"),
        (r"a|bcd", ""),
        (r"(?i)abc(.)", ""),
        (r"\x41bc(.)", ""),
        (r"[]ab]cd", "cd"),
        (r"x{2}yz", "yz"),
        (r"colou?r=(\d)", "colo"),
        (r"a{2}", ""),
        ("(all)", ""),
    ],
)
def test_the_text_that_every_match_contains(regex: str, part: str) -> None:
    assert len(literal(regex)) >= len(part)
    assert part in literal(regex)


@given(st.from_regex(r"(?:[ab.]|\\\.|[ab][*+?]|\([ab]\)|\[ab\]|\[\^a\]|\\d|a\{2\}){1,8}", fullmatch=True), st.data())  # fmt: skip
def test_no_match_is_lost_by_looking_for_the_text_first(regex: str, data: st.DataObject) -> None:
    line = data.draw(st.from_regex(regex))
    found = re.search(regex, line)
    assert found is not None
    assert literal(regex) in found[0]


def test_a_failure_text_that_names_its_kind_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    for text, shown in [
        ("ClientError: no", "ClientError: no"),
        ("AlgorithmError: no", "AlgorithmError: no"),
        ("no", "AlgorithmError: no"),
    ]:
        (tmp_path / "output" / "failure").write_text(text)
        assert failure_reason(tmp_path, 2, []) == f"{shown}, exit code: 2"
