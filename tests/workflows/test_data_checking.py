"""Broken files: each is refused or warned about with the reason and the place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows import locations
from workflows.data import installing, rows
from workflows.data.catalog import find
from workflows.data.checking import check, guess
from workflows.data.dataset import Column, Dataset, Origin, Part
from workflows.data.findings import Finding, errors, worst
from workflows.data.installing import Refused, import_file
from workflows.data.place import locate
from workflows.data.preparing import minute_means
from workflows.problem import Problem


@pytest.fixture(autouse=True)
def _samples(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("MLCONSOLE_DATA_DIR", raising=False)
    monkeypatch.setenv("MLCONSOLE_FETCHED_DIR", str(tmp_path_factory.getbasetemp() / "shared-samples"))


def census_rows() -> list[list[str]]:
    """Header and 40 made-up counties."""
    with locate("census").path.open(newline="") as file:
        return list(csv.reader(file))[:41]


def written(path: Path, table: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    return path


def found(what: str, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.what == what]


def test_errors_are_told_by_row_and_column(tmp_path: Path) -> None:
    table = census_rows()
    income, poverty, people = (table[0].index(name) for name in ("Income", "Poverty", "TotalPop"))
    table[3][income] = "a lot"
    table[5][poverty] = "-999"
    table[7][people] = "12.5"
    table[9] = table[9][:-1]
    table[11][people] = ""
    findings = check(find("census"), written(tmp_path / "mine.csv", table))
    assert [(one.what, one.where) for one in errors(findings)] == [
        ("value", "row 3, column Income"),
        ("value", "row 5, column Poverty"),
        ("value", "row 7, column TotalPop"),
        ("cells", "row 9"),
        ("missing", "row 11, column TotalPop"),
    ]
    texts = " ".join(one.text for one in findings)
    assert "'a lot' cannot be: a number is needed" in texts
    assert "from 0 to 100 (a code for a missing value?)" in texts
    assert "36 cells instead of 37" in texts


def test_the_first_errors_are_told_one_by_one_and_the_rest_counted(tmp_path: Path) -> None:
    table = census_rows()
    for line in table[1:]:
        line[5] = "many"
    bad = errors(check(find("census"), written(tmp_path / "mine.csv", table)))
    assert len(bad) == rows.FIRST + 1
    assert bad[-1].count == 40 - rows.FIRST


def test_columns_that_are_lacking_misnamed_or_foreign_are_named(tmp_path: Path) -> None:
    table = census_rows()
    table[0][table[0].index("Income")] = "income"
    table[0][table[0].index("Drive")] = "Walk"
    findings = check(find("census"), written(tmp_path / "mine.csv", table))
    texts = [one.text for one in errors(findings)]
    assert "There is no column Income." in texts and "There is no column Drive." in texts
    assert "There are several columns Walk." in texts
    assert any(one.remedy == "Rename income." for one in findings)


def test_columns_may_stand_in_another_order_and_lines_may_end_as_in_dos(tmp_path: Path) -> None:
    table = [list(reversed(line)) for line in census_rows()]
    path = written(tmp_path / "mine.csv", table)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert not errors(check(find("census"), path))


@pytest.mark.parametrize(
    ("name", "damage", "what", "says"),
    [
        ("mine.csv", lambda raw: b"", "empty", "empty"),
        ("mine.csv", lambda raw: raw.split(b"\n")[0] + b"\n", "empty", "no rows"),
        ("mine.csv", lambda raw: b"<!doctype html><p>Log in</p>", "format", "web page"),
        ("mine.csv", lambda raw: b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "format", "Git LFS"),
        ("mine.csv", lambda raw: raw.decode().encode("utf-16"), "encoding", "UTF-16"),
        ("mine.csv", lambda raw: raw.replace(b"ton", b"t\xf6n"), "encoding", "0xf6 is no UTF-8"),
        ("mine.csv", lambda raw: raw[:500] + b"\0" + raw[500:], "corrupt", "NUL"),
        ("mine.csv", lambda raw: gzip.compress(raw), "format", "compressed by gzip"),
        ("mine.csv", lambda raw: raw[:-20], "cells", "instead of 37"),
        ("mine.csv", lambda raw: raw[:-1], "truncated", "was cut off"),
        ("mine.csv", lambda raw: raw.replace(b",Ash", b',"Ash', 1), "quoting", "no CSV"),
        ("mine.csv.gz", lambda raw: gzip.compress(raw)[:-300], "truncated", "ends too early"),
        ("mine.csv.gz", lambda raw: raw, "corrupt", "no gzip file"),
        ("mine.csv.gz", lambda raw: _flipped(gzip.compress(raw)), "corrupt", "damaged"),
    ],
)  # fmt: skip
def test_damaged_files_are_named(
    name: str, damage: Callable[[bytes], bytes], what: str, says: str, tmp_path: Path
) -> None:
    raw = written(tmp_path / "sound.csv", census_rows()).read_bytes()
    path = tmp_path / name
    path.write_bytes(damage(raw))
    bad = errors(check(find("census"), path))
    assert bad and bad[0].what == what, bad
    assert says in " ".join(one.text for one in bad)


def _flipped(raw: bytes) -> bytes:
    return raw[:-8] + bytes([raw[-8] ^ 0xFF]) + raw[-7:]


def test_duplicates_and_constants_are_warnings(tmp_path: Path) -> None:
    table = census_rows()
    for line in table[1:]:
        line[table[0].index("Walk")] = "1.5"
    findings = check(find("census"), written(tmp_path / "mine.csv", [*table, table[1]]))
    assert worst(findings) == "warning"
    assert [one.where for one in found("constant", findings)] == ["column State", "column Walk"]
    assert found("duplicates", findings)[0].where == "first at row 41"


def test_a_code_for_missing_values_is_told(tmp_path: Path) -> None:
    table = [["label", *"xy"], *[[str(i % 2), str(i % 2 + i / 100), str(1 - i / 50)] for i in range(60)]]
    for line in table[1:6]:
        line[2] = "-9"
    dataset = find("moons")
    findings = check(dataset, written(tmp_path / "train.csv", table[1:]))
    (code,) = found("sentinel", findings)
    assert (code.where, code.count) == ("column y", 5)


@pytest.mark.parametrize("name", ["creditcard", "moons", "imdb"])
def test_shuffled_labels_are_errors(name: str, tmp_path: Path) -> None:
    import pandas as pd

    dataset = find(name)
    header = 0 if dataset.header else None
    table = pd.read_csv(locate(name).path, header=header).head(8_000)
    column = dataset.label if dataset.header else 0
    if name == "creditcard":
        table = pd.concat([table[table["Class"] == 1], table[table["Class"] == 0].head(2_000)])
    table[column] = table[column].sample(frac=1, random_state=3).to_numpy()
    path = tmp_path / ("shuffled.csv" if dataset.header else "train.csv")
    table.to_csv(path, index=False, header=dataset.header)
    (bad,) = errors(check(dataset, path))
    assert bad.what == "misaligned"
    assert "shuffled" in bad.text


def test_one_class_is_an_error(tmp_path: Path) -> None:
    table = [["1", str(i / 7), str(i)] for i in range(9)]
    (bad,) = errors(check(find("moons"), written(tmp_path / "train.csv", table)))
    assert bad.what == "one-class"


def energy_copy(folder: Path) -> Path:
    return Path(shutil.copytree(locate("energy").folder, folder))


def test_years_that_are_stamped_wrongly_are_errors(tmp_path: Path) -> None:
    folder = energy_copy(tmp_path / "energy")
    lines = [json.loads(line) for line in (folder / "train.json").read_text().splitlines()]
    for line in lines:
        line["start"] = "2007-01-01"
    (folder / "train.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bad = errors(check(find("energy"), folder))
    assert [one.where for one in bad] == ["train.json: line 2", "train.json: line 3"]
    assert "a year is stamped wrongly" in bad[0].text


@pytest.mark.parametrize(
    ("change", "what", "says"),
    [
        (lambda lines: lines[1].update(start="2018-01-01"), "dates", "measured from 2006 to 2010"),
        (lambda lines: lines[0].update(target=[*lines[1]["target"], *[1.0] * 31]), "dates", "the year is wrong"),
        (lambda lines: lines[0].update(start="soon"), "dates", "no date"),
        (lambda lines: lines[2]["target"].__setitem__(4, None), "value", "the first is value 5"),
        (lambda lines: lines[2].pop("start"), "members", "lacks start"),
        (lambda lines: lines[1]["target"].pop(0), "misaligned", "not aligned"),
        (lambda lines: lines[0].update(start="2010-01-01"), "dates", "No test series starts on 2010"),
    ],
)  # fmt: skip
def test_series_that_cannot_be_right_are_errors(
    change: Callable[[list[dict[str, Any]]], Any], what: str, says: str, tmp_path: Path
) -> None:
    folder = energy_copy(tmp_path / "energy")
    lines = [json.loads(line) for line in (folder / "train.json").read_text().splitlines()]
    change(lines)
    (folder / "train.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    bad = errors(check(find("energy"), folder))
    assert bad and bad[0].what == what
    assert says in bad[0].text


def test_days_must_be_all_there_and_of_the_right_year(tmp_path: Path) -> None:
    lines = locate("energy").path.read_text().splitlines()
    gap = tmp_path / "gap.csv"
    gap.write_text("\n".join(lines[:100] + lines[105:]) + "\n")
    assert "there are gaps" in found("dates", check(find("energy"), gap))[0].text
    moved = tmp_path / "moved.csv"
    moved.write_text("\n".join(lines).replace("\n20", "\n19") + "\n")
    assert found("dates", errors(check(find("energy"), moved)))
    whole = tmp_path / "whole.csv"
    whole.write_text(
        "\n".join(
            lines[:1] + [f"{int(line[:4]) - 1}{line[4:]}" for line in lines[1:] if line[5:10] != "02-29"]
        )
        + "\n"
    )
    assert errors(check(find("energy"), whole))


def corpus_copy(folder: Path) -> Path:
    return Path(shutil.copytree(locate("plagiarism").folder, folder))


def test_a_corpus_without_a_text_or_a_source_is_refused(tmp_path: Path) -> None:
    folder = corpus_copy(tmp_path / "corpus")
    (folder / "g0pA_taska.txt").unlink()
    table = folder / "file_information.csv"
    table.write_text(
        table.read_text().replace("orig_taskb.txt,b,orig\n", "").replace("g1pA_taska.txt", "../secret.txt")
    )
    texts = [one.text for one in errors(check(find("plagiarism"), folder))]
    assert "The file is listed and not there." in texts
    assert "The name leads out of the folder." in texts
    assert "Question b has 0 sources instead of one." in texts


def test_categories_that_are_shifted_against_the_texts_are_an_error(tmp_path: Path) -> None:
    import random

    folder = corpus_copy(tmp_path / "corpus")
    lines = (folder / "file_information.csv").read_text().splitlines()
    answers, sources = lines[1:96], lines[96:]
    categories = [line.rpartition(",")[2] for line in answers]
    random.Random(1).shuffle(categories)
    mixed = [f"{line.rpartition(',')[0]},{one}" for line, one in zip(answers, categories, strict=True)]
    (folder / "file_information.csv").write_text("\n".join([lines[0], *mixed, *sources]) + "\n")
    (bad,) = errors(check(find("plagiarism"), folder))
    assert bad.what == "misaligned"


def test_a_text_in_utf16_is_refused_by_its_name_and_stray_bytes_are_a_note(tmp_path: Path) -> None:
    folder = corpus_copy(tmp_path / "corpus")
    path = folder / "g0pA_taska.txt"
    words = path.read_bytes().decode(errors="ignore")
    path.write_bytes(words.encode() + b" caf\xe9")
    found = check(find("plagiarism"), folder)
    assert not errors(found) and any(one.what == "encoding" and one.severity == "note" for one in found)
    path.write_text(words, encoding="utf-16")
    (bad,) = errors(check(find("plagiarism"), folder))
    assert (bad.what, bad.where) == ("encoding", path.name)
    assert "UTF-16" in bad.text and "UTF-8" in bad.remedy


def test_a_refused_import_changes_nothing(tmp_path: Path) -> None:
    good = written(tmp_path / "good.csv", census_rows())
    located, findings = import_file(find("census"), good)
    assert located.source == "imported" and str(good) in located.note
    assert any(one.what == "rows" and one.severity == "note" for one in findings)
    table = census_rows()
    table[2][5] = "x"
    with pytest.raises(Refused, match="1 error") as caught:
        import_file(find("census"), written(tmp_path / "bad.csv", table))
    assert caught.value.findings[0].where == "row 2, column Women"
    assert locate("census") == located
    assert [path.name for path in locations.imported_dir().iterdir()] == ["census"]
    with pytest.raises(Problem, match="no file"):
        import_file(find("census"), tmp_path / "nowhere.csv")


def test_archives_of_the_publishers_are_understood(tmp_path: Path) -> None:
    raw = locate("moons").path.read_bytes()
    with zipfile.ZipFile(tmp_path / "moons.zip", "w") as archive:
        archive.writestr("deep/inside/points.csv", raw)
    located, _ = import_file(find("moons"), tmp_path / "moons.zip")
    assert located.path.read_bytes() == raw

    with tarfile.open(tmp_path / "aclImdb_v1.tar.gz", "w:gz") as tar:
        for split in ("train", "test"):
            for label, word in (("pos", "great"), ("neg", "awful")):
                for number in range(20):
                    text = f"A {word} film, number {number} of {split}, é.".encode()
                    entry = tarfile.TarInfo(f"aclImdb/{split}/{label}/{number}_9.txt")
                    entry.size = len(text)
                    tar.addfile(entry, io.BytesIO(text))
    located, _ = import_file(find("imdb"), tmp_path / "aclImdb_v1.tar.gz")
    with gzip.open(located.path, "rt", encoding="utf-8") as file:
        assert next(file) == "split,label,review\n"
        assert next(file) == 'train,pos,"A great film, number 0 of train, é."\n'


def test_the_raw_power_data_becomes_days_and_series(tmp_path: Path) -> None:
    import pandas as pd

    minutes = pd.date_range("2006-12-31 23:58", "2007-01-02 23:59", freq="min")
    lines = [
        "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3"
    ]
    for number, at in enumerate(minutes):
        values = (
            "?;?;?;?;?;?;" if number == 2_000 else f"{1 + at.day:.3f};0.100;240.000;5.000;0.000;1.000;2.000"
        )
        lines.append(f"{at.day}/{at.month}/{at.year};{at:%H:%M:%S};{values}")
    path = tmp_path / "household_power_consumption.txt"
    path.write_text("\n".join(lines) + "\n")
    with zipfile.ZipFile(tmp_path / "energy.zip", "w") as archive:
        archive.write(path, path.name)
    located, findings = import_file(find("energy"), tmp_path / "energy.zip")
    table = pd.read_csv(located.path)
    assert table["datetime"].tolist() == ["2006-12-31", "2007-01-01", "2007-01-02"]
    assert table["Global_active_power"].tolist() == pytest.approx(
        [64, 2_880, 4_319]
    )  # the gap has the day before's 2
    assert table["sub_metering_4"][1] == pytest.approx(2_880 * 1_000 / 60 - 1_440 * 3)
    assert "test" not in located.paths  # two days of 2007 are no year
    power = minute_means(path)
    assert power.tolist() == pytest.approx([32, 2, 3], abs=0.01)
    assert power.iloc[2] == pytest.approx((1_439 * 3 + power_mean(minutes)) / 1_440, abs=1e-6)
    assert worst(findings) != "error"


def power_mean(minutes: Any) -> float:
    """The mean of all measured minutes, which fills the missing one."""
    return float((1 + minutes.day).to_numpy()[[number != 2_000 for number in range(len(minutes))]].mean())


def test_an_archive_bomb_and_a_link_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows.data import archives

    monkeypatch.setattr(archives, "LIMIT", 100_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", b"0" * 1_000_000)
    with pytest.raises(Problem, match="unpacks to more"):
        import_file(find("moons"), tmp_path / "bomb.zip")
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        entry = tarfile.TarInfo("train.csv")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(Problem, match="0 tables"):
        import_file(find("moons"), tmp_path / "link.tar")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "bomb.zip").read_bytes()[:-30])
    with pytest.raises(Problem, match=r"damaged|other-data|cannot be used"):
        import_file(find("moons"), tmp_path / "cut.zip")
    assert not list(locations.imported_dir().iterdir())


def test_files_are_known_by_their_header(tmp_path: Path) -> None:
    table = written(tmp_path / "what.csv", census_rows())
    assert guess(table) is find("census")
    assert guess(locate("plagiarism").folder) is find("plagiarism")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert guess(tmp_path / "other.csv") is None


PLAIN = Dataset(
    name="plain", title="", about="", study="", licence="", origin=Origin(page=""), parts=(Part("table", ("plain.csv",)),), rows=0,
    columns=(Column("a", "int", 0, 9), Column("b", "float", -5, 5, missing=None), Column("c", "category", choices=("x", "y"))),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    table=st.lists(
        st.tuples(
            st.sampled_from(["0", "7", "9", "10", "-1", "1.5", "z", "", "inf"]),
            st.sampled_from(["1.25", "-5", "5.5", "", "?", "nan", "-inf", "1e1", "one"]),
            st.sampled_from(["x", "y", "X", ""]),
        ),
        max_size=30,
    )
)
def test_reading_in_batches_finds_what_reading_cell_by_cell_finds(table: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "plain.csv"
        path.write_text("a,b,c\n" + "".join(",".join(line) + "\n" for line in table))
        patch.setattr(rows, "BATCH", 4)
        fast = rows.read(PLAIN, path, (-1.0, 9.0))
        patch.setattr(rows, "_fits", lambda *_: False)
        slow = rows.read(PLAIN, path, (-1.0, 9.0))
    assert fast.errors == slow.errors
    assert (fast.rows, fast.duplicates, fast.more) == (slow.rows, slow.duplicates, slow.more)
    for name, facts in slow.facts.items():
        other = fast.facts[name]
        assert (facts.filled, facts.missing, facts.least, facts.most, facts.constant) == (
            other.filled, other.missing, other.least, other.most, other.constant,
        )  # fmt: skip
        assert +facts.seen == +other.seen


def test_an_import_replaces_an_earlier_one_in_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = census_rows()
    first, _ = import_file(find("census"), written(tmp_path / "one.csv", table))
    monkeypatch.setattr(installing, "check", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        import_file(find("census"), written(tmp_path / "two.csv", table[:20]))
    assert locate("census") == first
    monkeypatch.undo()


def test_the_publishers_houses_become_means_of_a_household(tmp_path: Path) -> None:
    import tarfile

    import pandas as pd

    from workflows.data.synthetic.housing import frame

    made = frame()
    households = 400.0
    raw = pd.DataFrame(
        {
            "lon": made["Longitude"], "lat": made["Latitude"], "age": made["HouseAge"], "rooms": made["AveRooms"] * households,
            "bedrooms": made["AveBedrms"] * households, "people": made["AveOccup"] * households, "households": households,
            "income": made["MedInc"], "value": made["Price"] * 100_000,
        }
    )  # fmt: skip
    (tmp_path / "cal_housing.data").write_text(raw.to_csv(header=False, index=False))
    with tarfile.open(tmp_path / "cal_housing.tgz", "w:gz") as archive:
        archive.add(tmp_path / "cal_housing.data", "CaliforniaHousing/cal_housing.data")
    located, _ = import_file(find("housing"), tmp_path / "cal_housing.tgz")
    table = pd.read_csv(located.path)
    assert list(table) == list(made)
    for name in ("MedInc", "AveRooms", "AveBedrms", "AveOccup", "Price"):
        assert (table[name] - made[name]).abs().max() < 1e-6
    assert (table["Population"] - made["AveOccup"] * households).abs().max() < 1e-6
