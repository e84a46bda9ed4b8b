"""First-party requests and replies: every documented form, negotiation, and random invalid requests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.builtin import requests, responses
from algorithms.builtin.requests import CSV, JSON, JSONLINES, RECORDIO, BadRequest
from algorithms.builtin.servant import MatrixServant
from algorithms.formats import recordio, records
from algorithms.formats.records import Sparse

ROWS = np.array([[1, 0, 2.5], [0, -3, 0]], np.float32)
SPARSE = Sparse(np.array([1, 2.5, -3], "f4"), np.array([0, 2, 1]), np.array([2, 1]), 3)
INSTANCES: list[Any] = [
    {"data": {"features": {"keys": [0, 2], "shape": [3], "values": [1, 2.5]}}},
    {"data": {"features": {"values": [0, -3, 0]}}},
]
PLAIN = [{"features": row} for row in ROWS.tolist()]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (CSV, b"1,0,2.5\n0,-3,0"),
        (CSV, b"\xef\xbb\xbf1, 0,2.5\r\n\r\n0,-3,0\r\n"),
        ("text/csv; charset=utf-8", b"1,0,2.5\n0,-3,0\n"),
        ("text/csv; label_size=0", b"1,0,2.5\n0,-3,0\n"),
        ("text/csv;label_size=1", b"9,1,0,2.5\n9,0,-3,0\n"),
        (JSON, json.dumps({"instances": PLAIN}).encode()),
        (JSON, json.dumps({"instances": INSTANCES, "configuration": {}}).encode()),
        ("Application/JSON; charset=utf-8", json.dumps({"instances": INSTANCES}).encode()),
        (JSONLINES, b"\n".join(json.dumps(one).encode() for one in INSTANCES)),
        (JSONLINES, b"\n\n".join(json.dumps(one).encode() for one in PLAIN) + b"\n"),
        (RECORDIO, b"".join(records.dense(ROWS))),
        (RECORDIO, b"".join(records.dense(ROWS.astype("f8")))),
        (RECORDIO, b"".join(records.sparse(SPARSE))),
        (RECORDIO, b"".join([*records.dense(ROWS[:1])]) + b"".join([*records.dense(ROWS[1:].astype(int))])),
    ],
)
def test_all_forms_are_the_same_rows(content_type: str, body: bytes) -> None:
    assert np.array_equal(requests.parse(body, {"content-type": content_type}, 3), ROWS)


def test_a_record_without_its_frame_is_one_row() -> None:
    framed = b"".join(records.dense(ROWS[:1]))
    (bare,) = recordio.payloads(io.BytesIO(framed))
    for body in (bare, framed, framed.rstrip(b"\0")):
        assert np.array_equal(requests.parse(body, {"content-type": RECORDIO}, 3), ROWS[:1])


@pytest.mark.parametrize(
    ("content_type", "body", "status", "words"),
    [
        ("", b"1,2,3", 415, "Unsupported content type ''"),
        ("image/png", b"1,2,3", 415, "Unsupported content type 'image/png'.*text/csv"),
        (CSV, b" \n", 400, "body is empty"),
        (CSV, b"1,2", 400, "row 1 has 2 features, the model takes 3"),
        (CSV, b"1,2,3\n1,2", 400, "row 2: has 2 fields"),
        (CSV, b"1,2,x", 400, r"row 1: field 3 \('x'\)"),
        (CSV, b"1,2,NaN", 400, "row 1: field 3"),
        (JSON, b"{", 400, "not JSON"),
        (JSON, b"\xff\xfe", 400, "not UTF-8|not JSON"),
        (JSON, b"[" * 100_000, 400, "unable to evaluate payload"),
        (JSON, b"[1,2,3]", 400, 'list "instances"'),
        (JSON, b'{"instances": []}', 400, "holds no row"),
        (JSON, b'{"instances": [[1,2,3]]}', 400, "row 1 is neither"),
        (JSON, b'{"instances": [{"features": [1,2,3]}, {"features": [1,2]}]}', 400, "row 2 has 2 features"),
        (JSON, b'{"instances": [{"features": [1,2,"3"]}]}', 400, r"row 1, value 3 \(\"3\"\) is not a number"),
        (JSON, b'{"instances": [{"features": [1,2,null]}]}', 400, r"value 3 \(null\)"),
        (JSON, b'{"instances": [{"features": [1,2,NaN]}]}', 400, "row 1 holds a number that is not finite"),
        (JSON, b'{"instances": [{"features": [1,2,1' + b"0" * 400 + b"]}]}", 400, "not finite"),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [1], "values": [1]}}}]}', 400, 'no "shape"'),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [3], "shape": [3], "values": [1]}}}]}', 400, "key 3"),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [1], "shape": [3], "values": [1, 2]}}}]}', 400, "as many keys"),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [1], "shape": [9], "values": [1]}}}]}', 400, "has 9 features"),
        (JSONLINES, b'{"features": [1,2,3]}\n{"features": [1,2]}', 400, "row 2 has 2"),
        (JSONLINES, b'{"features": [1,2,3]}\n}', 400, "row 2 is not JSON"),
        (RECORDIO, b"1,2,3", 400, r"not recordIO \(it does not start with the magic number\) and no single record"),
        (RECORDIO, b"".join(records.dense(ROWS))[:-8], 400, "record 2.*truncated"),
        (RECORDIO, b"".join(records.dense(ROWS[:, :2].copy())), 400, "has 2 features"),
        (RECORDIO, b"".join(records.dense(np.full((2, 3), np.inf, "f4"))), 400, "record 1 holds a number that is not finite"),
        (RECORDIO, b"".join(records.sparse(SPARSE._replace(width=2**31 - 1))), 400, "has 2147483647 features"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_with_the_row(
    content_type: str, body: bytes, status: int, words: str
) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        requests.parse(body, {"content-type": content_type}, 3)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        (CSV, CSV),
        (JSONLINES, JSONLINES),
        ("application/x-recordio-protobuf", RECORDIO),
        ("text/csv;q=0.4, application/jsonlines;q=0.9", JSONLINES),
        ("image/png, text/csv", CSV),
        ("Application/JSON; charset=utf-8", JSON),
    ],
)
def test_the_most_wanted_format_is_chosen(accept: str, chosen: str) -> None:
    assert responses.choose(accept) == chosen


@pytest.mark.parametrize("accept", ["image/png", "image/*", "text/csv;q=0"])
def test_an_answer_that_cannot_be_written_is_a_406(accept: str) -> None:
    if accept == "text/csv;q=0":
        assert responses.choose(accept) == JSON
        return
    with pytest.raises(BadRequest, match="Unsupported accept type") as caught:
        responses.choose(accept)
    assert caught.value.status == 406


def test_replies_in_every_format() -> None:
    columns = {"score": np.array([[0.5, 0.25], [1, 0]], "f4"), "predicted_label": np.array([1, 0])}
    render: Callable[[str], bytes] = lambda kind: responses.render(kind, "predictions", columns).body  # noqa: E731
    rows = [{"score": [0.5, 0.25], "predicted_label": 1}, {"score": [1.0, 0.0], "predicted_label": 0}]
    assert json.loads(render(JSON)) == {"predictions": rows}
    assert [json.loads(line) for line in render(JSONLINES).splitlines()] == rows
    assert render(CSV) == b"0.5,0.25,1\n1.0,0.0,0\n"
    assert len(list(recordio.payloads(io.BytesIO(render(RECORDIO))))) == 2


numbers = st.floats() | st.integers(-5, 5) | st.none() | st.text(max_size=3) | st.booleans()
features = st.lists(numbers, max_size=5) | numbers
instance = st.one_of(
    st.fixed_dictionaries({"features": features}),
    st.fixed_dictionaries(
        {"data": st.fixed_dictionaries({"features": st.fixed_dictionaries({"values": features, "keys": features, "shape": features})})}
    ),
    features,
)  # fmt: skip
bodies = st.one_of(
    st.binary(max_size=80),
    st.text("0123456789.,-\n nae\"'", max_size=60).map(str.encode),
    st.fixed_dictionaries({"instances": st.lists(instance, max_size=3) | features}).map(lambda d: json.dumps(d).encode()),
    st.lists(instance, max_size=3).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    st.binary(max_size=40).map(lambda raw: recordio.frame(raw)),
    st.tuples(st.binary(max_size=4), st.integers(0, 50)).map(
        lambda pair: b"".join(records.dense(ROWS))[: pair[1]] + pair[0]
    ),
)  # fmt: skip
types = st.sampled_from(
    ["", CSV, JSON, JSONLINES, RECORDIO, "text/csv;label_size=2", "image/png", ";", "text/csv;label_size=x"]
)


@settings(max_examples=300, deadline=None)
@given(bodies, types, st.sampled_from(["", "*/*", JSON, CSV, RECORDIO, "image/png", ";;q=x,,"]))
def test_random_requests_get_an_answer_or_a_4xx_with_a_message(body: bytes, kind: str, accept: str) -> None:
    servant = MatrixServant(3, "predictions", lambda rows: {"sum": rows.sum(axis=1)})
    reply = servant.answer(body, {"content-type": kind, "accept": accept})
    assert reply.status in (200, 400, 406, 415)
    assert reply.body.strip()


def test_what_goes_wrong_inside_is_a_500_with_its_reason() -> None:
    def broken(rows: Any) -> Any:
        raise RuntimeError("no disk")

    reply = MatrixServant(3, "predictions", broken).answer(b"1,2,3", {"content-type": CSV})
    assert (reply.status, reply.body) == (500, b"RuntimeError: no disk")


def test_a_row_whose_answer_is_not_finite_is_named_instead_of_answered() -> None:
    servant = MatrixServant(2, "predictions", lambda rows: {"score": rows[:, 0] * np.float32(2)})
    with np.errstate(over="ignore"):
        for accept in (JSON, JSONLINES, CSV, RECORDIO):
            reply = servant.answer(b"1,2\n3e38,0\n", {"content-type": CSV, "accept": accept})
            assert reply.status == 400
            assert b"row 2 has features so large that its score is not finite" in reply.body
    assert servant.answer(b"1,2\n", {"content-type": CSV}).status == 200
