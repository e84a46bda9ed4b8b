"""What the tests of rollouts share: endpoints on the session's engine, models that are good or fail now and then, and callers."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.engine.deploying import SKLEARN, archive
from workflows.platform import Platform
from workflows.rollout.facts import facts_of, source_of
from workflows.rollout.plan import Plan, plan
from workflows.rollout.request import RolloutRequest, Step

ANSWERS = """
import itertools, os
CALLS = itertools.count(1)
def model_fn(model_dir): return os.environ["WORD"]
def transform_fn(model, data, content_type, accept):
    if model == "flaky" and next(CALLS) % 10 == 0:
        raise ValueError("this model fails now and then")
    return model
"""


class Hosted:
    """An endpoint of one or more variants, all called by one thread where wanted."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.sm = platform.client("sagemaker")
        self.runtime = platform.client("sagemaker-runtime")
        platform.client("s3").create_bucket(Bucket=platform.bucket)
        self.artifact = f"s3://{platform.bucket}/models/rolling/model.tar.gz"
        platform.client("s3").put_object(
            Bucket=platform.bucket,
            Key="models/rolling/model.tar.gz",
            Body=archive({"code/inference.py": ANSWERS}),
        )
        self.endpoints: list[str] = []

    def model(self, word: str) -> str:
        """A model that answers a word; the one of the word flaky fails in one of ten requests."""
        name = f"{word}-{uuid.uuid4().hex[:8]}"
        self.sm.create_model(
            ModelName=name,
            ExecutionRoleArn=self.platform.role_arn,
            PrimaryContainer={
                "Image": SKLEARN,
                "ModelDataUrl": self.artifact,
                "Environment": {
                    "WORD": word,
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                },
            },
        )
        return name

    def endpoint(self, count: int = 1, **weights: float) -> str:
        """An endpoint in service with model ``blue``; several variants with these weights, where given."""
        name, model = f"rolling-{uuid.uuid4().hex[:8]}", self.model("blue")
        self.sm.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": count,
                    "InitialVariantWeight": weight,
                }
                for variant, weight in (weights or {"AllTraffic": 1.0}).items()
            ],
        )
        self.sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.endpoints.append(name)
        self.until(name, "InService")
        return name

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.sm.describe_endpoint(EndpointName=name)
        return found

    def until(self, name: str, status: str, seconds: float = 90) -> dict[str, Any]:
        """DescribeEndpoint once it has a status."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.status(name))
            return bool(found["EndpointStatus"] == status)

        until(there, seconds, f"{name} is {status}")
        return found

    def plan(self, endpoint: str, given: str, **asked: Any) -> Plan:
        """A plan with short waits; the embedded engine makes them a hundredth."""
        request = RolloutRequest(
            endpoint=endpoint, source=given, **({"step": Step(50), "wait": 100, "bake": 100} | asked)
        )
        now = time.time()
        facts = facts_of(self.platform, endpoint, now, request.own_alarms)
        name = f"{endpoint}-r-{uuid.uuid4().hex[:6]}"
        return plan(
            request,
            facts,
            source_of(self.platform, given, facts, request.kind, request.variant),
            now=now,
            name=name,
        )

    @contextlib.contextmanager
    def called(self, endpoint: str, pause: float = 0.02) -> Iterator[Counter[str]]:
        """Somebody calls the endpoint all the time; counts the answers, and ``error`` for what was none."""
        answers: Counter[str] = Counter()
        over = threading.Event()

        def call() -> None:
            while not over.wait(pause):
                try:
                    told = self.runtime.invoke_endpoint(
                        EndpointName=endpoint, ContentType="text/csv", Body=b"1"
                    )
                    answers[told["Body"].read().decode()] += 1
                except Exception:
                    answers["error"] += 1

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        try:
            yield answers
        finally:
            over.set()
            thread.join(30)

    def clean(self) -> None:
        """Delete what was made; what still changes is waited for."""
        for name in self.endpoints:
            with contextlib.suppress(Exception):
                until(lambda name=name: self.status(name)["EndpointStatus"] != "Updating", 60, name)  # type: ignore[misc]
                self.sm.delete_endpoint(EndpointName=name)


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll until something is so; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
