"""Asynchronous, serverless, streamed and captured inference through the SageMaker SDK v3, unmodified."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sdk_v3_configures_and_invokes(
    run_program: Callable[..., dict[str, Any]], shell: dict[str, str]
) -> None:
    role = shell["MLCONSOLE_ROLE_ARN"]
    bucket = f"sagemaker-{shell['AWS_REGION']}-{role.split(':')[4]}"
    found = run_program(sys.executable, "inference_v3.py", role, bucket)
    assert (found["asynchronous"], found["serverless"], found["streamed"]) == ("asynchronous", "hi", "1,2")
    assert (found["concurrency"], found["status"]) == (3, "Started")
    assert found["captured"]["endpointInput"]["encoding"] == "CSV"
    assert found["captured"]["endpointOutput"]["data"]
