"""What a replay would cost on AWS, and that nobody starts one there without having been told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows import costs
from workflows.observe import endpoints
from workflows.problem import Problem

if TYPE_CHECKING:
    from workflows.observe.gateway import Gateway
    from workflows.traffic.plan import Plan

PER_GB_SECOND = 0.00002
"""US dollars per second of a serverless endpoint's request and GB of its memory, in `costs.REGION`."""
PER_GB = 0.016
"""US dollars per GB that goes into or comes out of an endpoint, in `costs.REGION`."""
TYPICAL = 0.2
"""Seconds that a request is taken to last on a serverless endpoint, for want of knowledge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An estimate of a replay's costs on AWS.

    Args:
        requests: How many requests it sends at most; None: only the time limits it.
        seconds: How long it takes; None: that depends on the answers.
        sentences: What it will cost, to be shown before it is agreed to.
        dollars: The sum as far as prices and requests are known.
        confirmation: What `Replay` wants to be given; it fits this endpoint and this plan only.
    """

    endpoint: str
    requests: int | None
    seconds: float | None
    sentences: tuple[str, ...]
    dollars: float | None
    confirmation: str


def of(gateway: Gateway, endpoint: str, plan: Plan, *, payload_bytes: float = 0.0) -> Bill:
    """What a plan would cost at an endpoint.

    Args:
        payload_bytes: The mean size of a request's body.

    Raises:
        Problem: There is no such endpoint, or the plan has no end.
    """
    _bounded(plan)
    found = endpoints.describe(gateway, endpoint)
    requests, seconds = plan.expected, plan.seconds
    count = f"{requests:,} requests" if requests is not None else "an unknown number of requests"
    sentences = [f"Replay {count} at {gateway.target} endpoint {endpoint} ({gateway.region}): {plan}."]
    dollars: float | None = 0.0
    memory = _serverless_memory(found.raw_config)
    if memory:
        price = PER_GB_SECOND * memory / 1024
        dollars = price * TYPICAL * requests if requests is not None else None
        total = f": {count} of {TYPICAL:g} s each are {_money(dollars)}" if dollars is not None else ""
        sentences.append(
            f"It is serverless with {memory:,} MB: each second of a request costs ${price:.6f}{total}."
        )
    else:
        hourly = costs.hourly(found.instances)
        dollars = hourly.dollars * seconds / 3600 if seconds is not None and not hourly.unknown else None
        kinds = " and ".join(f"{count} × {kind}" for kind, count in found.instances)
        share = (
            f"; the {seconds:g} s of the replay are {_money(dollars)} of it" if dollars is not None else ""
        )
        sentences.append(
            f"Its instances ({kinds}) cost {hourly}, with requests or without{share}. Auto scaling may add instances."
        )
    if requests is not None and payload_bytes:
        data = PER_GB * requests * payload_bytes / 1e9
        dollars = None if dollars is None else dollars + data
        sentences.append(f"Data in: {_money(data)} at ${PER_GB:g} per GB; answers cost the same per GB.")
    sentences.append(
        f"Estimates from {costs.REGION} prices of {costs.DATE}: {costs.SOURCE}. Requests appear in the endpoint's "
        "metrics and captured data."
    )
    return Bill(
        endpoint=endpoint,
        requests=requests,
        seconds=seconds,
        sentences=tuple(sentences),
        dollars=dollars,
        confirmation=confirmation(gateway, endpoint, plan),
    )


def confirmation(gateway: Gateway, endpoint: str, plan: Plan) -> str:
    """A text that stands for one plan at one endpoint of one account and region."""
    told = [gateway.target, gateway.account, gateway.region, endpoint, plan.as_dict()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def demand(gateway: Gateway, endpoint: str, plan: Plan, confirmed: str) -> None:
    """Let pass what costs nothing, and what somebody has agreed to.

    Raises:
        Problem: The target is not this machine, and ``confirmed`` is not this plan's confirmation, or the plan has no end.
    """
    if gateway.target == "embedded":
        return
    _bounded(plan)
    if confirmed != confirmation(gateway, endpoint, plan):
        raise Problem(
            f"Replaying requests at the AWS endpoint {endpoint} costs money, and nobody has agreed to it.",
            "Look at the estimate and confirm it: `mlconsole traffic run` asks, or takes --yes.",
            "unconfirmed",
        )


def _bounded(plan: Plan) -> None:
    if any(step.requests is None and (step.rate is None or step.seconds is None) for step in plan.steps):
        raise Problem(
            "How many requests this plan sends is not known, so nobody can say what it costs.",
            "Give --rate with --for, or --requests.",
            "plan",
        )


def _serverless_memory(config: Any) -> int:
    """MB of a serverless configuration; 0 for one with instances."""
    for variant in config.get("ProductionVariants") or ():
        serverless = variant.get("ServerlessConfig") or {}
        if serverless.get("MemorySizeInMB"):
            return int(serverless["MemorySizeInMB"])
    return 0


def _money(dollars: float | None) -> str:
    if dollars is None:
        return "an unknown amount"
    return "less than $0.01" if dollars < 0.01 else f"${dollars:,.2f}"
