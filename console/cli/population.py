"""``mlconsole population``: segments of finished runs, and counties in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.options import Nouns, json_option

if TYPE_CHECKING:
    from workflows.runs import Run

run_option = click.option(
    "--run",
    "name",
    default="",
    metavar="RUN",
    help="The run, or last; else the newest on real data that has segments, or the newest.",
)


@click.group(cls=Nouns)
def population() -> None:
    """Segments that runs of the population study found."""


@population.command()
@click.argument("county")
@run_option
@json_option
def county(county: str, name: str, as_json: bool) -> None:
    """Tell which segment a county is in, and why.

    COUNTY is "Los Angeles, California", "los angeles, CA", or the name alone where one state has it. A misspelt one is understood
    where it is clear. No endpoint is needed: the files of the run answer.
    """
    from console.cli.output import print_json, print_table, prose
    from workflows.studies.population import explained, finished

    run = finished.find(name)
    answer = finished.look_up(run, county)
    made_up = finished.synthetic(run)
    if as_json:
        print_json(
            {
                "run": run.id,
                "synthetic": made_up,
                "county": answer.county,
                "segment": {"number": answer.segment.number, "name": answer.segment.name},
                "distance": answer.distance,
                "second": {"number": answer.second.number, "name": answer.second.name},
                "second_distance": answer.second_distance,
                "reasons": answer.reasons,
            }
        )
        return
    click.echo(prose(f"{'[SYNTHETIC data] ' if made_up else ''}{explained.sentence(answer)}"))
    click.echo()
    rows = [[_cell(cell) for cell in row] for row in explained.rows(answer)]
    print_table([head.upper() for head in explained.columns(answer)], rows)
    _signed(run, name)


@population.command()
@click.argument("segment", type=int, required=False)
@run_option
@json_option
def segments(segment: int | None, name: str, as_json: bool) -> None:
    """List the segments of a run; with the number of one, its counties, the most typical first."""
    from console.cli.output import print_json, print_table
    from workflows.studies.population import finished

    run = finished.find(name)
    kept = finished.read(run)
    made_up = finished.synthetic(run)
    if segment is not None:
        counties = finished.members(kept, segment)
        if as_json:
            print_json({"run": run.id, "synthetic": made_up, "segment": segment, "counties": counties})
            return
        for county in counties:
            click.echo(county)
        _signed(run, name)
        return
    if as_json:
        print_json({"run": run.id, "synthetic": made_up, "segments": kept.segments.segments})
        return
    total = len(kept.counties)
    print_table(
        ["SEGMENT", "NAME", "COUNTIES", "SHARE", "CLUSTER", "CARRIES ON"],
        [
            [str(one.number), one.name, str(one.size), f"{one.size / total:.1%}", str(one.cluster),
             f"{one.earlier} ({one.overlap:.0%} in common)" if one.earlier else "-"]
            for one in kept.segments.segments
        ],
    )  # fmt: skip
    _signed(run, name)


def _signed(run: Run, name: str) -> None:
    """Which run answered, on what data; and which newer one it was preferred to."""
    from workflows.studies.population import finished

    made_up = finished.synthetic(run)
    click.echo(f"Run {run.id}{', SYNTHETIC data' if made_up else ''}", err=True)
    newer = finished.passed_over(run, name)
    if newer is not None:
        click.echo(
            f"It is the newest on real data; the counties of the newer {newer.id} are made up: --run {newer.id} or --run last asks it.",
            err=True,
        )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
