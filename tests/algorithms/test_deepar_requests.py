"""DeepAR's answers: forms of requests and responses, configuration, and that every bad request has a message."""

from __future__ import annotations

import concurrent.futures
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algorithms.builtin.deepar import servant as servants
from algorithms.builtin.deepar.servant import DeepARServant
from algorithms.builtin.failures import ClientError
from algorithms.container.serving import Reply
from tests.algorithms import containers
from tests.algorithms.deepar import model

JSON, JSONLINES = "application/json", "application/jsonlines"
SERIES = {
    "start": "2021-01-04 00:00:00",
    "target": [4.0, 10.0, "NaN", 100.0, None, 113.0, 7, 8, 9, 10, 11, 12],
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> DeepARServant:
    return model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> DeepARServant:
    return model(tmp_path_factory.mktemp("model"), cardinality=(2, 3), features=1)


def ask(servant: DeepARServant, value: Any, content_type: str = JSON, accept: str = "") -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return servant.answer(body, {"content-type": content_type, "accept": accept})


def predictions(servant: DeepARServant, instances: list[Any], **configuration: Any) -> list[Any]:
    request = {"instances": instances} | ({"configuration": configuration} if configuration else {})
    reply = ask(servant, request)
    assert (reply.status, reply.content_type) == (200, JSON), reply.body
    found: list[Any] = json.loads(reply.body)["predictions"]
    return found


def test_without_configuration_there_are_mean_and_nine_quantiles(plain: DeepARServant) -> None:
    (found,) = predictions(plain, [SERIES])
    assert list(found) == ["mean", "quantiles"]
    assert list(found["quantiles"]) == [f"0.{k}" for k in range(1, 10)]
    assert {len(row) for row in (found["mean"], *found["quantiles"].values())} == {5}
    levels = np.array(list(found["quantiles"].values()))
    assert (np.diff(levels, axis=0) >= 0).all()


def test_the_configuration_says_what_comes_back(plain: DeepARServant) -> None:
    wanted: dict[str, Any] = {
        "num_samples": 40,
        "output_types": ["quantiles", "samples", "mean"],
        "quantiles": ["0.5", "0.90", 0.25],
    }
    for found in predictions(plain, [SERIES, {"start": "2021-01-04", "target": [1.0]}], **wanted):
        assert list(found) == ["quantiles", "samples", "mean"]
        assert list(found["quantiles"]) == ["0.5", "0.90", "0.25"]
        samples = np.array(found["samples"])
        assert samples.shape == (40, 5)
        np.testing.assert_allclose(samples.mean(axis=0), found["mean"], rtol=1e-5)
        np.testing.assert_allclose(np.quantile(samples, 0.9, axis=0), found["quantiles"]["0.90"], rtol=1e-5)


def test_an_empty_target_has_a_forecast_of_the_typical_scale(
    plain: DeepARServant, rich: DeepARServant
) -> None:
    (found,) = predictions(plain, [{"start": "2010-01-01 00:00:00", "target": []}], output_types=["samples"])
    assert np.isfinite(found["samples"]).all()
    (unknown,) = predictions(
        plain, [{"start": "2010-01-01", "target": [None, "NaN"]}], output_types=["samples"]
    )
    assert np.isfinite(unknown["samples"]).all()
    cold = {"start": "2010-01-01", "target": [], "cat": [0, 1], "dynamic_feat": [[0.0] * 5]}
    assert np.isfinite(predictions(rich, [cold])[0]["mean"]).all()


def test_forecasts_scale_with_the_series(plain: DeepARServant) -> None:
    target = [3.0, 4.0, 5.0, 4.0, 3.0, 4.0, 5.0]

    def spread(factor: float) -> float:
        (found,) = predictions(
            plain, [{"start": "2021-01-04", "target": [factor * item for item in target]}], num_samples=2000
        )
        return float(np.mean(found["quantiles"]["0.9"]) - np.mean(found["quantiles"]["0.1"]))

    assert spread(1000) / spread(1) == pytest.approx(1000, rel=0.3)


def test_lines_have_a_line_each(
    plain: DeepARServant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "".join(f"{json.dumps(SERIES)}\n" for _ in range(3)).encode()
    for content_type in (JSONLINES, f"{JSONLINES}; charset=utf-8", JSON):
        reply = ask(plain, body, content_type)
        assert (reply.status, reply.content_type) == (200, JSONLINES)
        found = [json.loads(line) for line in reply.body.splitlines()]
        assert [list(item) for item in found] == [["mean", "quantiles"]] * 3
    monkeypatch.setenv("DEEPAR_INFERENCE_CONFIG", '{ "num_samples": 20, "output_types": ["mean"] }')
    configured = model(tmp_path)
    for content_type in (JSONLINES, JSON):
        reply = ask(configured, json.dumps(SERIES).encode(), content_type)
        assert list(json.loads(reply.body)) == ["mean"]
    # The configuration of batch transform does not concern requests that have instances.
    assert list(predictions(configured, [SERIES])[0]) == ["mean", "quantiles"]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"num_samples": 0}', '{"output_types": ["median"]}', '{"sample": 3}']
)
def test_a_configuration_of_batch_transform_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DEEPAR_INFERENCE_CONFIG", text)
    with pytest.raises(ClientError, match="DEEPAR_INFERENCE_CONFIG is not a configuration"):
        model(tmp_path)


