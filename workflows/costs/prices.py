"""On-demand prices with their sources: a snapshot that comes with the program, and one read from AWS's Price List.

Each figure says where it comes from and whether it was read from a source or is only widely repeated. What is not known is not
guessed: a lookup answers None, and what is known about why is in `Prices.why_unknown`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from workflows import locations
from workflows.problem import Problem

HOSTING, TRAINING, TRANSFORM, SERVERLESS = "Hosting", "Training", "Transform", "Serverless"
PAGE = "https://aws.amazon.com/sagemaker/pricing/"
FORMAT = 1
FILE = "prices.json"
LOOK = 5.0
"""Seconds between two looks whether the file has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One price: US dollars per ``unit`` (hour, second, GB, GB-month) of an ``item`` (an instance type, a kind of data).

    ``read``: it was read from the source that is named; otherwise it is a value that many repeat and nobody sources.
    """

    region: str
    component: str
    item: str
    usd: float
    unit: str = "hour"
    as_of: str = ""
    source: str = ""
    read: bool = False
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What two figures for the same thing share."""
        return (self.region, self.component, self.item, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A price that is not known, and why."""

    region: str
    component: str
    item: str
    why: str


@dataclass(frozen=True)
class Prices:
    """The figures at hand. ``region`` is the one whose instance prices are in force, ``as_of`` their date; ``refreshed`` maps
    regions to the date on which AWS's Price List was read for them."""

    region: str
    as_of: str
    figures: tuple[Figure, ...]
    unknown: tuple[Unknown, ...] = ()
    refreshed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {figure.key: figure for figure in self.figures})

    def find(self, component: str, item: str, *, region: str = "", unit: str = "hour") -> Figure | None:
        """The figure of an item; None when it is not known in that region (empty: the one in force)."""
        known: dict[tuple[str, str, str, str], Figure] = self._by_key  # type: ignore[attr-defined]
        return known.get((region or self.region, component, item, unit))

    def why_unknown(self, component: str, item: str) -> str:
        """Why a price is not known, as far as that is known."""
        for one in self.unknown:
            if (one.region, one.component, one.item) == (self.region, component, item):
                return one.why
        return "it is not in the snapshot"

    def in_region(self, region: str) -> Prices:
        """The same figures with another region in force, if AWS's Price List was read for it; else unchanged."""
        chosen = region if region in self.refreshed else self.region
        as_of = self.refreshed.get(chosen, self.as_of)
        if (chosen, as_of) == (self.region, self.as_of):
            return self
        return Prices(chosen, as_of, self.figures, self.unknown, self.refreshed)


def packaged() -> Prices:
    """The snapshot that comes with the program."""
    text = resources.files("workflows.costs").joinpath("snapshot.json").read_text(encoding="utf-8")
    return from_document(json.loads(text))


