"""Hosting K-Means (and PCA where that is wanted), asking for all counties, and looking one of them up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.interfaces.base import EndpointRequest
from workflows.studies import hosting
from workflows.studies.context import Context
from workflows.studies.population import data, explained, free, jobs, reduced, trained
from workflows.studies.population.components import Components
from workflows.studies.study import Result

CHUNK = 500
"""Rows per request."""
AGREEMENT = 1e-4
"""Largest difference between a hosted and an offline number: single precision."""


def endpoints(context: Context) -> dict[str, str]:
    """The algorithm of each endpoint's name, PCA first where it is hosted."""
    own = {context.run.id: jobs.KMEANS}
    return {f"{context.run.id}-{jobs.PCA}": jobs.PCA, **own} if context.value("host") == "both" else own


def in_service(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether all of the run's endpoints still answer."""
    states = [context.interface.describe_endpoint(name) for name in endpoints(context)]
    return all(state is not None and state.status == "InService" for state in states)


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoints depend on."""
    return {
        "pca": context.of("reduce")["model_sha256"],
        "kmeans": context.of("train")["model_sha256"],
        "host": context.value("host"),
        "instance_type": context.value("hosting-instance-type"),
        "image": jobs.image(context, jobs.KMEANS),
    }


def deploy(context: Context) -> Result:
    """Model, endpoint configuration and endpoint of what is hosted, until it is in service."""
    began = time.monotonic()
    sources = {jobs.PCA: "reduce", jobs.KMEANS: "train"}
    for name, algorithm in endpoints(context).items():
        request = EndpointRequest(
            name=name,
            image=jobs.image(context, algorithm),
            model_uri=context.of(sources[algorithm])["model_uri"],
            environment={},
            instance_type=str(context.value("hosting-instance-type")),
            tags=context.tags,
        )
        hosting.deploy(context, request)
    names = " and ".join(endpoints(context))
    return Result(
        outputs={"endpoints": endpoints(context)},
        summary=f"In service after {time.monotonic() - began:.1f} s: {names}.",
    )


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return deploy_inputs(context) | {
        "scaled": context.of("prepare")["scaled_sha256"],
        "segments": context.of("evaluate")["segments"],
        "county": context.of("prepare")["county"],
    }


def predict(context: Context) -> Result:
    """All counties live, compared one by one with the batch answers; then the county that was asked for, and why.

    Raises:
        WorkflowError: The hosted model answers differently from the one that was judged.
    """
    import numpy as np

    context.ledger.verify("prepare", "reduce", "train", "evaluate")
    kept = explained.read(context.work, int(context.of("reduce")["components"]))
    _, rows = free.scaled(context)
    live = np.concatenate(
        [project(context, kept.components, rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)]
    )
    offline = reduced.projected(context)
    off = float(np.abs(live - offline).max())
    if off > AGREEMENT:
        raise WorkflowError(
            f"Live projections differ from the batch ones by up to {off:.2g}. Start a new run."
        )
    answers = []
    for at in range(0, len(live), CHUNK):
        context.check()
        answers.append(nearest(context, live[at : at + CHUNK]))
        context.progress(min(at + CHUNK, len(live)), len(live), "counties")
    clusters = np.concatenate([found for found, _ in answers])
    distances = np.concatenate([found for _, found in answers])
    numbers = {one.cluster: one.number for one in kept.segments.segments}
    got = np.array([numbers.get(int(cluster), 0) for cluster in clusters])
    # On a border single precision may decide either way; the distance is the same then.
    border = kept.segments.second_distance - kept.segments.distance <= AGREEMENT
    wrong = int(((got != kept.segments.nearest) & ~border).sum())
    difference = max(off, float(np.abs(distances - kept.segments.distance).max()))
    if wrong or difference > AGREEMENT:
        raise WorkflowError(
            f"{wrong} of {len(got)} hosted answers name another segment than the batch answers (distances differ by up to "
            f"{difference:.2g}): the endpoint does not serve the model that was judged. Start a new run."
        )
    how = (
        "PCA's endpoint, then K-Means'"
        if context.value("host") == "both"
        else "PCA's artefact here, then K-Means' endpoint"
    )
    context.log(f"All {len(got)} counties are in the same segment live ({how}) as by batch transform.")
    latencies = hosting.latencies(
        context, lambda row: nearest(context, project(context, kept.components, row)), rows
    )
    answer = _look_up(context, kept, rows)
    path = context.work / "predictions.csv"
    _write(path, kept.counties.names, got.tolist(), distances.tolist())
    context.artifact("predictions", path.name, str(path), sha256(path))
    return Result(
        outputs={
            "metrics": {"agreement": difference, "latency_ms_p50": 1000 * latencies[len(latencies) // 2]},
            "county": answer.county,
            "segment": answer.segment.number,
            "predictions_sha256": sha256(path),
        },
        files=[path],
        summary=explained.sentence(answer),
    )


def project(context: Context, kept: Components, rows: Any) -> Any:
    """Rows on the common scale (n, d) in the components that are kept: by PCA's endpoint where it is hosted, else here."""
    if context.value("host") != "both":
        return kept.project(rows)
    lines = _ask(context, f"{context.run.id}-{jobs.PCA}", rows)
    return jobs.projections(lines)[:, : len(kept.singular)]


def nearest(context: Context, projected: Any) -> tuple[Any, Any]:
    """K-Means' own cluster numbers (n,) and distances (n,) by its endpoint."""
    return jobs.clusters(_ask(context, context.run.id, projected))


def _ask(context: Context, endpoint: str, rows: Any) -> list[str]:
    answer = context.interface.invoke(
        endpoint, data.csv_lines(rows).encode(), "text/csv", jobs.LINES
    ).decode()
    lines = [line for line in answer.splitlines() if line.strip()]
    if len(lines) != len(rows):
        raise WorkflowError(
            f"Endpoint {endpoint} gave {len(lines)} answers for {len(rows)} rows. Its log tells more."
        )
    return lines


def _look_up(context: Context, kept: explained.Kept, rows: Any) -> explained.Answer:
    index = kept.counties.names.index(str(context.of("prepare")["county"]))
    answer = kept.explain(index)
    projected = project(context, kept.components, rows[index : index + 1])
    clusters, _ = nearest(context, projected)
    if int(clusters[0]) not in (answer.segment.cluster, answer.second.cluster):
        raise WorkflowError(f"The endpoint puts {answer.county} into another segment. Start a new run.")
    context.table(
        context.titled(
            f"{answer.county}: segment {answer.segment.number}, {answer.segment.name}; why not segment {answer.second.number}, "
            f"{answer.second.name}"
        ),
        explained.columns(answer),
        explained.rows(answer),
    )
    order, all_distances = trained.nearest(projected, kept.centres)
    by_cluster = {one.cluster: one for one in kept.segments.segments}
    context.figure(
        context.titled(f"{answer.county}: distance to each segment"),
        "bar",
        [
            {
                "name": "distance",
                "x": [f"{by_cluster[int(one)].number} {by_cluster[int(one)].name}" for one in order[0]],
                "y": [round(float(one), 4) for one in all_distances[0]],
            }
        ],
        "segment",
        "distance",
    )
    context.log(explained.sentence(answer))
    context.log(
        f'Ask about others at any time, with no endpoint: mlconsole population county "{answer.county}" --run {context.run.id}'
    )
    if context.run.keep:
        body = json.dumps({"instances": [{"features": [round(float(one), 6) for one in projected[0]]}]})
        context.log(
            f"While it is kept, the endpoint answers with K-Means' own cluster number: mlconsole endpoints invoke {context.run.id} "
            f"-d '{body}' -a application/json"
        )
    return answer


def _write(path: Path, names: list[str], segments: list[int], distances: list[float]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["county", "segment", "distance"])
        writer.writerows(zip(names, segments, map(repr, distances), strict=True))
