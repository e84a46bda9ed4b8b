"""STS through boto3."""

from __future__ import annotations

from tests.engine.conftest import RunningEngine


def test_the_caller_is_the_execution_role(engine: RunningEngine) -> None:
    answer = engine.client("sts").get_caller_identity()
    account = engine.connection.account_id
    assert answer["Account"] == account
    assert answer["Arn"] == f"arn:aws:sts::{account}:assumed-role/MLConsoleExecutionRole/mlconsole"
