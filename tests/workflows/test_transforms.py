"""Batch transform through both interfaces against a real engine: from a training job's model, waited for, read, stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workflows import trials
from workflows import interfaces
from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.interfaces.base import Interface
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.observe import jobs, transforms
from workflows.observe.transform_rows import TransformDetail
from workflows.platform import Platform, open_platform
from workflows.problem import Problem
from workflows.transforms import asked, operations, output
from workflows.transforms.draft import draft
from workflows.transforms.request import TransformRequest


@pytest.fixture
def platform(on_engine: Path) -> Iterator[Platform]:
    opened = open_platform(Configuration())
    with opened.applied():
        yield opened


@pytest.fixture(params=["low", "high"])
def interface(request: pytest.FixtureRequest, platform: Platform) -> Interface:
    return interfaces.make(request.param, platform)


def waiter() -> Waiter:
    return Waiter(EMBEDDED, threading.Event())


@pytest.fixture
def trained(platform: Platform, tmp_path: Path) -> str:
    """A training job whose model adds 0.02 and a little, by its seed, to each number."""
    name = trials.fresh("fit")
    interface = interfaces.make("low", platform)
    template = trials.request(platform, interface, tmp_path, name).templates[0]
    values = {**template.static, "rate": "0.3", "depth": "2", "seed": "5"}
    interface.tuning.run(name, template, values, {})

    def ended() -> tuple[bool, object]:
        state = interface.describe_training(name)
        assert state is not None and state.status != "Failed", state
        return state.ended, state

    waiter().until(ended, "the training job", 60)
    return name


def rows(platform: Platform, tmp_path: Path, name: str, count: int, files: int = 1) -> str:
    low = interfaces.make("low", platform)
    prefix = f"s3://{platform.bucket}/mlconsole/{name}/rows"
    for number in range(files):
        path = tmp_path / f"part-{number}.csv"
        path.write_text("".join(f"{number}{row:06d}\n" for row in range(count)))
        low.upload(path, prefix)
    return prefix


def finished(interface: Interface, name: str) -> TransformDetail:
    told: list[str] = []
    found = operations.wait(
        interface.transforms, name, waiter(), lambda job: told.append(job.row.status), timeout=120
    )
    assert told[-1] == found.row.status
    return found


def test_a_training_jobs_model_transforms_files_and_the_rows_come_back_in_order(
    interface: Interface, platform: Platform, trained: str, tmp_path: Path
) -> None:
    job = jobs.describe(platform, trained)
    name = trials.fresh("batch")
    found = draft(platform, trained)
    assert found.training_job == trained and found.request.model == trained and found.request.input == ""
    assert not interface.model_exists(trained)
    interface.make_model(operations.model_of(job, trained))
    assert interface.model_exists(trained)
    request = replace(
        found.request,
        name=name,
        input=rows(platform, tmp_path, name, 500, files=2),
        output=f"s3://{platform.bucket}/mlconsole/{name}/answers",
        accept="text/csv",
        strategy="MultiRecord",
        max_payload_mb=1,
        max_concurrent=2,
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    )
    assert interface.transforms.describe(name) is None
    assert interface.transforms.create(request) == name
    detail = finished(interface, name)
    assert detail.row.status == "Completed", detail.failure_reason
    assert interface.transforms.find(name) == [name]
    assert detail == transforms.describe(platform, name)
    assert (detail.split, detail.assemble, detail.strategy, detail.max_payload_mb, detail.max_concurrent) == (
        "Line", "Line", "MultiRecord", 1, 2,
    )  # fmt: skip
    pairs = list(output.pairs(platform, detail))
    assert len(pairs) == 1000
    assert [given for given, _ in pairs[:2] + pairs[-1:]] == ["0000000", "0000001", "1000499"]
    for given, answer in pairs[::97]:
        assert float(answer) == pytest.approx(float(given) + 0.02, abs=0.002)
    shown = output.preview(platform, detail, 3)
    assert len(shown.objects) == 2 and shown.rows == tuple(pairs[:3]) and shown.total_rows is None
    assert interface.transforms.log(name).read()
    progress = transforms.progress(platform, detail, period=1, now=(detail.row.ended or 0.0) + 1)
    assert progress.records == 1000 and progress.bytes == progress.bytes_total == 8000
    assert progress.part_done == 1.0 and progress.records_per_second
    interface.delete_model(trained)


def test_answers_may_be_joined_to_their_records(
    interface: Interface, platform: Platform, trained: str, tmp_path: Path
) -> None:
    name = trials.fresh("join")
    interface.make_model(operations.model_of(jobs.describe(platform, trained), trained))
    request = TransformRequest(
        name=name,
        model=trained,
        input=rows(platform, tmp_path, name, 5),
        output=f"s3://{platform.bucket}/mlconsole/{name}/answers",
        accept="text/csv",
        join="Input",
    )
    interface.transforms.create(request)
    detail = finished(interface, name)
    assert detail.row.status == "Completed", detail.failure_reason
    assert detail.join == "Input"
    first = next(iter(output.pairs(platform, detail)))
    assert first[0] == "" and first[1].startswith("0000000,0.0")


def test_a_running_transform_job_is_stopped(
    interface: Interface, platform: Platform, trained: str, tmp_path: Path
) -> None:
    name = trials.fresh("halt")
    found = draft(platform, trained)
    given = replace(
        found,
        request=replace(
            found.request,
            name=name,
            input=rows(platform, tmp_path, name, 20_000),
            output=f"s3://{platform.bucket}/mlconsole/{name}/answers",
            strategy="SingleRecord",
            max_concurrent=1,
        ),
    )
    assert asked.create(platform, given) == name
    interface.transforms.stop(name)
    detail = finished(interface, name)
    assert detail.row.status == "Stopped"
    interface.transforms.stop(name)
    interface.transforms.stop(trials.fresh("nothing"))


def test_what_is_not_there_is_told_with_the_next_step(platform: Platform) -> None:
    name = trials.fresh("nothing")
    for ask in (transforms.describe, transforms.stop):
        with pytest.raises(Problem, match=f"There is no transform job {name}"):
            ask(platform, name)
    with pytest.raises(Problem, match=f"There is neither a model nor a training job {name}"):
        draft(platform, name)
    with pytest.raises(WorkflowError, match=f"There is no transform job {name}"):
        operations.wait(interfaces.make("low", platform).transforms, name, waiter())


def test_an_output_finds_its_input_by_the_end_of_its_path() -> None:
    inputs = ("s3://b/in/2024/a.csv", "s3://b/in/2025/a.csv", "s3://b/in/2025/b.csv")
    assert output.source_of("s3://b/out/2025/a.csv.out", inputs) == "s3://b/in/2025/a.csv"
    assert output.source_of("s3://b/out/b.csv.out", inputs) == "s3://b/in/2025/b.csv"
    assert output.source_of("s3://b/out/c.csv.out", inputs) is None
    assert output.source_of("s3://b/out/a.csv.out", ()) is None
