"""``mlconsole data``: the data sets of the studies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.completing import datasets
from console.cli.options import Nouns, Settings, json_option, yes_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.data.dataset import Dataset
    from workflows.data.findings import Finding
    from workflows.data.place import Located


@click.group(cls=Nouns)
def data() -> None:
    """Data sets of the studies: list, show, fetch, import, check, remove."""


@data.command("ls")
@json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the data sets, and which copy of each a study would use now."""
    from console.cli.output import print_json, print_table, styled
    from workflows.data.catalog import DATASETS

    configuration = Settings.of(ctx).configuration
    places = [(dataset, _present(dataset, configuration)) for dataset in DATASETS]
    if as_json:
        print_json([_summary(dataset, source) for dataset, source in places])
        return
    print_table(
        ["NAME", "USED", "STUDY", "WHAT"],
        [
            [
                dataset.name,
                styled(
                    _word(source), "ok" if source in ("imported", "folder", "cache", "generated") else "wait"
                ),
                dataset.study or "lessons",
                dataset.title,
            ]
            for dataset, source in places
        ],
    )
    if any(source == "synthetic" for _, source in places):
        click.echo("Synthetic data is made up; `mlconsole data fetch NAME` gets the real data.", err=True)


@data.command()
@click.argument("name", shell_complete=datasets)
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a data set: licence, where it comes from, where it is looked for, its columns."""
    from console.cli.output import heading, print_json, print_pairs, print_table, prose
    from workflows.data.catalog import find
    from workflows.data.fetching import by_hand
    from workflows.data.place import folders, locate, parts_in
    from workflows.problem import Problem

    dataset, configuration = find(name), Settings.of(ctx).configuration
    try:
        located: Located | None = locate(name, configuration)
    except Problem as problem:
        if problem.code != "no-data":
            raise
        located = None
    places = [
        (source, folder, parts_in(dataset, folder) is not None)
        for source, folder in folders(dataset, configuration)
    ]
    if as_json:
        print_json(
            {
                **_summary(dataset, located.source if located else ""),
                "about": dataset.about,
                "origin": dataset.origin,
                "columns": dataset.columns,
                "located": located.as_dict() if located else None,
                "places": [
                    {"source": source, "folder": folder, "there": there} for source, folder, there in places
                ],
            }
        )
        return
    click.echo(prose(f"{dataset.title}. {dataset.about}"))
    click.echo()
    print_pairs(
        [
            ("study", dataset.study or "lessons"),
            ("rows", f"{dataset.rows:,}"),
            ("licence", dataset.licence),
            ("page", dataset.origin.page),
            ("original", dataset.origin.url),
            ("size", f"{dataset.origin.size:,} bytes" if dataset.origin.size else ""),
            ("md5", dataset.origin.md5),
            ("sha256", dataset.origin.sha256),
            ("used", _word(located.source) if located else "nothing"),
            ("sha256", located.sha256 if located else ""),
        ]
    )
    click.echo()
    click.echo(prose(located.note if located else f"It is not on this machine. {dataset.why_none}"))
    if dataset.stand_in != "generated":
        heading("By hand")
        click.echo(prose(by_hand(dataset)))
    heading("Where it is looked for")
    print_table(
        ["SOURCE", "THERE", "FOLDER"],
        [
            *([_word(source), "yes" if there else "no", str(folder)] for source, folder, there in places),
            *([[dataset.stand_in, "always", "made when it is needed"]] if dataset.stand_in != "none" else []),
        ],
    )
    heading("Columns")
    print_table(
        ["COLUMN", "TYPE", "FROM", "TO", "MAY LACK", "WHAT"],
        [
            [
                column.name + (" (label)" if column.name == dataset.label else ""),
                column.kind,
                "" if column.least is None else f"{column.least:,g}",
                "" if column.most is None else f"{column.most:,g}",
                "any" if column.missing is None else (str(column.missing) if column.missing else ""),
                column.about or ", ".join(column.choices),
            ]
            for column in dataset.columns
        ],
    )


@data.command()
@click.argument("name", shell_complete=datasets)
@click.option("--url", default="", metavar="URL", help="Another place that has the same file.")
@yes_option
@json_option
def fetch(name: str, url: str, yes: bool, as_json: bool) -> None:
    """Fetch a data set from its publisher; an interrupted download goes on where it was. --yes accepts the licence."""
    from console.cli.asking import confirm
    from console.cli.download import Meter
    from workflows.data.catalog import find
    from workflows.data.fetching import fetch as get

    dataset = find(name)
    if dataset.origin.url or url:
        size = f", {dataset.origin.size / 1e6:,.1f} MB" if dataset.origin.size else ""
        click.echo(
            f"{dataset.title}\nLicence: {dataset.licence}\nFrom:    {url or dataset.origin.url}{size}",
            err=True,
        )
        confirm(["You accept the licence by fetching the data."], yes=yes)
    with Meter() as meter:
        located, findings = get(dataset, url=url, progress=meter)
    _told(located, findings, as_json)


@data.command("import")
@click.argument("name", shell_complete=datasets)
@click.argument("file", type=click.Path(path_type=Path))
@yes_option
@json_option
def import_(name: str, file: Path, yes: bool, as_json: bool) -> None:
    """Use your own file, archive or folder as a data set, after a check against its schema. Studies prefer it from then on."""
    from console.cli.asking import confirm
    from workflows.data.catalog import find
    from workflows.data.installing import Refused, import_file
    from workflows.data.place import folders, provenance

    dataset = find(name)
    earlier = folders(dataset)[0][1]
    if earlier.is_dir():
        confirm(
            [f"This replaces what you imported from {provenance(earlier).get('from', 'a file')}."], yes=yes
        )
    try:
        located, findings = import_file(dataset, file)
    except Refused as refused:
        _refused(refused, as_json)
        click.get_current_context().exit(1)
    _told(located, findings, as_json)


@data.command()
@click.argument("what", metavar="NAME|FILE")
@click.option("--as", "dataset_name", default="", metavar="NAME", help="The data set that a file should be.")
@json_option
@click.pass_context
def check(ctx: click.Context, what: str, dataset_name: str, as_json: bool) -> None:
    """Check the copy of a data set that is used, or a file or folder. Ends with 1 when there is an error."""
    from console.cli.output import print_json, prose, styled
    from workflows.data.catalog import DATASETS, find
    from workflows.data.checking import check as look
    from workflows.data.checking import guess
    from workflows.data.findings import errors
    from workflows.data.place import locate
    from workflows.problem import Problem

    note = ""
    if what in {dataset.name for dataset in DATASETS} and not dataset_name:
        located = locate(what, Settings.of(ctx).configuration)
        dataset, path, note = located.dataset, located.folder, located.note
    else:
        path = Path(what)
        if not path.exists():
            raise Problem(
                f"{what} is no data set and no file.", "`mlconsole data ls` lists the data sets.", "no-file"
            )
        named = find(dataset_name) if dataset_name else guess(path)
        if named is None:
            raise Problem(
                f"{path} looks like no data set.", "Say which it should be: --as NAME.", "other-data"
            )
        dataset = named
    findings = look(dataset, path)
    bad = errors(findings)
    if as_json:
        print_json(
            {"dataset": dataset.name, "path": path, "usable": not bad, "note": note, "findings": findings}
        )
    else:
        click.echo(f"{path} as {dataset.name}")
        if note:
            click.echo(prose(note))
        _print(findings)
        click.echo(styled("It cannot be used.", "bad") if bad else styled("It can be used.", "ok"))
    if bad:
        ctx.exit(1)


@data.command()
@click.argument("name", shell_complete=datasets)
@click.option("--imported", "source", flag_value="imported", help="Remove what you imported.")
@click.option("--fetched", "source", flag_value="cache", help="Remove what was fetched.")
@yes_option
@json_option
def rm(name: str, source: str | None, yes: bool, as_json: bool) -> None:
    """Remove the imported or the fetched copy of a data set from this machine."""
    from console.cli.asking import confirm
    from console.cli.output import print_json
    from workflows.data.catalog import find
    from workflows.data.installing import forget
    from workflows.data.place import folders
    from workflows.problem import Problem

    if source is None:
        raise click.UsageError("Say --imported or --fetched.")
    dataset = find(name)
    folder = dict(folders(dataset))["imported" if source == "imported" else "cache"]
    if not folder.is_dir():
        raise Problem(
            f"There is no such copy of {name}.",
            f"`mlconsole data show {name}` tells which there are.",
            "no-data",
        )
    confirm([f"This deletes {folder}."], yes=yes)
    forget(dataset, source)
    if as_json:
        print_json({"dataset": name, "removed": folder})
    else:
        click.echo(f"Removed {folder}.")


def _present(dataset: Dataset, configuration: Any) -> str:
    """The source that a study would use now; empty when there is none. Nothing is made for that."""
    from workflows.data.place import folders, parts_in

    for source, folder in folders(dataset, configuration):
        if parts_in(dataset, folder) is not None:
            return source
    return "" if dataset.stand_in == "none" else dataset.stand_in


def _word(source: str) -> str:
    return {"cache": "fetched", "": "not there"}.get(source, source)


def _summary(dataset: Dataset, source: str) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "source": source or None,
        "synthetic": source == "synthetic",
        "study": dataset.study or None,
        "rows": dataset.rows,
        "licence": dataset.licence,
        "url": dataset.origin.url or None,
    }


def _told(located: Located, findings: Sequence[Finding], as_json: bool) -> None:
    from console.cli.output import print_json

    if as_json:
        print_json({**located.as_dict(), "findings": findings})
        return
    _print(findings)
    click.echo(located.note)
    click.echo(str(located.path))


def _refused(refused: Any, as_json: bool) -> None:
    """The errors one by one, then the sentence."""
    from console.cli.output import print_json

    if as_json:
        print_json({**refused.as_dict(), "findings": refused.findings})
        return
    _print([finding for finding in refused.findings if finding.severity == "error"])
    click.secho("Error: ", fg="red", nl=False, err=True)
    click.echo(f"{refused} Nothing was changed.", err=True)


def _print(findings: Sequence[Finding]) -> None:
    """A line a finding for pipes; on a terminal the place above the sentence, wrapped."""
    from console.cli.output import print_table, prose, styled

    roles = {"error": "bad", "warning": "wait", "note": "idle"}
    if not findings:
        click.echo("Nothing was found.")
    elif sys.stdout.isatty():
        for one in findings:
            place = f" · {one.where}" if one.where else ""
            click.echo(f"{styled(one.severity, roles[one.severity])} · {one.what}{place}")
            click.echo(prose(f"{one.text} {one.remedy}".strip()))
            click.echo()
    else:
        print_table(
            ["", "WHAT", "WHERE", "FINDING"],
            [[one.severity, one.what, one.where, f"{one.text} {one.remedy}".strip()] for one in findings],
        )
