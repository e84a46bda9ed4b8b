"""XGBoost's training and models: metrics, objectives, checkpoints, model files."""

from __future__ import annotations

import importlib.util
import json
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from algorithms.builtin.failures import ClientError
from algorithms.builtin.xgb import data, library, metrics, models, table
from tests.algorithms.boosting import Jobs, library_model, rows, same, text

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed"
)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


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
