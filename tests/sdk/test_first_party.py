"""The built-in algorithms, batch transform and tuning through AWS's own SDKs, unmodified."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]
SDK_V2 = "sagemaker>=2.257,<3"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sdk_v3_runs_the_built_in_algorithms(run_program: Run, shell: dict[str, str]) -> None:
    found = run_program(sys.executable, "first_party_v3.py", shell["MLCONSOLE_ROLE_ARN"])
    assert found["pca"] == [2, 2, 2]
    assert found["kmeans"] == [["closest_cluster", "distance_to_cluster"]] * 3
    assert "test:msd" in found["kmeans metrics"]
    assert found["linear"] == pytest.approx(found["target"], abs=1.0)
    assert found["deepar"] == 7
    assert len(found["xgboost"]) == 3
    assert found["xgboost json"] == pytest.approx(found["xgboost"], abs=1e-6)
    assert found["transform"] == [5] * 500  # four columns and the prediction
    assert found["tuner"]["status"] == "Completed"
    assert found["tuner"]["completed"] == 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sdk_v2_first_party_classes(
    run_program: Run, shell: dict[str, str], environment_with: Callable[..., Path]
) -> None:
    python = environment_with(SDK_V2) / "python"
    found = run_program(python, "first_party_v2.py", shell["MLCONSOLE_ROLE_ARN"])
    assert found["pca"]["rows"] == 4
    assert found["pca"]["error"] < 1e-2
    labels = found["kmeans"]["labels"]
    assert len(set(labels[:4])) == 4
    assert labels[:4] == labels[4:]
    assert max(found["kmeans"]["distances"]) < 2
    assert "test:msd" in found["kmeans"]["metrics"]
    assert found["linear"]["accuracy"] > 0.9
    assert found["linear"]["metrics"]["validation:binary_classification_accuracy"] > 0.9
    assert found["transform"] == found["expected"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sdk_v2_estimators_tuner_and_transformer(
    run_program: Run, shell: dict[str, str], environment_with: Callable[..., Path]
) -> None:
    python = environment_with(SDK_V2) / "python"
    found = run_program(python, "estimators_v2.py", shell["MLCONSOLE_ROLE_ARN"])
    assert found["deepar"]["keys"] == [["mean", "quantiles"]] * 2
    assert found["deepar"]["quantiles"] == ["0.1", "0.9"]
    assert found["deepar"]["length"] == 14
    assert {"train:final_loss", "test:RMSE", "test:mean_wQuantileLoss"} <= set(found["deepar"]["metrics"])
    assert {"train:rmse", "validation:rmse"} <= set(found["xgboost"])
    assert found["tuner"]["status"] == "Completed"
    assert found["tuner"]["trials"] == 4
    assert found["tuner"]["attached"] == found["tuner"]["best"]
    assert found["transform"]["rows"] == 200
    assert found["transform"]["rmse"] < 2
