"""Turns what a publisher gives (an archive, a raw file) or a person has into the files of a data set."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from workflows.data import archives
from workflows.data.dataset import Dataset
from workflows.problem import Problem

RAW_POWER = "household_power_consumption.txt"


def prepare(dataset: Dataset, given: Path, folder: Path) -> None:
    """Writes the files of a data set into an empty folder, from a file, an archive or a folder.

    Raises:
        Problem: What is given is damaged, or holds no such data.
    """
    steps: dict[str, Callable[[Dataset, Path, Path], None]] = {
        "energy": _energy,
        "plagiarism": _plagiarism,
        "imdb": _imdb,
        "housing": _housing,
    }
    steps.get(dataset.name, _single)(dataset, given, folder)


def _single(dataset: Dataset, given: Path, folder: Path) -> None:
    """A data set of one table: the file itself, or the one of its names (else the only table) in an archive or folder."""
    if given.is_dir():
        found = next((given / name for name in dataset.main.names if (given / name).is_file()), None)
        if found is None:
            raise _nothing(dataset, given, f"no {' or '.join(dataset.main.names)} in it")
        given = found
    if not archives.is_archive(given):
        shutil.copyfile(given, folder / _name(dataset, given))
        return
    tables = [name for name, _ in archives.members(given) if name.suffix in (".csv", ".gz", ".txt")]
    known = [name for name in tables if name.name in dataset.main.names]
    chosen = known or tables
    if len(chosen) != 1:
        raise _nothing(dataset, given, f"{len(chosen)} tables in it instead of one")
    target = _name(dataset, Path(chosen[0].name))
    archives.extract(given, folder, lambda name: target if name == chosen[0] else None)


def _name(dataset: Dataset, given: Path) -> str:
    """The name of the table: a sample keeps its own, which tells that it is one."""
    if given.name in dataset.main.samples:
        return given.name
    packed = given.suffix == ".gz"
    plain = [name for name in dataset.main.names if name not in dataset.main.samples]
    return next(
        (name for name in plain if name.endswith(".gz") == packed), plain[0] + (".gz" if packed else "")
    )


def _energy(dataset: Dataset, given: Path, folder: Path) -> None:
    from workflows.data import series
    from workflows.data.loading import read

    if given.is_dir():
        names = [name for part in dataset.parts for name in part.names]
        for name in names:
            if (given / name).is_file():
                shutil.copyfile(given / name, folder / name)
        if not (folder / names[0]).is_file():
            raise _nothing(dataset, given, f"no {names[0]} in it")
        return
    if given.suffix in (".json", ".jsonl"):
        why = f"series alone are not enough; import the folder that holds {dataset.main.names[0]} too"
        raise _nothing(dataset, given, why)
    if archives.is_archive(given):
        found = archives.extract(given, folder, lambda name: RAW_POWER if name.name == RAW_POWER else None)
        if not found:
            raise _nothing(dataset, given, f"no {RAW_POWER} in it")
        daily_sums(found[0], folder / dataset.main.names[0])
        power = minute_means(found[0])
        found[0].unlink()
        series.write(folder, power)
        return
    table = folder / dataset.main.names[0]
    if given.suffix == ".txt":
        daily_sums(given, table)
        series.write(folder, minute_means(given))
        return
    shutil.copyfile(given, table)
    from workflows.data.checking import check_file
    from workflows.data.findings import errors

    if not errors(check_file(dataset, table)):
        series.write(folder, series.mean_power(read(dataset, table)))


def minute_means(path: Path) -> Any:
    """The mean power of each day in kW, missing minutes filled with the column's mean: as the notebook makes it."""
    power = _minutes(path)["Global_active_power"]
    return power.fillna(power.mean()).resample("D").mean()


def daily_sums(path: Path, target: Path) -> None:
    """The sums of each day over its measured minutes, missing ones filled with the value of the minute a day before.

    ``sub_metering_4`` is what no meter of its own measured: power in watt-hours a minute (x 1000 / 60) less the three meters.
    """
    minutes = _minutes(path)
    filled = minutes.copy()
    for _ in range(7):  # the longest gap is five days
        filled = filled.fillna(filled.shift(1_440))
    metered = filled[["Sub_metering_1", "Sub_metering_2", "Sub_metering_3"]].sum(axis=1)
    filled["sub_metering_4"] = filled["Global_active_power"] * 1_000 / 60 - metered
    daily = filled.resample("D").sum()
    daily.index.name = "datetime"
    daily.to_csv(target, date_format="%Y-%m-%d", lineterminator="\n")


