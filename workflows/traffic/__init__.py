"""Replays requests at an endpoint at a planned rate, and measures what comes back. Importing it is cheap."""

from workflows.traffic.histogram import Histogram
from workflows.traffic.payload import Answer, Payload
from workflows.traffic.plan import Plan, Step
from workflows.traffic.replay import Replay, replay
from workflows.traffic.summary import Summary

__all__ = ["Answer", "Histogram", "Payload", "Plan", "Replay", "Step", "Summary", "replay"]
