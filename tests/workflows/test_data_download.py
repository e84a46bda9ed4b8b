"""Downloads over real HTTP from a server on this machine that breaks off, forgets and lies."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.publisher import Publisher
from workflows.data import catalog
from workflows.data.download import download
from workflows.data.fetching import fetch
from workflows.data.place import locate
from workflows.problem import Problem

CONTENT = bytes(range(256)) * 2_000


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(CONTENT) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_real_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Waits(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_a_broken_connection_goes_on_where_it_was(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [100_000, 100_000]
    seen: list[tuple[int, int]] = []
    target = download(
        publisher.url(), tmp_path / "file", progress=lambda *now: seen.append(now), sleep=Waits()
    )
    assert target.read_bytes() == CONTENT
    assert [request.get("Range") for request in publisher.requests] == [
        None,
        "bytes=100000-",
        "bytes=200000-",
    ]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 9_000), max_size=4), ranges=st.booleans(), versions=st.booleans())
def test_wherever_it_breaks_the_file_is_whole(
    cuts: list[int], ranges: bool, versions: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = hashlib.sha256(repr(cuts).encode()).digest() * 250
    folder = tmp_path_factory.mktemp("download")
    with Publisher(content) as server:
        server.cuts, server.ranges, server.versions = list(cuts), ranges, versions
        assert download(server.url(), folder / "file", sleep=Waits()).read_bytes() == content


def test_a_new_process_goes_on_and_another_version_starts_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [50_000]
    publisher.before = lambda number: publisher.failures.append(404) if number == 2 else None
    with pytest.raises(Problem, match="404"):
        download(publisher.url(), tmp_path / "file", sleep=Waits())
    assert not (tmp_path / "file").exists()
    assert (tmp_path / "file.part").stat().st_size == 50_000
    publisher.content = CONTENT[::-1]
    download(publisher.url(), tmp_path / "file", sleep=Waits())
    assert publisher.requests[-1]["Range"] == "bytes=50000-"
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]


def test_a_busy_server_is_asked_again_ever_later_and_not_for_ever(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.failures = [503, 429]
    waits = Waits()
    download(publisher.url(), tmp_path / "one", sleep=waits)
    assert waits == [2, 4]
    publisher.failures = [503] * 9
    with pytest.raises(Problem, match="503") as caught:
        download(publisher.url(), tmp_path / "two", sleep=Waits())
    assert caught.value.code == "unreachable"
    assert len(publisher.failures) == 4


def test_silence_counts_as_lost(publisher: Publisher, tmp_path: Path) -> None:
    publisher.stall = 1.5
    assert download(publisher.url(), tmp_path / "file", sleep=Waits(), timeout=0.3).read_bytes() == CONTENT
    assert publisher.requests[1]["Range"] == "bytes=10-"


@pytest.mark.parametrize(("size", "md5", "code"), [(5, "", "size"), (0, "0" * 32, "checksum")])
def test_another_file_is_not_kept(
    publisher: Publisher, tmp_path: Path, size: int, md5: str, code: str
) -> None:
    with pytest.raises(Problem) as caught:
        download(publisher.url(), tmp_path / "file", size=size, md5=md5)
    assert caught.value.code == code
    assert not (tmp_path / "file").exists() and not (tmp_path / "file.part").exists()


def test_addresses_that_are_none_and_servers_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no web address"):
        download("file:///etc/passwd", tmp_path / "file")
    with pytest.raises(Problem, match="Look at the network"):
        download("http://127.0.0.1:9/file", tmp_path / "file", sleep=Waits())


def test_two_at_once_do_not_write_the_same_file(publisher: Publisher, tmp_path: Path) -> None:
    inner: list[Problem] = []

    def again(done: int, total: int) -> None:
        if not inner:
            with pytest.raises(Problem) as caught:
                download(publisher.url(), tmp_path / "file")
            inner.append(caught.value)

    download(publisher.url(), tmp_path / "file", progress=again)
    assert inner[0].code == "busy"
    assert (tmp_path / "file").read_bytes() == CONTENT


def corpus_archive(extra: tuple[str, bytes] | None = None) -> bytes:
    """The synthetic corpus as the publisher packs the real one."""
    located = locate("plagiarism")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(located.folder.iterdir()):
            archive.write(path, f"data/{path.name}")
            archive.writestr(f"__MACOSX/data/._{path.name}", b"\x00")
        if extra:
            archive.writestr(*extra)
    return packed.getvalue()


def test_fetch_unpacks_checks_and_is_found_before_the_synthetic_sample(publisher: Publisher) -> None:
    publisher.content = corpus_archive()
    origin = replace(catalog.PLAGIARISM.origin, url=publisher.url("data.zip"), size=len(publisher.content))
    publisher.cuts = [1_000]
    located, findings = fetch(replace(catalog.PLAGIARISM, origin=origin), sleep=Waits())
    assert located.source == "cache" and not located.synthetic
    assert publisher.url("data.zip") in located.note
    assert {finding.severity for finding in findings} == {"warning", "note"}
    assert locate("plagiarism") == located
    assert json.loads((located.folder / "source.json").read_text())["from"] == publisher.url("data.zip")


def test_an_archive_that_leads_out_of_itself_is_refused_and_nothing_is_left(publisher: Publisher) -> None:
    publisher.content = corpus_archive(("../../evil.txt", b"x"))
    dataset = replace(catalog.PLAGIARISM, origin=replace(catalog.PLAGIARISM.origin, size=0))
    with pytest.raises(Problem, match="leads out of the archive"):
        fetch(dataset, url=publisher.url("data.zip"))
    assert locate("plagiarism").synthetic


def test_a_login_page_in_place_of_the_data_is_told_with_the_steps_by_hand(publisher: Publisher) -> None:
    publisher.content = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    with pytest.raises(Problem, match="web page") as caught:
        fetch(catalog.CREDITCARD, url=publisher.url("creditcardfraud.zip"))
    assert "kaggle.com" in caught.value.remedy and "data import creditcard" in caught.value.remedy
    assert locate("creditcard", source="").synthetic


def test_what_has_moved_is_told_with_the_steps_by_hand(publisher: Publisher) -> None:
    publisher.failures = [403]
    with pytest.raises(Problem, match="403") as caught:
        fetch(catalog.CREDITCARD, url=publisher.url())
    assert "mlconsole data import creditcard FILE" in caught.value.remedy
    with pytest.raises(Problem, match="withdrew"):
        fetch(catalog.BOSTON)