def from_document(document: Mapping[str, Any]) -> Prices:
    """Prices from their JSON document.

    Raises:
        Problem: It is of another format, or damaged.
    """
    try:
        if document["format"] != FORMAT:
            raise ValueError("another format")
        sources = document["sources"]
        figures = [
            Figure(
                region=item["region"], component=component, item=item["item"], usd=float(item["usd"]),
                unit=item.get("unit", "hour"), as_of=item.get("as_of") or sources[item["source"]]["as_of"],
                source=sources[item["source"]]["text"], read=bool(sources[item["source"]]["read"]), note=item.get("note", ""),
            )
            for item in document["figures"]
            for component in item["components"]
        ]  # fmt: skip
        return Prices(
            region=str(document["region"]),
            as_of=str(document["as_of"]),
            figures=tuple(figures),
            unknown=tuple(Unknown(**item) for item in document.get("unknown") or ()),
            refreshed=dict(document.get("refreshed") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Problem(
            "The file with the prices cannot be read.",
            f"Delete {path()}, or run `mlconsole prices refresh --target aws`.",
            "prices",
        ) from error


def to_document(prices: Prices) -> dict[str, Any]:
    """The JSON document of prices; each source once."""
    sources: dict[tuple[str, bool, str], str] = {}
    figures = []
    for figure in prices.figures:
        source = sources.setdefault((figure.source, figure.read, figure.as_of), f"s{len(sources) + 1}")
        item: dict[str, Any] = {
            "region": figure.region, "components": [figure.component], "item": figure.item, "usd": figure.usd, "source": source,
        }  # fmt: skip
        if figure.unit != "hour":
            item["unit"] = figure.unit
        if figure.note:
            item["note"] = figure.note
        figures.append(item)
    return {
        "format": FORMAT,
        "as_of": prices.as_of,
        "region": prices.region,
        "refreshed": dict(prices.refreshed),
        "sources": {
            name: {"text": text, "read": read, "as_of": as_of}
            for (text, read, as_of), name in sources.items()
        },
        "figures": figures,
        "unknown": [
            {"region": one.region, "component": one.component, "item": one.item, "why": one.why}
            for one in prices.unknown
        ],
    }


def path() -> Path:
    """Where prices that were read from AWS are kept."""
    return locations.cache_dir() / FILE


def merged(base: Prices, figures: Iterable[Figure], region: str, date: str) -> Prices:
    """The base with what was read for one region on one date in place of what it had for the region."""
    fresh = {figure.key: figure for figure in figures}
    known = {figure.key for figure in fresh.values()}
    components = {figure.component for figure in fresh.values()}
    home = packaged()  # what is in force where a region was not read
    return Prices(
        region=home.region,
        as_of=home.as_of,
        figures=(
            *(one for one in base.figures if one.region != region or one.component not in components),
            *fresh.values(),
        ),
        unknown=tuple(
            one
            for one in base.unknown
            if one.region != region
            or not ({(region, one.component, one.item, unit) for unit in ("hour", "second")} & known)
        ),
        refreshed={**base.refreshed, region: date},
    )


class _Current:
    """The prices in force, read again when the file has changed. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = 0.0
        self._stamp: tuple[str, int, int] | None = None
        self._prices: Prices | None = None
        self._chosen: dict[str, Prices] = {}
        self.region = ""

    def get(self, region: str) -> Prices:
        with self._lock:
            now = time.monotonic()
            if self._prices is None or now - self._looked > LOOK:
                self._looked = now
                self._load()
            assert self._prices is not None
            if region not in self._chosen:
                self._chosen[region] = self._prices.in_region(region)
            return self._chosen[region]

    def forget(self) -> None:
        with self._lock:
            self._prices = None
            self._stamp = None
            self._chosen = {}

    def _load(self) -> None:
        file = path()
        try:
            found = file.stat()
            stamp: tuple[str, int, int] | None = (str(file), found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = None
        if self._prices is not None and stamp == self._stamp:
            return
        self._stamp, self._chosen = stamp, {}
        self._prices = packaged()
        if stamp is not None:
            try:
                self._prices = from_document(json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, Problem):
                return  # a damaged file is as good as none; `mlconsole prices ls` says so


_current = _Current()
_here: ContextVar[str | None] = ContextVar("region of prices", default=None)


def current() -> Prices:
    """The prices in force: those read from AWS where there are any, else the snapshot that comes with the program."""
    region = _here.get()
    return _current.get(_current.region if region is None else region)


def forget() -> None:
    """Read the prices anew at the next use."""
    _current.forget()


def choose(region: str) -> None:
    """Use this region's prices from now on, if AWS's Price List was read for it; else those of the snapshot's region."""
    _current.region = region


@contextmanager
def within(region: str) -> Iterator[None]:
    """This region's prices are in force inside the block, in this thread only: others look at other regions meanwhile."""
    before = _here.set(region)
    try:
        yield
    finally:
        _here.reset(before)


def basis() -> str:
    """What estimates rest on: ``us-east-1 prices of 2026-09``."""
    prices = current()
    return f"{prices.region} prices of {prices.as_of}"