def test_accept_chooses_the_form(plain: DeepARServant) -> None:
    request = {"instances": [SERIES, SERIES]}
    assert ask(plain, request, accept="*/*").content_type == JSON
    reply = ask(plain, request, accept=f"text/html;q=0.9, {JSONLINES}")
    assert (reply.content_type, len(reply.body.splitlines())) == (JSONLINES, 2)
    assert ask(plain, request, accept="text/csv").status == 406
    assert ask(plain, request, content_type="text/csv").status == 415
    assert ask(plain, request, content_type="").status == 200


def test_the_same_request_has_the_same_answer(plain: DeepARServant) -> None:
    requests = [
        {"instances": [{**SERIES, "target": [float(k), 2.0, 3.0]}], "configuration": {"num_samples": 30}}
        for k in range(8)
    ]
    alone = [ask(plain, request).body for request in requests]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert list(pool.map(lambda request: ask(plain, request).body, requests)) == alone
    assert len(set(alone)) == 8


def test_categories_and_features_matter(rich: DeepARServant) -> None:
    base = {"start": "2021-01-04", "target": [1.0, 2.0, 3.0], "cat": [0, 2], "dynamic_feat": [[0.0] * 8]}
    means = [
        predictions(rich, [{**base, **more}], num_samples=1000)[0]["mean"]
        for more in ({}, {"cat": [1, 2]}, {"dynamic_feat": [[0.0] * 3 + [5.0] * 5]})
    ]
    assert means[0] != means[1] and means[0] != means[2]


def test_a_model_told_to_ignore_them_takes_series_with_categories(tmp_path: Path) -> None:
    ignoring = model(tmp_path, ignore=True)
    assert ask(ignoring, {"instances": [{**SERIES, "cat": [4], "dynamic_feat": [[1.0]]}]}).status == 200


def test_other_keys_of_a_series_are_left_alone(plain: DeepARServant) -> None:
    assert (
        ask(plain, {"instances": [{**SERIES, "item_id": "a", "cat": None, "dynamic_feat": []}]}).status == 200
    )


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ({"target": [1]}, ["instances[1]", "'start' is missing"]),
        ({"start": "2021-01-04"}, ["instances[1]", "'target' is missing"]),
        ({"start": "2021-01-04T00:00:00Z", "target": []}, ["instances[1]", "time zone"]),
        ({"start": 5, "target": []}, ["instances[1]", "'start'"]),
        ({"start": "2021-01-04", "target": [1, "a"]}, ["instances[1]", "'target'", "position 1"]),
        ({"start": "2021-01-04", "target": [1], "cat": [0]}, ["instances[1]", "trained without categories"]),
        (
            {"start": "2021-01-04", "target": [1], "dynamic_feat": [[1]]},
            ["instances[1]", "trained without dynamic"],
        ),
        ([1, 2], ["instances[1]", "must be an object"]),
    ],
)
def test_a_bad_instance_is_named(plain: DeepARServant, instance: Any, words: list[str]) -> None:
    reply = ask(plain, {"instances": [SERIES, instance]})
    assert reply.status == 400
    for word in words:
        assert word in reply.body.decode()
    line = ask(plain, f"{json.dumps(SERIES)}\n{json.dumps(instance)}".encode(), JSONLINES)
    assert line.status == 400 and b"line 2" in line.body


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"cat": None}, ["'cat' is missing", "2 categories"]),
        ({"cat": [0]}, ["'cat' has 1 value", "[2, 3]"]),
        ({"cat": [2, 0]}, ["value 2 at position 0", "0 to 1"]),
        ({"dynamic_feat": None}, ["'dynamic_feat' is missing"]),
        ({"dynamic_feat": [[1.0] * 8] * 2}, ["'dynamic_feat' has 2 lists"]),
        ({"dynamic_feat": [[1.0] * 3]}, ["lists of 3 values", "must have 8", "prediction_length (5)"]),
        ({"dynamic_feat": [[1.0] * 7 + ["NaN"]]}, ["dynamic_feat[0]", "position 7"]),
    ],
)
def test_a_series_must_have_what_the_model_was_trained_with(
    rich: DeepARServant, more: dict[str, Any], words: list[str]
) -> None:
    base = {"start": "2021-01-04", "target": [1.0, 2.0, 3.0], "cat": [1, 2], "dynamic_feat": [[0.0] * 8]}
    assert ask(rich, {"instances": [base]}).status == 200
    reply = ask(rich, {"instances": [{**base, **more}]})
    assert reply.status == 400
    for word in ["instances[0]", *words]:
        assert word in reply.body.decode()


