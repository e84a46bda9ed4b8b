"""Reads SageMaker's prices from AWS's Price List (GetProducts, which is answered in us-east-1 for every region)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.costs import prices
from workflows.costs.prices import HOSTING, SERVERLESS, TRAINING, TRANSFORM, Figure, Prices
from workflows.explain import explain
from workflows.files import write_atomically
from workflows.problem import Problem
from workflows.safety.changes import change

SERVICE = "AmazonSageMaker"
PRICE_REGION = "us-east-1"
SOURCE = "AWS Price List API, service AmazonSageMaker"
INSTANCES = "ML Instance"
MOST_PAGES = 500

_COMPONENTS = {
    "hosting": HOSTING, "host": HOSTING, "training": TRAINING, "train": TRAINING, "batchtransform": TRANSFORM, "tsform": TRANSFORM,
    "processing": "Processing", "notebook": "Notebook", "notebk": "Notebook", "asyncinf": HOSTING, "asyncinference": HOSTING,
    "asynchronousinference": HOSTING,
}  # fmt: skip
"""Components as the Price List and its usage types spell them; instances behind an asynchronous endpoint cost as others do."""
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What was read: the prices now in force, how many figures of which region, and what could not be used."""

    prices: Prices
    region: str
    figures: int
    products: int
    conflicts: tuple[str, ...] = ()


def refresh(client: Any, region: str, now: float) -> Refreshed:
    """Read all prices of a region and keep them for this user; what was read for other regions stays.

    Args:
        client: A boto3 ``pricing`` client of `PRICE_REGION`.
        now: Epoch seconds: the date of the prices.

    Raises:
        Problem: The Price List cannot be read, has no instance price for that region, or read-only mode forbids it.
    """
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    found: list[Figure] = []
    products = 0
    instances: list[dict[str, str]] = [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region},
        {"Type": "TERM_MATCH", "Field": "productFamily", "Value": INSTANCES},
    ]
    others = [instances[0], {"Type": "NONE_OF", "Field": "productFamily", "Value": INSTANCES}]
    for filters in (instances, others):
        for product in _products(client, filters):
            products += 1
            found += figures_of(product, region, date)
    kept, conflicts = _without_conflicts(found)
    if not any(figure.unit == "hour" for figure in kept):
        raise Problem(
            f"AWS's Price List has no instance price of SageMaker for {region}.",
            "Is the region's name right? What was known before stays in force.",
            "prices",
        )
    updated = prices.merged(prices.current(), kept, region, date)
    with change("RefreshPrices", region, {"date": date, "figures": len(kept)}):
        file = prices.path()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(prices.to_document(updated), indent=1))
        prices.forget()
    return Refreshed(
        prices=updated.in_region(region),
        region=region,
        figures=len(kept),
        products=products,
        conflicts=tuple(conflicts),
    )


def figures_of(product: Mapping[str, Any], region: str, date: str) -> Iterator[Figure]:
    """The prices of one product of the Price List that mean something here; none for reservations, free tiers and the rest."""
    attributes: Mapping[str, Any] = (product.get("product") or {}).get("attributes") or {}
    usage = str(attributes.get("usagetype") or "")
    if attributes.get("regionCode") not in (None, "", region):
        return
    for term in ((product.get("terms") or {}).get("OnDemand") or {}).values():
        for price in (term.get("priceDimensions") or {}).values():
            usd = _dollars(price)
            if not usd or str(price.get("beginRange") or "0") != "0":
                continue
            about = _classified(attributes, usage, price)
            if about is not None:
                component, item, unit = about
                yield Figure(
                    region=region, component=component, item=item, unit=unit, usd=usd, as_of=date, source=SOURCE, read=True, note=usage,
                )  # fmt: skip


def _classified(
    attributes: Mapping[str, Any], usage: str, price: Mapping[str, Any]
) -> tuple[str, str, str] | None:
    """Component, item and unit of a price; None for what estimates have no use for."""
    unit = str(price.get("unit") or "").lower()
    described = f"{usage} {price.get('description') or ''}".lower()
    name = str(attributes.get("instanceName") or attributes.get("instanceType") or "")
    if not _INSTANCE.fullmatch(name):
        match = _INSTANCE.search(usage)
        name = match.group() if match else ""
    if name and unit.startswith(("hr", "hour")):
        component = _component(attributes, usage)
        return (component, name, "hour") if component else None
    if "serverless" in described:
        if unit.startswith("sec"):
            memory = str(attributes.get("memory") or attributes.get("memorySize") or "").strip()
            item = "provisioned concurrency" if "provision" in described else "memory"
            return (SERVERLESS, f"{item} {memory}".strip() if memory else f"{item} {usage}", "second")
        if unit == "gb":
            return ("Data", f"serverless {_direction(described)}", "GB")
        return None
    if unit == "gb" and "endpoint" in described:
        return ("Data", f"endpoint {_direction(described)}", "GB")
    if unit.startswith("gb-mo") and ("endpoint" in described or "host" in described):
        return ("Volume", "endpoint storage", "GB-month")
    return None


def _component(attributes: Mapping[str, Any], usage: str) -> str | None:
    spelled = re.sub(r"[^a-z]", "", str(attributes.get("component") or "").lower())
    if spelled in _COMPONENTS:
        return _COMPONENTS[spelled]
    if spelled:
        return None  # Studio, warm pools, clusters: other prices than those of jobs and endpoints
    kind = usage.partition(":")[0].rpartition("-")[2]
    return _COMPONENTS.get(kind.lower())


def _direction(described: str) -> str:
    return "response" if "out" in described.split("-") or " out" in described else "request"


def _dollars(price: Mapping[str, Any]) -> float:
    try:
        return float((price.get("pricePerUnit") or {}).get("USD") or 0.0)
    except (TypeError, ValueError):
        return 0.0


def _without_conflicts(found: Iterable[Figure]) -> tuple[list[Figure], list[str]]:
    """One figure per thing. Where the list has two prices for one thing neither is taken: which one holds is not known."""
    by_key: dict[tuple[str, str, str, str], list[Figure]] = {}
    for figure in found:
        by_key.setdefault(figure.key, []).append(figure)
    kept, conflicts = [], []
    for (_, component, item, _), figures in by_key.items():
        amounts = sorted({figure.usd for figure in figures})
        if len(amounts) == 1:
            kept.append(figures[0])
        else:
            listed = ", ".join(f"{amount:g}" for amount in amounts)
            conflicts.append(f"{component} {item}: {listed}")
    return kept, conflicts


def _products(client: Any, filters: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {
        "ServiceCode": SERVICE,
        "Filters": filters,
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
    }
    for _ in range(MOST_PAGES):
        try:
            page = client.get_products(**asked)
        except Exception as error:
            problem = explain(error, "aws")
            raise Problem(
                f"AWS's Price List cannot be read: {problem.sentence}",
                "It needs the right pricing:GetProducts. The prices known so far stay in force.",
                problem.code,
            ) from error
        for text in page.get("PriceList") or ():
            try:
                yield json.loads(text) if isinstance(text, str) else text
            except ValueError as error:
                raise Problem(
                    "AWS's Price List holds something that is no JSON.",
                    "The prices known so far stay in force.",
                    "prices",
                ) from error
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]
