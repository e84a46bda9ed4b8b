"""Prices: the snapshot's honesty, and reading them from a scripted Price List."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from workflows import costs
from workflows.costs import prices
from workflows.costs.prices import Figure, Prices
from workflows.costs.refresh import INSTANCES, refresh
from workflows.problem import Problem

NOW = 1_790_000_000.0
"""2026-09-21."""


@pytest.fixture(autouse=True)
def _own_prices(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLCONSOLE_CACHE_DIR", str(tmp_path / "cache"))
    prices.forget()
    prices.choose("")
    yield
    prices.choose("")
    prices.forget()


def product(
    usage: str,
    usd: str,
    *,
    unit: str = "Hrs",
    component: str = "",
    instance: str = "",
    region: str = "eu-west-1",
    begin: str = "0",
    **more: str,
) -> str:
    """An entry as GetProducts answers it: a JSON text."""
    attributes = {"regionCode": region, "usagetype": usage, "servicecode": "AmazonSageMaker"} | more
    if component:
        attributes["component"] = component
    if instance:
        attributes["instanceName"] = instance
    price = {
        "unit": unit,
        "beginRange": begin,
        "endRange": "Inf",
        "description": f"${usd} per {usage}",
        "pricePerUnit": {"USD": usd},
    }
    return json.dumps(
        {
            "product": {"productFamily": INSTANCES, "attributes": attributes, "sku": "X"},
            "serviceCode": "AmazonSageMaker",
            "terms": {"OnDemand": {"X.T": {"priceDimensions": {"X.T.1": price}}}},
        }
    )


PAGES = (
    [
        product("EU-Host:ml.m5.xlarge", "0.2570000000", component="Hosting", instance="ml.m5.xlarge"),
        product("EU-Train:ml.m5.xlarge", "0.2580000000", component="Training", instance="ml.m5.xlarge"),
        product("EU-Host:ml.g5.xlarge", "1.5700000000"),
    ],
    [
        product(
            "EU-Tsform:ml.m5.xlarge", "0.2590000000", component="Batch Transform", instance="ml.m5.xlarge"
        ),
        product("EU-Studio:ml.m5.xlarge", "0.9", component="Studio-Notebook", instance="ml.m5.xlarge"),
        product("EU-Host:ml.t2.medium", "0.0000000000", component="Hosting", instance="ml.t2.medium"),
        product("EU-Host:ml.c5.large", "0.10", component="Hosting", instance="ml.c5.large"),
        product("EU-Host:ml.c5.large-b", "0.11", component="Hosting", instance="ml.c5.large"),
        product(
            "USE1-Host:ml.m5.large", "9", component="Hosting", instance="ml.m5.large", region="us-east-1"
        ),
    ],
)
OTHERS = [
    product("EU-ServerlessInf:Mem-2GB", "0.0000440000", unit="Seconds", memorySize="2048 MB"),
    product("EU-Serverless-ProvisionedConcurrency:2GB", "0.0000110", unit="Seconds", memorySize="2048 MB"),
    product("EU-ServerlessInf-Data-In", "0.016", unit="GB"),
    product("EU-Host:Endpoint-Volume", "0.154", unit="GB-Mo"),
    product("EU-FeatureStore:Reads", "0.1", unit="RequestUnits"),
]


def stubbed(*answers: list[str]) -> Any:
    """A pricing client that checks requests against AWS's model and answers these pages."""
    client = boto3.client(
        "pricing", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stub = Stubber(client)
    region = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"}
    asked: dict[str, Any] = {"ServiceCode": "AmazonSageMaker", "FormatVersion": "aws_v1", "MaxResults": 100}
    first = {
        **asked,
        "Filters": [region, {"Type": "TERM_MATCH", "Field": "productFamily", "Value": INSTANCES}],
    }
    second = {**asked, "Filters": [region, {"Type": "NONE_OF", "Field": "productFamily", "Value": INSTANCES}]}
    stub.add_response("get_products", {"PriceList": answers[0], "NextToken": "2"}, first)
    stub.add_response("get_products", {"PriceList": answers[1]}, {**first, "NextToken": "2"})
    stub.add_response("get_products", {"PriceList": answers[2]}, second)
    stub.activate()
    return client


def test_the_price_list_is_paged_classified_and_kept(tmp_path: Any) -> None:
    found = refresh(stubbed(*PAGES, OTHERS), "eu-west-1", NOW)
    assert found.conflicts == ("Hosting ml.c5.large: 0.1, 0.11",)
    assert prices.path().exists() and found.products == 14
    prices.choose("eu-west-1")
    assert (costs.REGION, costs.DATE) == ("eu-west-1", "2026-09-21")
    assert costs.per_hour("ml.m5.xlarge") == 0.257
    assert costs.per_hour("ml.m5.xlarge", costs.TRAINING) == 0.258
    assert costs.per_hour("ml.m5.xlarge", costs.TRANSFORM) == 0.259
    assert costs.per_hour("ml.g5.xlarge") == 1.57  # known by its usage type alone
    assert costs.per_hour("ml.c5.large") is None  # the list has two prices for it
    assert costs.per_hour("ml.t2.medium") is None  # a free tier is no price
    known = prices.current()
    second = known.find("Serverless", "memory 2048 MB", unit="second")
    assert second is not None and second.usd == 0.000044 and second.read
    warm = known.find("Serverless", "provisioned concurrency 2048 MB", unit="second")
    assert warm is not None and warm.usd == 0.000011
    assert known.find("Volume", "endpoint storage", unit="GB-month") is not None
    figure = known.find("Hosting", "ml.m5.xlarge")
    assert figure is not None and figure.read and figure.note == "EU-Host:ml.m5.xlarge"
    # other regions keep what they had, and are told as what they are
    prices.choose("us-east-1")
    assert (costs.REGION, costs.per_hour("ml.m5.xlarge")) == ("us-east-1", 0.23)
    prices.choose("ap-south-1")
    assert costs.REGION == "us-east-1"


def test_a_list_that_cannot_be_read_changes_nothing() -> None:
    client = boto3.client(
        "pricing", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stub = Stubber(client)
    stub.add_client_error("get_products", "AccessDeniedException", "no")
    stub.activate()
    with pytest.raises(Problem, match="cannot be read") as denied:
        refresh(client, "eu-west-1", NOW)
    assert "pricing:GetProducts" in denied.value.remedy and not prices.path().exists()
    with pytest.raises(Problem, match="no instance price"):
        refresh(stubbed([], [], []), "eu-west-1", NOW)
    with pytest.raises(Problem, match="no JSON"):
        refresh(stubbed(["{"], [], []), "eu-west-1", NOW)
    assert not prices.path().exists() and costs.per_hour("ml.m5.xlarge") == 0.23


def test_a_damaged_file_is_as_good_as_none() -> None:
    prices.path().parent.mkdir(parents=True)
    prices.path().write_text('{"format": 1}')
    assert costs.per_hour("ml.m5.xlarge") == 0.23
    with pytest.raises(Problem, match="cannot be read"):
        prices.from_document({"format": 2})


def test_the_snapshot_says_which_figures_were_read_and_which_are_only_repeated() -> None:
    known = prices.packaged()
    read = {one.key for one in known.figures if one.read}
    assert ("us-east-1", "Hosting", "ml.m5.xlarge", "hour") in read
    assert ("us-east-1", "Hosting", "ml.m5.2xlarge", "hour") in read
    repeated = {one.item for one in known.figures if not one.read}
    assert {"ml.m5.4xlarge", "ml.c5.large", "ml.g4dn.xlarge", "ml.p3.2xlarge", "ml.t2.medium"} <= repeated
    assert all(one.source and one.as_of for one in known.figures)
    assert len({one.key for one in known.figures}) == len(known.figures)
    assert costs.per_hour("ml.g5.xlarge") is None
    assert "disagree" in known.why_unknown("Hosting", "ml.g5.xlarge")
    assert not any(one.component == "Serverless" for one in known.figures)


figures = st.builds(
    Figure,
    region=st.sampled_from(["us-east-1", "eu-west-1"]),
    component=st.sampled_from(["Hosting", "Training"]),
    item=st.sampled_from(["ml.m5.large", "ml.m5.xlarge"]),
    usd=st.floats(0.001, 100),
    unit=st.sampled_from(["hour", "second"]),
    as_of=st.sampled_from(["2026-09", "2025-01-02"]),
    source=st.sampled_from(["a", "b"]),
    read=st.booleans(),
)


@given(st.lists(figures, unique_by=lambda one: one.key), st.lists(figures, unique_by=lambda one: one.key))
def test_documents_and_merges_lose_nothing(known: list[Figure], fresh: list[Figure]) -> None:
    fresh = [one for one in fresh if one.region == "eu-west-1"]
    before = Prices("us-east-1", "2026-09", tuple(known))
    assert prices.from_document(prices.to_document(before)).figures == before.figures
    after = prices.merged(before, fresh, "eu-west-1", "2026-10-01")
    assert {one for one in after.figures if one.region == "us-east-1"} == {
        one for one in known if one.region == "us-east-1"
    }
    assert all(after.find(one.component, one.item, region=one.region, unit=one.unit) == one for one in fresh)
    assert after.in_region("eu-west-1").as_of == "2026-10-01"
