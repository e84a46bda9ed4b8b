"""Several targets as they answer: one well, one in part, one whose session has expired, one that is denied."""

from __future__ import annotations

from workflows.costs.estimates import Hourly
from workflows.problem import Problem
from workflows.targets.entries import Entry
from workflows.targets.glance import EndpointTally, Glance, Tally

EMBEDDED = Entry("embedded")
RESEARCH = Entry("aws", "research")
PROD = Entry("aws", "prod", "us-east-1")
LONDON = Entry("aws", "prod", "eu-west-2")
ENTRIES = (EMBEDDED, RESEARCH, PROD, LONDON)
EXPIRED = Problem("The AWS credentials have expired.", "Run `aws sso login --profile research`, or get new keys.", "ExpiredTokenException")  # fmt: skip
BASIS = "us-east-1 prices of 2026-09"


def glances(at: float) -> dict[Entry, Glance]:
    """What each of the targets answers."""
    denied = "Transform jobs are not known: You are not allowed to call sagemaker:ListTransformJobs. Ask for a policy that allows sagemaker:ListTransformJobs for your role or user."  # fmt: skip
    found = (
        Glance(entry=EMBEDDED, at=at, account="439406257577", region="us-east-1", training=Tally(1), tuning=Tally(0), transform=Tally(2),
               endpoints=EndpointTally(2, 1, 0), hourly=Hourly(0.345), basis=BASIS),
        Glance(entry=RESEARCH, at=at, problem=EXPIRED),
        Glance(entry=PROD, at=at, account="123456789012", region="us-east-1", training=Tally(100, True), tuning=Tally(4), transform=Tally(0),
               endpoints=EndpointTally(31, 1, 2), hourly=Hourly(48.2), at_least=True, basis=BASIS),
        Glance(entry=LONDON, at=at, account="123456789012", region="eu-west-2", training=Tally(0), tuning=Tally(0),
               endpoints=EndpointTally(), hourly=Hourly(), basis=BASIS, notes=(denied,)),
    )  # fmt: skip
    return {glance.entry: glance for glance in found}
