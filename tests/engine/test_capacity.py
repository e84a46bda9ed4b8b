"""Who may run when."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.capacity import Capacity
from engine.jobs.instances import shape


@pytest.mark.parametrize(
    ("instance", "cpus", "gib", "gpus"),
    [
        ("ml.m5.large", 2, 8, 0),
        ("ml.m5.24xlarge", 96, 384, 0),
        ("ml.c5.xlarge", 4, 8, 0),
        ("ml.r5.2xlarge", 8, 64, 0),
        ("ml.t3.medium", 2, 4, 0),
        ("ml.g4dn.xlarge", 4, 16, 1),
        ("ml.p3.16xlarge", 64, 488, 8),
    ],
)
def test_an_instance_type_has_what_aws_says(instance: str, cpus: int, gib: int, gpus: int) -> None:
    assert shape(instance) == (cpus, gib * 1024, gpus)


def test_every_training_instance_type_of_the_service_model_has_a_shape() -> None:
    from engine.protocol import models

    for name in models.model("sagemaker").shape_for("TrainingInstanceType").enum:
        assert shape(name).cpus >= 1


@pytest.mark.parametrize("name", ["m5.large", "ml.m5", "ml..large", "local", ""])
def test_what_is_no_instance_type_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an instance type"):
        shape(name)


async def test_jobs_are_let_in_first_come_first_served() -> None:
    capacity = Capacity(4, 64_000)
    order: list[str] = []

    async def job(name: str, instance: str) -> None:
        await capacity.take(name, instance)
        order.append(name)

    assert capacity.try_take("a", "ml.m5.xlarge") is not None
    tasks = [
        asyncio.create_task(job(*pair))
        for pair in (("b", "ml.m5.xlarge"), ("c", "ml.m5.xlarge"), ("d", "ml.t3.medium"))
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["b"]
    assert capacity.waiting() == ["c", "d"]
    assert capacity.try_take("late", "ml.t3.medium") is None
    capacity.release("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["b", "c"]
    capacity.release("b")
    await asyncio.gather(*tasks)
    assert order == ["b", "c", "d"]


async def test_who_leaves_the_queue_lets_the_next_in() -> None:
    capacity = Capacity(1, 8000)
    capacity.try_take("a", "ml.m5.large")
    second = asyncio.create_task(capacity.take("b", "ml.m5.large"))
    third = asyncio.create_task(capacity.take("c", "ml.m5.large"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    assert capacity.waiting() == ["c"]
    capacity.release("a")
    assert (await third).cores == 1


def test_a_job_that_starts_alone_has_all_threads_and_a_second_one_its_share() -> None:
    capacity = Capacity(4, 64_000)
    first = capacity.try_take("a", "ml.m5.24xlarge")
    second = capacity.try_take("b", "ml.m5.24xlarge")
    assert first is not None and second is not None
    assert (first.threads, second.threads) == (4, 2)


@given(
    st.integers(1, 130),
    st.integers(500, 10**6),
    st.sampled_from(["ml.m5.large", "ml.r5.24xlarge", "ml.c5.9xlarge", "ml.t3.medium"]),
)
def test_no_job_waits_for_what_the_machine_does_not_have(cores: int, memory_mb: int, instance: str) -> None:
    capacity = Capacity(cores, memory_mb)
    assert capacity.try_take("first", instance) is not None
    if cores > 1:
        assert capacity.try_take("second", instance) is not None
