"""Routes, templates, patches and packages by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.functions.packages import Packages
from engine.gateways import patching
from engine.gateways.routes import Routes
from engine.gateways.surface import is_local
from engine.gateways.templates import Values, render, select
from engine.gateways.throttling import Throttle
from tests.engine.lambdas import package

PARTS = st.sampled_from(["a", "b", "{x}", "{y}"])
PATHS = st.lists(st.lists(PARTS, max_size=3).map(tuple), min_size=1, max_size=8, unique=True)


def resources(*paths: str) -> dict[str, Any]:
    return {path: {"id": path, "path": path, "resourceMethods": {"GET": {}}} for path in paths}


@pytest.mark.parametrize(
    ("path", "resource", "variables"),
    [
        ("/", "/", {}),
        ("/films", "/films", {}),
        ("/films/", "/films", {}),
        ("/films/new", "/films/new", {}),
        ("/films/7", "/films/{id}", {"id": "7"}),
        ("/films/7/cast", "/films/{id}/cast", {"id": "7"}),
        ("/films/new/cast", "/films/{id}/cast", {"id": "new"}),
        ("/films/7/other", "/films/{proxy+}", {"proxy": "7/other"}),
        ("/a/b/c", "/{proxy+}", {"proxy": "a/b/c"}),
        ("/films%20x/1", "/{proxy+}", {"proxy": "films%20x/1"}),
    ],
)
def test_the_most_specific_resource_is_found(path: str, resource: str, variables: dict[str, str]) -> None:
    routes = Routes(
        resources(
            "/", "/films", "/films/new", "/films/{id}", "/films/{id}/cast", "/films/{proxy+}", "/{proxy+}"
        )
    )
    found = routes.find(path)
    assert found is not None
    assert (found.resource["path"], found.variables) == (resource, variables)


def test_nothing_is_found_where_nothing_is() -> None:
    routes = Routes(resources("/films/{id}", "/{proxy+}"))
    assert routes.find("/") is None
    assert Routes(resources("/films")).find("/films/1") is None


@given(PATHS, st.lists(st.sampled_from("abc"), max_size=3))
def test_what_is_found_matches_part_by_part(paths: list[tuple[str, ...]], asked: list[str]) -> None:
    # API Gateway allows one variable name per place: the others are the same resource.
    known = {tuple("{x}" if part.startswith("{") else part for part in path) for path in paths}
    found = Routes(resources(*("/" + "/".join(path) for path in known))).find("/" + "/".join(asked))

    def fits(path: tuple[str, ...]) -> bool:
        return len(path) == len(asked) and all(
            one in ("{x}", two) for one, two in zip(path, asked, strict=True)
        )

    fitting = [path for path in known if fits(path)]
    if not fitting:
        assert found is None
        return
    assert found is not None
    # Of the fitting ones the first in which a literal stands where another has a variable.
    best = min(fitting, key=lambda path: [part.startswith("{") for part in path])
    assert found.resource["path"] == "/" + "/".join(best)


VALUES = Values(
    '{"a": {"b": [1, "two"]}, "text": "it\'s"}',
    {"name": "ann"}.get,
    {"stage": "prod", "identity": {"sourceIp": "::1"}},
    {"v": "9"},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain $ 5.00", "plain $ 5.00"),
        ("$context.stage/$context.identity.sourceIp", "prod/::1"),
        ("${stageVariables.v}th $stageVariables.none!", "9th !"),
        ("$input.params('name') ${input.params(\"none\")}", "ann "),
        ("$input.json('$.a.b[1]') $input.path('$.a.b[0]')", '"two" 1'),
        ("$input.json('$')", '{"a":{"b":[1,"two"]},"text":"it\'s"}'),
        ("$util.escapeJavaScript($input.path('$.text'))", "it\\'s"),
        ("$util.urlEncode('a b&c')|$util.base64Decode($util.base64Encode('x'))", "a+b%26c|x"),
        ("## a comment\n$unknown.thing $input.nothing('x')", "$unknown.thing $input.nothing('x')"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert render(template, VALUES) == text


@given(st.text(alphabet="$#{}().'\"ab input.json!\n", max_size=40))
def test_any_template_is_rendered(template: str) -> None:
    assert isinstance(render(template, VALUES), str)


@given(st.text(alphabet="$.[]'\"a01 *", max_size=20))
def test_any_path_selects_or_does_not(path: str) -> None:
    select({"a": [1]}, path)


def test_patches_change_only_what_may_change() -> None:
    fields = (patching.one("name"), patching.entries("variables"), patching.members("types"))
    document: dict[str, Any] = {"name": "a", "id": "1"}
    patching.apply(
        document,
        [
            {"op": "replace", "path": "/name", "value": "b"},
            {"op": "add", "path": "/variables/x~1y", "value": "1"},
            {"op": "add", "path": "/types/image~1png"},
        ],
        fields,
    )
    assert document == {"name": "b", "id": "1", "variables": {"x/y": "1"}, "types": ["image/png"]}
    patching.apply(document, [{"op": "remove", "path": "/types/image~1png"}], fields)
    assert "types" not in document
    for operation in ({"op": "remove", "path": "/name"}, {"op": "replace", "path": "/id", "value": "2"}):
        with pytest.raises(ServiceError, match="Invalid patch path"):
            patching.apply(document, [operation], fields)


def test_a_throttle_lets_a_burst_through() -> None:
    throttle = Throttle()
    admitted = [throttle.admits(("a",), 0.0001, 3) for _ in range(5)]
    assert admitted == [True, True, True, False, False]
    assert throttle.admits(("b",), 0.0001, 1)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("[::1]:80", True),
        ("abc123.execute-api.localhost:4566", True),
        ("abc123.execute-api.eu-west-1.amazonaws.com", True),
        ("", False),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("abc.execute-api.evil.example", False),
        ("192.168.1.5", False),
    ],
)
def test_hosts_that_name_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_packages_are_kept_by_content_and_swept(tmp_path: Path) -> None:
    packages = Packages(tmp_path / "packages", "secret")
    one = packages.put(package(a="x = 1\n", **{"data/words.txt": "w"}))
    again = packages.put(package(a="x = 1\n", **{"data/words.txt": "w"}))
    two = packages.put(package(b="y = 2\n", **{"data/words.txt": "other"}))
    assert one.digest == again.digest != two.digest
    merged = packages.layered([one.digest, two.digest])
    assert merged is not None
    assert {path.name for path in merged.iterdir()} == {"a.py", "b.py", "data"}
    assert (merged / "data" / "words.txt").read_text() == "other"
    packages.sweep([two.digest])
    assert not packages.folder(one.digest).exists() and packages.zip(two.digest).is_file()
    ticket = packages.ticket(two.digest, 100)
    assert packages.admits(two.digest, "100", ticket, 99)
    assert not packages.admits(two.digest, "100", ticket, 101)
    assert not packages.admits(two.digest, "101", ticket, 99)
