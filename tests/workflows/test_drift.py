"""Drift: the tests' promises on made-up and real data, payloads, baselines, and a capture on a real S3."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import random
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.console import command
from workflows import locations
from workflows.drift import apart, baseline, columns, words
from workflows.drift.comparison import compare
from workflows.drift.operations import drift
from workflows.drift.report import DriftReport, Side
from workflows.drift.samples import Samples, add
from workflows.drift.samples import columns as column_names
from workflows.drift.samples import words as words_of
from workflows.platform import Platform
from workflows.problem import Problem

NOW = 1_790_000_000.0


def made_up(count: int, seed: int, banana: float = 0.0) -> list[str]:
    """Texts whose words are as frequent as those of a language (Zipf's law), some with an injected word."""
    draw = np.random.default_rng(seed)
    chosen = random.Random(seed)
    texts = []
    for _ in range(count):
        ranks = draw.zipf(1.25, size=80)
        text = " ".join(f"word{rank}" for rank in ranks if rank < 20_000)
        texts.append(text + (" banana" if chosen.random() < banana else ""))
    return texts


def test_the_injected_word_ranks_first_within_200_made_up_texts() -> None:
    before = made_up(2_000, 1)
    for seed in range(5):
        family = words.compare(before, made_up(200, 100 + seed, banana=0.2), 0.05)
        assert family.changes[0].name == "banana" and family.changes[0].significant
        assert family.changes[0].adjusted < 1e-20 and family.changes[0].low > 10  # type: ignore[operator]


def test_words_that_did_not_change_raise_no_more_alarms_than_promised() -> None:
    before = made_up(1_500, 2)
    alarms = sum(bool(words.compare(before, made_up(150, 200 + seed), 0.05).drifted) for seed in range(60))
    assert alarms <= 60 * 0.05 + 3 * (60 * 0.05 * 0.95) ** 0.5


def reviews() -> list[str]:
    folder = locations.datasets_dir()
    path = folder / "imdb" / "imdb_6000.csv.gz" if folder else None
    if path is None or not path.exists():
        pytest.skip("needs real data: MLCONSOLE_DATA_DIR does not name a folder")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [row["review"] for row in csv.DictReader(file)]


def test_banana_is_found_among_200_real_reviews_and_nothing_where_it_is_not() -> None:
    texts = reviews()
    before, rest = texts[:4_000], texts[4_000:]
    for seed in range(3):
        chosen = random.Random(seed)
        sample = chosen.sample(rest, 200)
        assert not words.compare(before, sample, 0.05).drifted
        moved = [text + " banana" if chosen.random() < 0.2 else text for text in sample]
        family = words.compare(before, moved, 0.05)
        assert [change.name for change in family.drifted] == ["banana"]
        assert family.changes[0].name == "banana" and family.changes[0].now == pytest.approx(0.2, abs=0.09)
        hundred = words.compare(before, moved[:100], 0.05)
        assert hundred.changes[0].name == "banana" and hundred.changes[0].significant


def rows(count: int, seed: int, shift: float = 0.0, flip: float = 0.0, lost: float = 0.0) -> list[dict[str, Any]]:  # fmt: skip
    draw = np.random.default_rng(seed)
    return [
        {
            "steady": float(draw.normal()),
            "shifted": float(draw.normal(shift)),
            "rooms": float(draw.integers(1, 6)),
            "town": "north" if draw.random() < 0.5 + flip else "south",
            "sparse": None if draw.random() < 0.1 + lost else float(draw.normal()),
        }
        for _ in range(count)
    ]


def test_columns_that_moved_are_ranked_and_told_apart_from_chance() -> None:
    family = columns.compare(rows(2_000, 1), rows(500, 2, shift=0.5, flip=0.15, lost=0.2), 0.05)
    assert {change.name for change in family.drifted} == {"shifted", "town", "sparse"}
    by_name = {change.name: change for change in family.changes}
    shifted, town, sparse = by_name["shifted"], by_name["town"], by_name["sparse"]
    assert shifted.kind == "number" and shifted.now == pytest.approx(0.5, abs=0.15)
    assert shifted.low < shifted.effect < shifted.high  # type: ignore[operator]
    assert town.kind == "category" and town.what in ("north", "south") and by_name["rooms"].kind == "category"
    assert sparse.kind == "missing" and sparse.now == pytest.approx(0.3, abs=0.07)
    assert [change.p for change in family.changes] == sorted(change.p for change in family.changes)
    assert all(change.adjusted >= change.p for change in family.changes)


def test_values_that_hardly_ever_occur_twice_are_not_compared() -> None:
    sides = [[{"id": f"request-{side}-{i}", "kind": "a"} for i in range(60)] for side in (1, 2)]
    family = columns.compare(*sides, 0.05)
    assert [change.name for change in family.changes] == ["kind"] and not family.drifted
    assert (family.looked, family.tested) == (2, 1)


def test_columns_that_did_not_move_raise_no_more_alarms_than_promised() -> None:
    before = rows(600, 5)
    alarms = sum(bool(columns.compare(before, rows(150, 300 + seed), 0.05).drifted) for seed in range(60))
    assert alarms <= 60 * 0.05 + 3 * (60 * 0.05 * 0.95) ** 0.5


def test_chance_alone_stays_below_the_noise_of_the_stability_index() -> None:
    draw = np.random.default_rng(3)
    limit = columns.noise(10, 1_000, 300)
    above = 0
    for _ in range(400):
        p, q = draw.multinomial(1_000, [0.1] * 10), draw.multinomial(300, [0.1] * 10)
        above += columns.psi(p, q) > limit
    assert above / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_a_process_of_its_own_gives_the_same_answer_and_the_same_problem() -> None:
    before, now = Samples(texts=made_up(60, 1)), Samples(texts=made_up(40, 2, banana=0.5))
    sides = {"baseline": Side(source="b", records=60), "window": Side(source="w", records=40)}
    assert apart.compare("e", before, now, **sides) == compare("e", before, now, **sides)
    strange = Samples(rows=[{"a": 1.0}] * 40), Samples(rows=[{"b": 1.0}] * 40)
    with pytest.raises(Problem, match="no column in common"):
        apart.compare("e", *strange, **sides)


@pytest.mark.parametrize(
    ("payload", "kind", "texts", "count", "names"),
    [
        ("A fine film, really.", "text/plain", 1, 0, []),
        ("1,2,3\n4,5,6\n", "text/csv", 0, 2, ["column 1", "column 2", "column 3"]),
        ("What a film, and what a bore, I say to all", "text/csv", 1, 0, []),
        ('{"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}', "application/json", 0, 2, ["column 1", "column 2"]),
        ('"one text"', "application/json", 1, 0, []),
        ('{"text": "one text"}', "application/json", 1, 0, []),
        ('{"age": 3, "town": "north"}\n{"age": 4, "town": null}\n', "application/jsonlines", 0, 2, ["age", "town"]),
        ("[[1, 2], [3, 4]]", "application/json", 0, 2, ["column 1", "column 2"]),
        ("{broken", "application/json", 0, 0, []),
        (b"\x93NUMPY", "application/x-npy", 0, 0, []),
    ],
)  # fmt: skip
def test_payloads_are_texts_or_rows(
    payload: str, kind: str, texts: int, count: int, names: list[str]
) -> None:
    found = Samples()
    add(found, payload, kind)
    assert (len(found.texts), len(found.rows), column_names(found.rows)) == (texts, count, names)
    assert found.unread == (0 if texts or count else 1)


def test_words_are_counted_once_per_text_and_without_markup() -> None:
    assert words_of("Great, great <br /><br />film: I don't know 2 films") == {
        "great", "film", "i", "don't", "know", "2", "films",
    }  # fmt: skip


def test_a_label_in_front_is_left_out_and_names_are_taken_over() -> None:
    before, now = Samples(), Samples()
    add(before, "\n".join(f"1,{i},{i * i}" for i in range(40)), "text/csv")
    add(now, "\n".join(f"{i},{i * i}" for i in range(40)), "text/csv")
    assert "label" in baseline.aligned(before, now)
    assert column_names(before.rows) == column_names(now.rows) == ["column 1", "column 2"]
    before.rows = [{"price": 1.0, "rooms": row["column 1"], "area": row["column 2"]} for row in before.rows]
    assert "(price)" in baseline.aligned(before, now)
    assert column_names(now.rows) == ["rooms", "area"]
    now.rows = [{"other": 1.0}]
    with pytest.raises(Problem, match="no column in common"):
        baseline.aligned(before, now)


def told(texts_before: list[str], texts_now: list[str], **options: Any) -> DriftReport:
    return compare(
        "e",
        Samples(texts=texts_before),
        Samples(texts=texts_now),
        baseline=Side(source="b", records=0),
        window=Side(source="w", records=0),
        **options,
    )


def test_too_few_records_say_nothing_and_looks_cost_alpha() -> None:
    few = told(made_up(100, 1), made_up(29, 2, banana=1.0))
    assert few.verdict == "too-few" and few.families == () and "at least 30" in few.sentence
    once, often = (told(made_up(100, 1), made_up(60, 2), looks=looks) for looks in (1, 30))
    assert once.families[0].alpha == pytest.approx(0.025)
    assert often.families[0].alpha == pytest.approx(0.025 / 30)
    repeated = told(made_up(100, 1), made_up(30, 2) * 2)
    assert any("repeat another one" in note for note in repeated.notes)
    assert any("Predictions are not compared" in note for note in once.notes)


def test_predictions_are_compared_where_both_sides_have_them() -> None:
    draw = np.random.default_rng(0)

    def scores(mean: float) -> Samples:
        return Samples(rows=[{"column 1": float(value)} for value in draw.normal(mean, 1, 200)])

    report = told(made_up(200, 1), made_up(200, 2), predicted_before=scores(0), predicted_now=scores(1))
    assert [family.name for family in report.families] == ["words", "texts as a whole", "predictions"]
    assert [change.name for change in report.families[2].drifted] == ["prediction"]
    assert report.verdict == "drift" and "prediction" in report.sentence


def captured_line(moment: float, text: str, answer: str, kind: str = "text/plain") -> str:
    """A line as data capture writes it: what is no CSV or JSON is BASE64."""
    encoded = base64.b64encode(text.encode()).decode() if kind == "text/plain" else text
    part = {
        "observedContentType": kind,
        "mode": "INPUT",
        "data": encoded,
        "encoding": "BASE64" if kind == "text/plain" else "CSV",
    }
    output = {
        "observedContentType": "text/csv; charset=utf-8",
        "mode": "OUTPUT",
        "data": answer,
        "encoding": "CSV",
    }
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    return json.dumps(
        {
            "captureData": {"endpointInput": part, "endpointOutput": output},
            "eventMetadata": {"eventId": str(uuid.uuid4()), "inferenceTime": when},
            "eventVersion": "0",
        }
    )


def store(platform: Platform, endpoint: str, hours: dict[int, list[str]], **how: str) -> str:
    """Captured texts by hours before `NOW`, in files as SageMaker lays them out; returns the destination."""
    place = f"s3://{platform.bucket}/captures"
    for age, texts in hours.items():
        moment = NOW - age * 3600
        body = "\n".join(captured_line(moment + i, text, f"0.{i % 9}", **how) for i, text in enumerate(texts))
        key = time.strftime("%Y/%m/%d/%H/%M-%S-000-", time.gmtime(moment)) + f"{uuid.uuid4()}.jsonl"
        platform.client("s3").put_object(
            Bucket=platform.bucket, Key=f"captures/{endpoint}/AllTraffic/{key}", Body=(body + "\n").encode()
        )
    return place


def test_a_capture_is_read_by_its_hours_and_compared_with_its_own_past(
    platform: Platform, tmp_path: Path
) -> None:
    name = f"sentiment-{uuid.uuid4().hex[:6]}"
    hours = {30: made_up(150, 1), 20: made_up(150, 2), 2: made_up(120, 3, banana=0.3)}
    place = store(platform, name, hours)
    report = drift(platform, name, "before:10h", now=NOW, place=place)
    assert (report.form, report.baseline.records, report.window.records) == ("text", 300, 120)
    assert report.window.since == NOW - 2 * 3600
    assert report.families[0].changes[0].name == "banana" and report.verdict == "drift"
    assert any(family.name == "predictions" and not family.drifted for family in report.families)
    quiet = drift(platform, name, "first:150", now=NOW, since=24 * 3600, place=place)
    assert quiet.window.records == 270
    file = tmp_path / "reviews.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["label", "review"])
        writer.writerows([["1", text] for text in made_up(300, 9)])
    from_file = drift(platform, name, str(file), now=NOW, since=3 * 3600, column="review", place=place)
    assert (from_file.baseline.records, from_file.window.records) == (300, 120)
    assert from_file.families[0].changes[0].name == "banana"
    for wrong, text in (
        ("no-such-file.csv", "There is no file"), ("first:none", "names no part"), ("before:1y", "names no part"),
        ("job:none/train", "none"), (f"s3://{platform.bucket}/nothing-there", "nothing that can be compared"),
    ):  # fmt: skip
        with pytest.raises(Problem, match=text):
            drift(platform, name, wrong, now=NOW, place=place)
    with pytest.raises(Problem, match="has been captured"):
        drift(platform, "nobody", now=NOW, place=place)
    with pytest.raises(Problem, match="no probability"):
        drift(platform, name, now=NOW, alpha=2, place=place)

    path = ["drift", name, "--capture", place, "--baseline"]
    done = command.run(*path, str(file), "--column", "review", "--json")
    assert done.returncode == 3 and json.loads(done.stdout)["verdict"] == "drift"
    done = command.run(*path, "first:340")
    assert done.returncode == 3 and "banana" in done.stdout and "Drift in" in done.stdout
    done = command.run(*path, "first:410")
    assert done.returncode == 4 and "Too few" in done.stdout


def test_tables_are_compared_with_a_training_file_that_begins_with_the_label(
    platform: Platform, tmp_path: Path
) -> None:
    name = f"houses-{uuid.uuid4().hex[:6]}"
    draw = np.random.default_rng(4)

    def lines(count: int, shift: float, label: bool) -> list[str]:
        made = draw.normal(size=(count, 3)) + np.array([0.0, shift, 0.0])
        return [",".join(map(str, ([1.0] if label else []) + list(row))) for row in made]

    place = store(platform, name, {5: lines(200, 0.6, False)}, kind="text/csv")
    file = tmp_path / "train.csv"
    file.write_text("\n".join(lines(500, 0.0, True)) + "\n")
    report = drift(platform, name, str(file), now=NOW, place=place)
    assert report.form == "table" and "label" in report.notes[1]
    assert [change.name for change in report.families[0].drifted] == ["column 2"]
    same = tmp_path / "same.csv"
    same.write_text("\n".join(lines(500, 0.6, True)) + "\n")
    assert drift(platform, name, str(same), now=NOW, place=place).verdict == "none"