@pytest.mark.parametrize(
    "configuration",
    [
        {"num_samples": 0}, {"num_samples": 10_001}, {"num_samples": "50"}, {"num_samples": 1.5}, {"num_samples": True},
        {"output_types": []}, {"output_types": "mean"}, {"output_types": ["median"]}, {"output_types": [["mean"]]},
        {"quantiles": ["half"]}, {"quantiles": ["1.5"]}, {"quantiles": [0]}, {"quantiles": "0.5"}, {"quantiles": [None]},
        {"quantiles": ["nan"]}, {"num_sample": 5}, [], "mean", 7,
    ],
)  # fmt: skip
def test_a_bad_configuration_is_named(plain: DeepARServant, configuration: Any) -> None:
    reply = ask(plain, {"instances": [SERIES], "configuration": configuration})
    assert reply.status == 400
    name = next(iter(configuration)) if isinstance(configuration, dict) else "configuration"
    assert f"'{name}'" in reply.body.decode()


def test_a_request_that_asks_for_too_much_is_refused(
    plain: DeepARServant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servants, "MAX_VALUES", 4000)
    reply = ask(plain, {"instances": [SERIES] * 9})
    assert reply.status == 400
    assert b"send fewer series" in reply.body


def test_many_samples_of_many_series_are_drawn_in_parts(plain: DeepARServant) -> None:
    found = predictions(plain, [SERIES] * 60, num_samples=100, output_types=["mean"])
    assert len(found) == 60
    (many,) = predictions(plain, [SERIES], num_samples=10_000, output_types=["samples"])
    assert len(many["samples"]) == 10_000


def test_a_heavy_tail_stays_finite(plain: DeepARServant) -> None:
    spikes = {"start": "2021-01-04", "target": [0, 0, 0, 1e-30, 0, 0, 0]}
    huge = {"start": "2021-01-04", "target": [3e38, -3e38, 1e38]}
    for found in predictions(plain, [spikes, {**SERIES, "target": [0.0] * 30}], num_samples=1000):
        assert np.isfinite(found["mean"]).all()
    for found in predictions(plain, [huge], output_types=["mean", "samples", "quantiles"]):
        assert np.isfinite(found["samples"]).all() and np.isfinite(found["mean"]).all()


BAD_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8), st.lists(st.integers(), max_size=2)
)  # fmt: skip
BAD_INSTANCES = st.fixed_dictionaries(
    {
        "start": BAD_VALUES.filter(lambda value: not isinstance(value, str) or value[:1] not in "0123456789"),
        "target": st.just([1.0, 2.0]),
    }
) | st.fixed_dictionaries(
    {
        "start": st.just("2021-01-04"),
        "target": st.lists(
            st.text(max_size=4).filter(lambda text: text.strip().lower() != "nan"), min_size=1, max_size=4
        ),
    }
)
BAD_BODIES = st.one_of(
    st.binary(max_size=200).filter(lambda body: not body.strip().startswith(b"{")),
    st.builds(lambda value: json.dumps(value).encode(), BAD_VALUES),
    st.builds(lambda value: json.dumps({"instances": value}).encode(), BAD_VALUES),
    st.builds(lambda value: json.dumps({"instances": [SERIES, value]}).encode(), BAD_INSTANCES | BAD_VALUES),
    st.builds(lambda cut: json.dumps({"instances": [SERIES]}).encode()[:cut], st.integers(0, 80)),
    st.builds(
        lambda value: json.dumps({"instances": [SERIES], "configuration": {"num_samples": value}}).encode(),
        st.integers(max_value=0) | st.text(),
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=BAD_BODIES,
    content_type=st.sampled_from([JSON, JSONLINES, "text/csv", "application/x-recordio-protobuf"]),
)
def test_any_bad_request_has_a_message(plain: DeepARServant, body: bytes, content_type: str) -> None:
    reply = plain.answer(body, {"content-type": content_type})
    assert 400 <= reply.status < 500
    assert len(reply.body.decode()) > 20


def test_the_served_model_survives_bad_requests(tmp_path: Path) -> None:
    model(tmp_path / "model")
    good = json.dumps(
        {"instances": [SERIES], "configuration": {"num_samples": 10, "output_types": ["mean"]}}
    ).encode()
    mutate = random.Random(4)
    with containers.serving(tmp_path, "forecasting-deepar") as server:
        status, answer, content_type = server.invoke(good, JSON)
        assert (status, content_type.split(";")[0]) == (200, JSON)
        refused = 0
        for _ in range(60):
            bad = bytearray(good)
            for _ in range(mutate.randrange(1, 4)):
                bad[mutate.randrange(len(bad))] = mutate.randrange(256)
            status, body, _ = server.invoke(bytes(bad), JSON)
            assert status == 200 or (400 <= status < 500 and body), (bytes(bad), status, body)
            refused += status != 200
        assert refused > 20
        assert server.invoke(good, JSON)[1] == answer
        status, body, _ = server.request("GET", "/execution-parameters")
        assert status == 200 and json.loads(body)["BatchStrategy"] == "SINGLE_RECORD"
