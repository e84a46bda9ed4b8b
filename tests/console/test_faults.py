"""The whole console on a backend that hangs, refuses, fails, throttles, is slow by ten seconds or talks nonsense: every key is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from benchmarks.seeding import TUNING, seed
from console.app import Console, make_app
from console.live import LiveServices
from console.screens.base import ConsoleScreen
from console.screens.help import HelpScreen
from console.screens.palette import PaletteScreen
from console.widgets.rows import Rows
from tests.console.faulty import FAILING, SLOW, WAITING, Faulty
from tests.engine.conftest import engine_process
from workflows import budget
from workflows.configuration import Configuration

pytestmark = pytest.mark.timeout(300)
JOBS = 30
ANSWERED = 0.8 * SLOW
"""Seconds within which a key has to be answered. A key that waited for the backend would take longer with every fault that keeps it
waiting, and none takes so long because the machine is busy."""
SECTIONS = {"1": "home", "2": "jobs", "3": "endpoints", "4": "studies", "5": "tuning", "6": "costs"}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real engine with some jobs, a tuning job, and an endpoint that could not be created."""
    folder = tmp_path_factory.mktemp("faults") / "data"
    seed(folder, JOBS)
    with engine_process(folder) as running:
        running.client("s3").create_bucket(Bucket="faults")
        running.client("s3").put_object(Bucket="faults", Key="model.tar.gz", Body=b"not an archive")
        client = running.client("sagemaker")
        role = running.connection.role_arn
        image = "246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
        client.create_model(
            ModelName="m",
            ExecutionRoleArn=role,
            PrimaryContainer={"Image": image, "ModelDataUrl": "s3://faults/model.tar.gz"},
        )
        variant = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large"}
        client.create_endpoint_config(
            EndpointConfigName="c", ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        client.create_endpoint(EndpointName="faulty", EndpointConfigName="c")
        yield running


@pytest.fixture
def backend(upstream: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The server in between, as AWS's address; the account's budget is as wide as that of an engine, for the test's sake."""
    faulty = Faulty(upstream.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", upstream.connection.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", upstream.connection.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", upstream.connection.region)
    monkeypatch.setitem(budget.PACES, "aws", budget.PACES["embedded"])
    monkeypatch.setattr(budget, "_shared", {})
    yield faulty
    faulty.close()


@pytest.fixture
def app(backend: Faulty) -> Iterator[Console]:
    services = LiveServices(Configuration(target="aws"))
    yield make_app(services, theme_name="mlconsole-dark")
    services.close()


async def answered(pilot: Pilot[Any], keys: str | tuple[str, ...], seen: Callable[[], object]) -> None:
    """Press keys and see their answer while the backend goes wrong."""
    began = time.monotonic()
    for key in (keys,) if isinstance(keys, str) else keys:
        await pilot.press(key)
    while not seen():
        assert time.monotonic() - began < ANSWERED, f"{keys} on {pilot.app.screen} was not answered"
        await asyncio.sleep(0.01)
    assert time.monotonic() - began < ANSWERED, f"{keys} on {pilot.app.screen} was answered late"


def listed(app: Console, selector: str = "#list") -> Rows[Any]:
    found: Rows[Any] = app.screen.query_one(selector, Rows)
    return found


async def shown(
    pilot: Pilot[Any], condition: Callable[[], object], instead: Callable[[], str] = lambda: ""
) -> None:
    """Wait, for as long as that takes, until what the backend answers has been seen."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"the backend's answers never came; {instead()}"
        await asyncio.sleep(0.02)
        await pilot.pause()


async def sections(pilot: Pilot[Any], app: Console) -> None:
    """Every section with its cursor."""
    for key, section in SECTIONS.items():
        await answered(pilot, key, lambda section=section: app.current_mode == section)  # type: ignore[misc]
        screen = app.base_screen
        assert screen is not None and screen.section == section
        rows = screen.query("#list").first(Rows)
        before = rows.cursor_key
        if len(rows.items) > 1:
            await answered(pilot, "down", lambda: rows.cursor_key != before)  # noqa: B023
            await answered(pilot, "up", lambda: rows.cursor_key == before)  # noqa: B023


async def walk(pilot: Pilot[Any], app: Console) -> None:
    """Every section; help, command line and refresh."""
    await sections(pilot, app)
    await answered(pilot, "question_mark", lambda: isinstance(app.screen, HelpScreen))
    await answered(pilot, "escape", lambda: app.screen is app.base_screen)
    await answered(pilot, "colon", lambda: isinstance(app.screen, PaletteScreen))
    await answered(pilot, "escape", lambda: app.screen is app.base_screen)
    await answered(pilot, "r", lambda: app.flash_text is not None)


async def parts(pilot: Pilot[Any], app: Console) -> None:
    """Every part of an open thing, and back."""
    screen = app.base_screen
    assert isinstance(screen, ConsoleScreen) and screen.parts
    for name, _ in (*screen.parts[1:], screen.parts[0]):
        await answered(pilot, "tab", lambda name=name: screen.part == name)  # type: ignore[misc]


async def known(pilot: Pilot[Any], app: Console) -> None:
    """Let the console see a healthy account first."""
    for key, least in (("2", JOBS), ("3", 1), ("5", 1)):
        await pilot.press(key)
        await shown(pilot, lambda least=least: len(listed(app).items) >= least)  # type: ignore[misc]


async def leaves(pilot: Pilot[Any], app: Console) -> None:
    began = time.monotonic()
    await pilot.press("q")
    await shown(pilot, lambda: app._exit)
    assert time.monotonic() - began < ANSWERED
    assert app.return_value == 0


@pytest.mark.parametrize("fault", WAITING)
async def test_every_key_is_answered_while_calls_wait(fault: str, app: Console, backend: Faulty) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await known(pilot, app)
        backend.fails(fault)
        app.services.refresh()
        await shown(pilot, lambda: backend.pending)
        await walk(pilot, app)
        for key, name in (("2", f"bench-job-{JOBS - 1:05}"), ("3", "faulty"), ("5", TUNING)):
            await answered(pilot, key, lambda name=name: listed(app).cursor_key == name)  # type: ignore[misc]
            await answered(pilot, "enter", lambda name=name: app.base_screen.trail() == name)  # type: ignore[misc,union-attr]
            if key != "5":  # what matters is worked out in a process of its own, whatever the backend does
                await parts(pilot, app)
            await answered(pilot, "escape", lambda: app.base_screen.trail() == "")  # type: ignore[union-attr]
        await answered(pilot, ("4", "enter"), lambda: app.base_screen.place == "form")  # type: ignore[union-attr]
        await answered(pilot, "escape", lambda: app.base_screen.place == "studies")  # type: ignore[union-attr]
        assert backend.asked and backend.pending
        await leaves(pilot, app)


async def test_every_key_is_answered_when_calls_fail_and_the_console_recovers_by_itself(
    app: Console, backend: Faulty
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await known(pilot, app)
        for fault in FAILING:
            backend.fails(fault)
            app.services.refresh()
            await sections(pilot, app)
            await answered(pilot, "2", lambda: app.current_mode == "jobs")
            screen = app.base_screen
            assert screen is not None
            await shown(pilot, lambda: screen.problem() is not None)  # noqa: B023
            assert len(listed(app).items) >= JOBS, "what was known stays"
            await answered(pilot, "enter", lambda: app.base_screen.place == "job")  # type: ignore[union-attr]
            await answered(pilot, "escape", lambda: app.base_screen.place == "jobs")  # type: ignore[union-attr]
            backend.fails("")
            app.services.refresh()
            await shown(pilot, lambda: screen.problem() is None)  # noqa: B023
        await leaves(pilot, app)


async def test_it_opens_and_is_usable_on_a_backend_that_never_worked(app: Console, backend: Faulty) -> None:
    backend.fails("hung")
    async with app.run_test(size=(80, 24)) as pilot:
        await walk(pilot, app)
        await answered(pilot, ("4", "enter"), lambda: app.base_screen.place == "form")  # type: ignore[union-attr]
        await answered(pilot, ("escape", "1"), lambda: app.current_mode == "home")


async def test_what_a_person_starts_meanwhile_can_be_left(app: Console, backend: Faulty) -> None:
    """Forms and questions that ask the backend first: Esc leaves them, and the other sections go on."""
    async with app.run_test(size=(160, 48)) as pilot:
        await known(pilot, app)
        backend.fails("hung")
        for section, place, keys in (("2", "jobs", "tbx"), ("3", "endpoints", "iwtdl")):
            for key in keys:
                await answered(pilot, (section, key, "escape"), lambda: True)
                await answered(pilot, (section, section), lambda place=place: app.screen.place == place)  # type: ignore[misc,attr-defined]
        await answered(pilot, "1", lambda: app.current_mode == "home")
        await leaves(pilot, app)


SAID = {
    "denied": ("not allowed to call sagemaker:ListTrainingJobs", "Ask for a policy"),
    "expired": ("credentials have expired", "aws sso login"),
    "throttled": ("AWS throttles ListTrainingJobs", "retried more slowly"),
    "disabled": ("has not enabled this region", "--region"),
    "unrecognized": ("credentials were not accepted", "has not enabled"),
    "refused": ("AWS cannot be reached at http://127.0.0.1", "Check the network"),
}
"""What the console says to each, and the way out that it names."""


async def test_errors_of_aws_are_told_with_a_way_out_and_nothing_known_is_lost(
    app: Console, backend: Faulty
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await known(pilot, app)
        await pilot.press("2")
        screen = app.base_screen
        assert screen is not None
        for fault, (sentence, remedy) in SAID.items():
            backend.fails(fault)
            app.services.refresh()

            def told() -> bool:
                problem = screen.problem()
                return problem is not None and sentence in problem.sentence and remedy in problem.remedy  # noqa: B023

            await shown(pilot, told, lambda: str(screen.problem()))
            await answered(pilot, "3", lambda: app.current_mode == "endpoints")
            await answered(pilot, "2", lambda: app.current_mode == "jobs")
            assert len(listed(app).items) >= JOBS
            backend.fails("")
            app.services.refresh()
            await shown(pilot, lambda: screen.problem() is None)
