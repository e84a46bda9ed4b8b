"""Calls whose answers are lost between mlconsole and moto: each one that changes something is done, its connection breaks, it comes again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws.account import BUCKET, REGION
from tests.console.faulty import LOSING, Faulty
from workflows.configuration import Configuration
from workflows.interfaces import objects
from workflows.platform import open_platform

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def losing(account: Any, moto: Any, aws: pytest.MonkeyPatch) -> Iterator[Faulty]:
    faulty = Faulty(moto.url)
    aws.setenv("AWS_ENDPOINT_URL", faulty.url)
    yield faulty
    faulty.close()


def test_a_function_and_a_large_upload_are_there_once(losing: Faulty, account: Any) -> None:
    opened = open_platform(Configuration(target="aws"))
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context): return 1")
    losing.fails(LOSING)
    made = opened.client("lambda").create_function(
        FunctionName="lost", Role=opened.role_arn, Runtime="python3.12", Handler="handler.handle",
        Code={"ZipFile": memory.getvalue()}, Timeout=7, Environment={"Variables": {"KEY": "1"}},
    )  # fmt: skip
    assert made["FunctionName"] == "lost" and made["Timeout"] == 7
    storage = opened.client("s3")
    storage.upload_fileobj(io.BytesIO(bytes(9 << 20)), BUCKET, "lost/large")
    assert len(storage.get_object(Bucket=BUCKET, Key="lost/large")["Body"].read()) == 9 << 20
    objects.ensure_bucket(storage, "lost-and-found", REGION)
    assert losing.asked >= 5
    opened.client("lambda").delete_function(FunctionName="lost")
    assert objects.delete(storage, f"s3://{BUCKET}/lost") == 1
