"""What tells without a call that the embedded SageMaker may know something new."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from workflows.platform import Platform
from workflows.stamp import Stamp


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_changes_with_what_the_engine_writes_and_stays_while_it_only_answers(platform: Platform) -> None:
    client, stamp = platform.client("sagemaker"), Stamp()
    client.list_training_jobs()
    seen = [stamp()]

    def rests() -> bool:
        time.sleep(0.3)
        seen.append(stamp())
        return seen[-1] == seen[-2]

    until(rests)
    client.list_training_jobs()
    client.list_endpoints()
    assert stamp() == seen[-1], "nothing has happened"
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    client.create_model(
        ModelName="seen-at-once", ExecutionRoleArn=platform.role, PrimaryContainer={"Image": image}
    )
    try:
        assert stamp() != seen[-1]
    finally:
        client.delete_model(ModelName="seen-at-once")


def test_it_changes_when_the_engine_dies_or_another_one_comes(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path)
    nothing = stamp()
    with subprocess.Popen(["sleep", "600"]) as process:
        told = {
            "url": "http://127.0.0.1:1",
            "account_id": "1",
            "region": "us-east-1",
            "access_key": "a",
            "secret_key": "s",
        }
        (tmp_path / "connection.json").write_text(json.dumps(told | {"pid": process.pid}))
        running = stamp()
        assert running != nothing and stamp() == running
        process.kill()
        process.wait(20)
        assert stamp() != running
