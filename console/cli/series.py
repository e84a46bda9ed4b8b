"""Prints metrics: a line per series with a small chart, or every point."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from console.cli.output import print_json, print_table
from console.formatting import clock, number

if TYPE_CHECKING:
    from workflows.observe.rows import SeriesData

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 32


def print_series(series: Sequence[SeriesData], *, points: bool, as_json: bool, empty: str) -> None:
    """Print series as JSON, as points or as a table."""
    if as_json:
        print_json(series)
        return
    if points:
        for item in series:
            for at, value in item.points:
                click.echo(
                    "\t".join([clock(at), item.variant, item.name, json.dumps(value)]).replace("\t\t", "\t")
                )
        return
    variants = any(item.variant for item in series)
    print_table(
        [*(["VARIANT"] if variants else []), "METRIC", "LAST", "LEAST", "MOST", "POINTS", "COURSE"],
        [
            [
                *([item.variant] if variants else []),
                item.name,
                "NaN" if item.last is not None and math.isnan(item.last) else number(item.last),
                number(min(_finite(item), default=None)),
                number(max(_finite(item), default=None)),
                str(len(item.points)),
                spark(_finite(item)),
            ]
            for item in series
            if item.points
        ],
        empty=empty,
    )


def _finite(item: SeriesData) -> list[float]:
    return [value for _, value in item.points if math.isfinite(value)]


def spark(values: Sequence[float], width: int = WIDTH) -> str:
    """A course in one line: each of at most ``width`` cells is the mean of its share of the values."""
    if not values:
        return ""
    count = min(width, len(values))
    means = []
    for index in range(count):
        share = values[index * len(values) // count : (index + 1) * len(values) // count]
        means.append(sum(share) / len(share))
    least, most = min(means), max(means)
    if most == least:
        return BARS[3] * count
    return "".join(BARS[round((mean - least) / (most - least) * (len(BARS) - 1))] for mean in means)
