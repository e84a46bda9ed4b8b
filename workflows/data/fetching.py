"""Fetches a data set from its publisher into the cache."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable
from pathlib import PurePosixPath

from workflows import locations
from workflows.data.dataset import Dataset
from workflows.data.download import TIMEOUT, Progress, download
from workflows.data.findings import Finding
from workflows.data.installing import Refused, install
from workflows.data.place import Located, locate
from workflows.problem import Problem
from workflows.safety.changes import change

GONE = {"http-401", "http-403", "http-404", "http-410", "unreachable", "size"}
"""Failures after which a person can get the file by hand."""


def fetch(
    dataset: Dataset,
    *,
    url: str = "",
    progress: Progress = lambda done, total: None,
    sleep: Callable[[float], None] = time.sleep,
    timeout: float = TIMEOUT,
) -> tuple[Located, list[Finding]]:
    """Downloads, checks and unpacks a data set; the second value are the warnings and notes of the check.

    ``url`` is another place that has the same file: size and checksum must be the same.

    Raises:
        Problem: It cannot be had from there; the remedy has the steps by hand. What has come is kept and gone on with.
    """
    origin = dataset.origin
    address = url or origin.url
    if not address:
        raise Problem(
            f"The data set {dataset.name} cannot be fetched: {dataset.why_none or 'it is generated in each run.'}",
            by_hand(dataset) if dataset.stand_in == "none" else "Nothing has to be done.",
            "no-address",
        )
    with change("FetchDataset", dataset.name, {"from": address}):
        name = PurePosixPath(urllib.parse.urlsplit(address).path).name or dataset.name
        target = locations.fetched_dir() / ".downloads" / dataset.name / name
        try:
            download(
                address,
                target,
                size=origin.size,
                md5=origin.md5,
                sha256=origin.sha256,
                progress=progress,
                sleep=sleep,
                timeout=timeout,
            )
        except Problem as problem:
            if problem.code not in GONE:
                raise
            raise Problem(
                problem.sentence, f"{problem.remedy} By hand: {by_hand(dataset)}", problem.code
            ) from problem
        try:
            findings = install(dataset, target, locations.fetched_dir() / dataset.name, address)
        except Refused as refused:
            target.unlink(missing_ok=True)
            refused.remedy = f"The publisher's file has changed or is damaged; it was not kept. By hand: {by_hand(dataset)}"
            raise
        target.unlink(missing_ok=True)
        return locate(dataset.name, source="cache"), findings


def by_hand(dataset: Dataset) -> str:
    """The steps by which a person gets the data set without `fetch`."""
    return f"{' '.join(dataset.origin.manual)} Then: mlconsole data import {dataset.name} FILE."
