"""Web apps on a real engine: made, tested, broken on purpose, updated, taken away; and the page in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.reviews import bag
from tests.console.chromium import Browser, browsing
from tests.workflows.conftest import everything
from tests.workflows.reviewing import OTHER, WEIGHTS, WORDS, drop, host, retag
from tests.workflows.taken import TINY_LSTM
from tests.workflows.told import end
from workflows import runs
from workflows.platform import Platform
from workflows.problem import Problem
from workflows.sweep.leftovers import WEBAPP, Rules
from workflows.sweep.plan import plan
from workflows.sweep.removal import remove
from workflows.webapp import contract, creation, package, parts, record, removal, serving, visit
from workflows.webapp.definition import WebApp
from workflows.webapp.function import handler

GOOD, BAD = "A great film: good acting, a wonderful story.", "Awful. Dull and bad."


@pytest.fixture
def app(platform: Platform, request: pytest.FixtureRequest) -> Iterator[WebApp]:
    """A web app's definition with its endpoint in service; both are gone afterwards."""
    name = f"reviews-{abs(hash(request.node.name)) % 10**8}"
    yield host(platform, name)
    drop(platform, name)


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def kill_workers(platform: Platform) -> int:
    """Kill every process in which a function runs; how many there were."""
    assert platform.engine is not None
    killed = 0
    for process in psutil.Process(platform.engine.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("bootstrap.py" in item for item in process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
    return killed


def test_a_web_app_is_made_after_a_crash_tested_updated_and_taken_away(
    platform: Platform, app: WebApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(creation, "_permission", crash)
        with pytest.raises(KeyboardInterrupt):
            creation.create(platform, app, WORDS)
    half = parts.look(platform, app.name)
    assert half.state == "incomplete" and not half.permission and not half.url
    noted = record.ledger(platform, app.name)
    assert noted is not None
    assert {item["what"] for item in noted.resources()} >= {kind for kind, _ in half.present}
    with pytest.raises(Problem, match="no stage"):
        contract.test(platform, half, WORDS)

    told: list[str] = []
    made = creation.create(platform, app, WORDS, told.append)
    assert made.state == "ready" and made.apis == half.apis and len(told) == 4
    checks = contract.test(platform, made, WORDS)
    assert [one.name for one in checks if not one.held] == [], checks
    answer = visit.ask(made.url, GOOD).document
    assert set(answer) == {"verdict", "probability", "model", "vocabulary"}
    assert (answer["verdict"], answer["model"], answer["vocabulary"]) == (
        "positive",
        app.endpoint,
        WORDS.version,
    )
    assert visit.ask(made.url, BAD).document["verdict"] == "negative"
    assert app.name in parts.names(platform) and app.name in record.known(platform)

    # The endpoint's model is another one now, of another vocabulary: deployed again, under the same address.
    retag(platform, app.endpoint, OTHER)
    assert visit.ask(made.url, GOOD).status == 409
    with pytest.raises(Problem, match="was trained with vocabulary"):
        creation.create(platform, app, WORDS)
    newer = WebApp(name=app.name, endpoint=app.endpoint, content_type="text/libsvm", vocabulary=OTHER.version)
    again = creation.create(platform, newer, OTHER)
    assert again.url == made.url and visit.ask(made.url, GOOD).document["vocabulary"] == OTHER.version

    page = record.page(platform, app.name)
    assert f"{made.url}verdict" in page.read_text()
    rows = removal.remove(platform, app.name)
    assert {row.state for row in rows} == {"deleted"} and len(rows) == 6
    assert parts.look(platform, app.name).state == "gone" and not page.exists()
    assert app.name not in parts.names(platform)
    with pytest.raises(Problem, match="There is no web app"):
        removal.remove(platform, app.name)
    assert visit.ask(made.url, GOOD).status == 403


def test_nothing_is_made_for_a_vocabulary_that_is_not_the_models(
    platform: Platform, app: WebApp, tmp_path: Path
) -> None:
    models = serving.served(platform, app.endpoint)
    assert serving.content_type(models) == "text/plain"  # a script; XGBoost's image says text/libsvm
    assert serving.vocabulary(platform, app.endpoint, models) == WORDS
    OTHER.save(tmp_path / "other.json")
    with pytest.raises(
        Problem, match=f"trained with vocabulary {WORDS.version}; this one is {OTHER.version}"
    ):
        serving.vocabulary(platform, app.endpoint, models, str(tmp_path / "other.json"))
    wrong = WebApp(name=app.name, endpoint=app.endpoint, content_type="text/libsvm", vocabulary=OTHER.version)
    for packed in (OTHER, WORDS, None):
        with pytest.raises(Problem):
            creation.create(platform, wrong, packed)
    assert parts.look(platform, app.name).present == [] and record.ledger(platform, app.name) is None
    with pytest.raises(Problem, match="There is no endpoint nowhere"):
        serving.served(platform, "nowhere")
    with pytest.raises(Problem, match="cannot be a web app's name"):
        WebApp(name="x" * 58, endpoint="x", content_type="text/plain")
    sagemaker = platform.client("sagemaker")
    sagemaker.delete_tags(ResourceArn=models[0].arn, TagKeys=[serving.TAG, serving.URI_TAG])
    unsure = serving.served(platform, app.endpoint)
    with pytest.raises(Problem, match="does not say which vocabulary"):
        serving.vocabulary(platform, app.endpoint, unsure)
    WORDS.save(tmp_path / "words.json")
    given = serving.vocabulary(platform, app.endpoint, unsure, str(tmp_path / "words.json"), adopt=True)
    made = creation.create(platform, app, given, adopt=True)
    assert serving.served(platform, app.endpoint)[0].vocabulary == WORDS.version
    assert visit.ask(made.url, GOOD).status == 200


def test_whatever_happens_visitors_get_a_clear_answer(
    platform: Platform, app: WebApp, tmp_path: Path
) -> None:
    made = creation.create(platform, app, WORDS)
    url, good = made.url, visit.ask(made.url, GOOD).document
    with ThreadPoolExecutor(100) as visitors:
        replies = list(visitors.map(lambda _: visit.ask(url, GOOD), range(100)))
    assert [reply.document for reply in replies] == [good] * 100

    assert kill_workers(platform)
    with ThreadPoolExecutor(8) as visitors:
        assert {reply.status for reply in visitors.map(lambda _: visit.ask(url, GOOD), range(8))} == {200}
        under_way = [visitors.submit(visit.ask, url, GOOD) for _ in range(80)]
        until(lambda: sum(one.done() for one in under_way) > 8)
        assert kill_workers(platform)
        for reply in (one.result() for one in under_way):
            # Whose worker was killed is told so, in words that the page can show; all others have their answers.
            told = reply.status == 502 and "error" in reply.document
            assert reply.document == good or told, (reply.status, reply.document)
            assert reply.headers["access-control-allow-origin"] == "*"
        assert visit.ask(url, GOOD).document == good

    for size in (handler.MOST, 8_000_000, 10 * 2**20):
        reply = visit.ask(url, "x" * size)
        assert (reply.status, reply.document["code"]) == (413, "too-large"), size
        assert reply.headers["access-control-allow-origin"] == "*"

    # Somebody changed the function's variables by hand: what is packed is not what is said.
    lambdas = platform.client("lambda")
    variables = dict(app.environment) | {"VOCABULARY": OTHER.version}
    lambdas.update_function_configuration(FunctionName=app.title, Environment={"Variables": variables})
    retag(platform, app.endpoint, OTHER)
    reply = until(lambda: (found := visit.ask(url, GOOD)).status == 500 and found)
    assert reply.document["code"] == "vocabulary-mismatch" and OTHER.version in reply.document["error"]
    lambdas.update_function_configuration(FunctionName=app.title, Environment={"Variables": app.environment})
    reply = until(lambda: (found := visit.ask(url, GOOD)).status == 409 and found)
    assert reply.document["code"] == "vocabulary-mismatch"
    retag(platform, app.endpoint, WORDS)
    assert visit.ask(url, GOOD).document == good

    platform.client("sagemaker").delete_endpoint(EndpointName=app.endpoint)
    reply = until(lambda: (found := visit.ask(url, GOOD)).status == 503 and found)
    assert reply.document == {"error": "The model's endpoint is not there.", "code": "endpoint-gone"}
    assert not all(check.held for check in contract.test(platform, parts.look(platform, app.name), WORDS))

    # What nobody can use any more is offered by a sweep, and goes with one.
    rules = Rules(young=0.0)
    (over,) = [
        item
        for item in plan(platform, rules, time.time(), runs=()).items
        if item.name == app.name and item.kind == WEBAPP
    ]
    assert over.reason == f"its endpoint {app.endpoint} is gone" and not over.protected
    assert (
        "younger"
        in next(
            item for item in plan(platform, Rules(), time.time(), runs=()).items if item.key == over.key
        ).protected
    )
    lambdas.delete_function(FunctionName=app.title)
    reply = visit.ask(url, GOOD)
    assert reply.status == 500 and "failed or is not there" in reply.document["error"]
    assert reply.headers["access-control-allow-origin"] == "*"
    report = remove(platform, [over], rules, now=time.time, runs=())
    assert [(one.kind, one.state) for one in report.outcomes] == [(WEBAPP, "deleted")]
    assert parts.look(platform, app.name).present == [] and record.ledger(platform, app.name) is None


ANSWER = "document.getElementById('answer').innerText"
VERDICT = "document.querySelector('#answer .verdict')?.className || ''"


async def write(browser: Browser, review: str) -> None:
    """Write a review key by key into the field in focus, in place of what stands there, and send it as the page says."""
    await browser.until("document.activeElement.id", lambda found: found == "review", "the field in focus")
    await browser.value("document.getElementById('review').select()")
    for letter in review:
        await browser.press(letter)
    assert await browser.value("document.getElementById('review').value") == review
    for kind in ("keyDown", "keyUp"):
        await browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", modifiers=2)


async def judged(browser: Browser) -> tuple[str, str]:
    """The class of the verdict once it is there, and all that the page says about it."""
    kind = await browser.until(VERDICT, bool, "a verdict")
    return str(kind).partition(" ")[2], str(await browser.value(ANSWER))


async def test_the_page_in_a_browser(platform: Platform, app: WebApp, tmp_path: Path) -> None:
    made = creation.create(platform, app, WORDS)
    async with browsing(tmp_path) as browser:
        await browser.open(made.url)
        await write(browser, GOOD)
        kind, said = await judged(browser)
        assert kind == "positive" and "Positive, 99 %" in said and WORDS.version in said
        assert "Link to this review" in said
        await browser.open(f"{record.page(platform, app.name).as_uri()}?review={quote(BAD)}")
        assert (await judged(browser))[0] == "negative"
        platform.client("sagemaker").delete_endpoint(EndpointName=app.endpoint)
        until(lambda: visit.ask(made.url, GOOD).status == 503)
        await browser.open(f"{made.url}?review={quote(GOOD)}")
        kind, said = await judged(browser)
        assert kind == "error" and "The model's endpoint is not there." in said
        assert "No verdict" in said and "HTTP 503, endpoint-gone" in said
        assert await browser.value("problems") == []
        hosts = {urlsplit(url).hostname for url in browser.asked if url.startswith("http")}
        assert hosts == {urlsplit(made.url).hostname}


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["low", "high"])
async def test_the_page_before_an_lstm_that_a_lesson_keeps(
    platform: Platform, tmp_path: Path, interface: str
) -> None:
    given = TINY_LSTM | {"data": "synthetic", "rows": 600, "model": "lstm", "chunk": 64}
    run = runs.start("deploying", given, interface=interface, keep=True)
    last = end(everything(run, 240))
    assert last.status == "completed", last.message
    (name,) = [one for one in parts.names(platform) if one == run.id]
    url = parts.look(platform, name).url
    async with browsing(tmp_path) as browser:
        await browser.open(url)
        for review in (GOOD, BAD):
            await write(browser, review)
            kind, said = await judged(browser)
            asked = platform.client("sagemaker-runtime").invoke_endpoint(
                EndpointName=run.id, Body=review.encode(), ContentType="text/plain"
            )
            probability = handler.number(asked["Body"].read())
            assert kind == ("positive" if probability >= 0.5 else "negative")
            assert f"{round(100 * max(probability, 1 - probability))} %" in said
            assert "vocabulary" not in said  # its words are in the artefact
        platform.client("sagemaker").delete_endpoint(EndpointName=run.id)
        until(lambda: visit.ask(url, GOOD).status == 503)
        await write(browser, GOOD)
        await browser.until(VERDICT, lambda found: "error" in found, "the error")
        assert "The model's endpoint is not there." in (await judged(browser))[1]
    count = len(run.events_file.read_text().splitlines())
    runs.stop(run)
    assert end(list(runs.follow(run, offset=count, timeout=120))).left_behind == []
    assert parts.look(platform, name).state == "gone"


def test_the_page_is_small_labelled_and_asks_no_outside_host() -> None:
    text = package.page("http://127.0.0.1:1/restapis/a/prod/_user_request_/")
    assert len(text) < 10_000
    assert 'content="http://127.0.0.1:1/restapis/a/prod/_user_request_/verdict"' in text
    assert "connect-src http://127.0.0.1:1" in text and "{{" not in text
    assert "http" not in package.page().replace('http-equiv="Content-Security-Policy"', "").replace(
        "HTTP", ""
    )
    assert '<label for="review">' in text and 'aria-live="polite"' in text and '<html lang="en">' in text
    for scheme in ("#1b1f24 #57606a #116329 #a40e26 #0550ae", "#e6edf3 #9da7b3 #56d364 #ff9492 #79c0ff"):
        back = "#ffffff" if scheme.startswith("#1b") else "#0d1117"
        for colour in scheme.split():
            assert colour in text and contrast(colour, back) >= 4.5, colour


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        parts = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_packages_are_the_same_to_the_byte_and_need_nothing_else(tmp_path: Path) -> None:
    data = package.pack(WORDS)
    assert data == package.pack(WORDS) != package.pack(OTHER)
    (tmp_path / "package.zip").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        archive.extractall(tmp_path / "task")
    program = (
        "import json, os, sys; sys.path.insert(0, sys.argv[1]); os.environ |= {'CONTENT_TYPE': 'text/libsvm'}\n"
        "import handler\n"
        "print(handler.encoded('great, great and good', 'text/libsvm', sys.argv[2]).decode())\n"
        "print(handler.handle({'httpMethod': 'GET'}, None)['headers']['Content-Type'])\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('numpy', 'pandas', 'workflows', 'boto3')])"
    )
    import sys

    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path / "task"), WORDS.version],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["0 3:1 4:2", "text/html; charset=utf-8", "[]"]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0, 1),
    st.sampled_from(
        ["{}", " {}\n", "[{}]", "[[{}]]", "{},1", "{}\n0.5", '{{"predictions": [{{"score": {}}}]}}']
    ),
)
def test_every_form_of_an_answer_is_read(probability: float, form: str) -> None:
    assert handler.number(form.format(repr(probability)).encode()) == probability


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["", "nan", "2", "-1", "[]", "{}", "null", '{"predictions": []}']),
    )
)
def test_other_answers_are_refused(text: str) -> None:
    with contextlib.suppress(handler.Refusal):
        assert 0 <= handler.number(text.encode()) <= 1


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(), st.integers(), st.none())), st.booleans())
def test_bodies_of_any_form_get_a_text_or_a_refusal(body: dict[str, Any], encoded: bool) -> None:
    event = {
        "body": json.dumps(body),
        "headers": {"content-type": "application/json"},
        "isBase64Encoded": encoded,
    }
    try:
        assert handler.review(event) == body["review"]
    except handler.Refusal as refusal:
        assert refusal.status == 400


def test_the_function_and_the_container_count_alike() -> None:
    text = "<b>GREAT</b> &amp; dull, dull; wasn't good"
    counts = {sorted(WEIGHTS)[column]: count for column, count in WORDS.count(text).items()}
    assert counts == {"dull": 2, "good": 1, "great": 1}
    assert bag.libsvm(WORDS.count(text)) == "0 2:2 3:1 4:1"
