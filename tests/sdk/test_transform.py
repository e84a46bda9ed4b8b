"""Batch transform through AWS's own SDKs, unmodified."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]


def transform(run_program: Run, shell: dict[str, str], python: Path | str, version: str) -> dict[str, Any]:
    """What the program found."""
    role = shell["MLCONSOLE_ROLE_ARN"]
    bucket = f"sagemaker-{shell['AWS_REGION']}-{role.split(':')[4]}"
    found = run_program(python, "transform.py", version, role, bucket)
    assert found["plain"] == "14\n16\n"
    assert found["joined"] == "7,2\n8,4\n"
    assert "AlgorithmError: See job logs for more information" in found["error"]
    return found


def test_sdk_v3_transforms(run_program: Run, shell: dict[str, str]) -> None:
    found = transform(run_program, shell, sys.executable, "3")
    assert found["resource"] == "14\n16\n"
    assert found["status"] == "Completed"
    assert found["listed"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sdk_v2_transforms(
    run_program: Run, shell: dict[str, str], environment_with: Callable[..., Path]
) -> None:
    bin_folder = environment_with("sagemaker>=2.257,<3")
    assert transform(run_program, shell, bin_folder / "python", "2")["attached"] == "double"
