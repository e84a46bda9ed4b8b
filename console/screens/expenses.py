"""What is up costs: estimates per hour, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from console.formatting import count
from workflows import costs
from workflows.costs import Hourly

if TYPE_CHECKING:
    from workflows.observe.rows import EndpointRow, JobRow


def of_job(row: JobRow) -> Hourly:
    """What a running job costs an hour."""
    use = costs.TRANSFORM if row.kind == "transform" else costs.TRAINING
    return costs.hourly([(row.instance_type, row.instance_count or 1)] if row.active else [], use)


def of_endpoint(row: EndpointRow) -> Hourly:
    """What an endpoint costs an hour while it exists."""
    return costs.hourly(row.instances if row.paid else [])


def sentence(jobs: Iterable[JobRow], endpoints: Iterable[EndpointRow], *, target: str, region: str) -> str:
    """What all that is up costs an hour; empty when nothing is."""
    running = [row for row in jobs if row.active]
    hosted = [row for row in endpoints if row.paid]
    if not running and not hosted:
        return ""
    for_jobs = sum((of_job(row) for row in running), Hourly())
    for_endpoints = sum((of_endpoint(row) for row in hosted), Hourly())
    total = for_jobs + for_endpoints
    unseen = sum(1 for row in running if not row.instance_type) + sum(
        1 for row in hosted if not row.instances and not row.serverless
    )
    if unseen == len(running) + len(hosted) and not total:
        things = [count(len(hosted), "endpoint")] if hosted else []
        things += [count(len(running), "running job")] if running else []
        cost = f"the cost of {' and '.join(things)} is not known yet."
        return f"T{cost[1:]}" if target == "aws" else f"Free here; on AWS {cost}"
    parts = []
    if hosted:
        parts.append(f"{count(len(hosted), 'endpoint')} {for_endpoints or 'not known yet'}")
    if running:
        parts.append(f"{count(len(running), 'running job')} {for_jobs or 'not known yet'}")
    elsewhere = f"; {region} differs" if target == "aws" and region not in ("", costs.REGION) else ""
    basis = f"(estimate, {costs.REGION} prices of {costs.DATE}{elsewhere})"
    if total.dollars:
        amount = f"about ${total.dollars:,.3f}/h {basis}"
    else:
        amount = (
            "an amount that is not known yet" if not total.unknown else "an amount that is not known here"
        )
    opening = f"Costs {amount}" if target == "aws" else f"Free here; on AWS it would cost {amount}"
    text = f"{opening}: {', '.join(parts)}."
    if total.unknown:
        text += f" Without {', '.join(total.unknown)}: no price is known here, see {costs.SOURCE}"
    if unseen:
        text += f" Without {count(unseen, 'resource')} whose instances are not known yet."
    return text
