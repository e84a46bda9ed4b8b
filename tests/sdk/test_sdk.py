"""The moons training and deployment through AWS's own SDKs, unmodified."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import SOURCE

Run = Callable[..., dict[str, Any]]


def _is_a_moons_answer(values: list[float]) -> None:
    """The two points lie in the middle of the two moons: the first is class 0, the second class 1."""
    assert len(values) == 2
    assert values[0] < 0.5 < values[1]


def test_sdk_v3_trains_and_deploys_moons(run_program: Run, shell: dict[str, str], train_csv: Path) -> None:
    result = run_program(
        sys.executable, "sdk_v3.py", str(SOURCE), str(train_csv), shell["MLCONSOLE_ROLE_ARN"]
    )
    assert result["status"] == "Completed"
    assert result["endpoint"] == "InService"
    _is_a_moons_answer(result["answer"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sdk_v2_trains_and_deploys_moons(
    run_program: Run, shell: dict[str, str], train_csv: Path, environment_with: Callable[..., Path]
) -> None:
    bin_folder = environment_with("sagemaker>=2.257,<3")
    result = run_program(
        bin_folder / "python", "sdk_v2.py", str(SOURCE), str(train_csv), shell["MLCONSOLE_ROLE_ARN"]
    )
    assert result["status"] == "Completed"
    assert "validation:accuracy" in result["metrics"]
    assert result["endpoint"] not in result["left"]
    _is_a_moons_answer(result["answer"])