def _minutes(path: Path) -> Any:
    """The raw table, a row a minute."""
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=";", na_values=["?"], dtype={"Date": str, "Time": str})
        at = pd.to_datetime(table["Date"] + " " + table["Time"], format="%d/%m/%Y %H:%M:%S")
        values = table.drop(columns=["Date", "Time"]).astype("float64").set_index(at)
    except (ValueError, KeyError, OSError) as error:
        raise Problem(f"{path.name} cannot be read: {error}.", "Get it again.", "damaged-data") from error
    if "Global_active_power" not in values:
        raise Problem(f"{path.name} has no column Global_active_power.", "Get it again.", "damaged-data")
    return values


def _plagiarism(dataset: Dataset, given: Path, folder: Path) -> None:
    def keep(name: PurePosixPath) -> str | None:
        wanted = name.suffix == ".txt" or name.name in ("file_information.csv", "test_info.csv")
        return name.name if wanted and not name.name.startswith(".") else None

    if given.is_dir():
        for path in sorted(given.iterdir()):
            if path.is_file() and keep(PurePosixPath(path.name)):
                shutil.copyfile(path, folder / path.name)
    elif archives.is_archive(given):
        archives.extract(given, folder, keep)
    else:
        raise _nothing(dataset, given, "a corpus is a folder or an archive")
    if not (folder / "file_information.csv").is_file():
        raise _nothing(dataset, given, "no file_information.csv in it")


def _imdb(dataset: Dataset, given: Path, folder: Path) -> None:
    if given.is_dir() or not archives.is_archive(given):
        _single(dataset, given, folder)
        if (table := folder / "imdb.csv").is_file():
            (folder / "imdb.csv.gz").write_bytes(gzip.compress(table.read_bytes(), 5, mtime=0))
            table.unlink()
        return
    count = 0
    with (
        gzip.open(folder / "imdb.csv.gz", "wb", compresslevel=5) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
        archives.understood(given),
    ):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("split", "label", "review"))
        for name, content in archives.members(given):
            split, label = name.parts[-3:-1] if len(name.parts) >= 3 else ("", "")
            if split in ("train", "test") and label in ("pos", "neg") and name.suffix == ".txt":
                writer.writerow((split, label, content.read().decode("utf-8", errors="replace")))
                count += 1
    if not count:
        raise _nothing(dataset, given, "no reviews in it (train/pos/…, train/neg/…)")


def _housing(dataset: Dataset, given: Path, folder: Path) -> None:
    """The publisher's ``cal_housing.data`` has other columns in another order and no header: sums of a block group, not means."""
    if given.is_dir() or not archives.is_archive(given):
        _single(dataset, given, folder)
        return
    raw = "cal_housing.data"
    found = archives.extract(given, folder, lambda name: raw if name.name == raw else None)
    if not found:
        raise _nothing(dataset, given, f"no {raw} in it")
    import pandas as pd

    names = [
        "Longitude",
        "Latitude",
        "HouseAge",
        "rooms",
        "bedrooms",
        "Population",
        "households",
        "MedInc",
        "value",
    ]
    try:
        frame = pd.read_csv(found[0], header=None, names=names, dtype=float)
    except (ValueError, UnicodeDecodeError) as error:
        raise _nothing(dataset, given, f"{raw} cannot be read ({error})") from error
    finally:
        found[0].unlink()
    for mean, total in (("AveRooms", "rooms"), ("AveBedrms", "bedrooms"), ("AveOccup", "Population")):
        frame[mean] = frame[total] / frame["households"]
    frame["Price"] = frame["value"] / 100_000
    columns = [column.name for column in dataset.columns]
    frame[columns].to_csv(folder / dataset.main.names[0], index=False, lineterminator="\n")


def _nothing(dataset: Dataset, given: Path, why: str) -> Problem:
    remedy = f"`mlconsole data show {dataset.name}` tells what is needed."
    return Problem(f"{given} is not the data set {dataset.name}: {why}.", remedy, "other-data")
