"""Checks of the plagiarism corpus: its list against its texts, their encodings, sources, and copies among answers."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from algorithms.plagiarism.cleaning import Undecodable, decode
from workflows.data.findings import Finding

SHORT = 20
"""Words below which an answer is hardly one."""


def check_corpus(folder: Path, table: Path) -> list[Finding]:
    """The findings about the texts that a correct ``file_information.csv`` lists."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found: list[Finding] = []
    listed = {row["File"] for row in rows}
    names = Counter(row["File"] for row in rows)
    unsafe = sorted(name for name in listed if Path(name).name != name)
    for name in unsafe:
        found.append(Finding("error", "files", f"column File: {name}", "The name leads out of the folder."))
    for name in sorted(listed - set(unsafe)):
        if not (folder / name).is_file():
            found.append(
                Finding(
                    "error", "files", name, "The file is listed and not there.", "Add it, or remove its row."
                )
            )
        if names[name] > 1:
            found.append(
                Finding(
                    "error", "duplicates", name, f"The file is listed {names[name]} times.", "Keep one row."
                )
            )
    for path in sorted(folder.glob("*.txt")):
        if path.name not in listed:
            found.append(
                Finding("warning", "files", path.name, "The text is there and not listed.", "Add its row.")
            )
    sources = Counter(row["Task"] for row in rows if row["Category"] == "orig")
    for task in sorted({row["Task"] for row in rows}):
        if sources[task] != 1:
            text = f"Question {task} has {sources[task]} sources instead of one."
            found.append(
                Finding("error", "sources", f"task {task}", text, "Each question needs its source text.")
            )
    if any(finding.severity == "error" for finding in found):
        return found
    return found + _texts(folder, rows) + _copied(folder, rows)


def _texts(folder: Path, rows: list[dict[str, str]]) -> list[Finding]:
    found, strange = [], []
    seen: dict[bytes, str] = {}
    for row in rows:
        name = row["File"]
        raw = (folder / name).read_bytes()
        try:
            decoded = decode(raw)
        except Undecodable as error:
            what, _, remedy = str(error).partition("; ")
            found.append(
                Finding("error", "encoding", name, f"The text {what}.", f"{remedy[:1].upper()}{remedy[1:]}.")
            )
            continue
        if decoded.dropped:
            strange.append(name)
        words = decoded.text.split()
        if len(words) < SHORT:
            text = f"The text has {len(words)} words."
            found.append(Finding("warning" if words else "error", "short", name, text, "Is it whole?"))
        key = b" ".join(raw.split())
        if key in seen and row["Category"] != "orig":
            text = f"The text is the same as {seen[key]}."
            found.append(Finding("warning", "duplicates", name, text, "Keep both on one side of the split."))
        seen.setdefault(key, name)
    if strange:
        text = f"{len(strange)} texts are not UTF-8, for example {strange[0]}; bytes that do not fit are left out, as in the notebook."
        found.append(Finding("note", "encoding", "", text, count=len(strange)))
    return found


def _copied(folder: Path, rows: list[dict[str, str]]) -> list[Finding]:
    """Labels against the share of three-word runs that an answer has from its source."""
    shares: dict[str, list[float]] = {"non": [], "cut": [], "light": [], "heavy": []}
    odd = []
    runs = {row["Task"]: _runs(folder / row["File"]) for row in rows if row["Category"] == "orig"}
    for row in rows:
        if row["Category"] == "orig":
            continue
        answer = _runs(folder / row["File"])
        share = sum((answer & runs[row["Task"]]).values()) / max(1, sum(answer.values()))
        shares[row["Category"]].append(share)
        if row["Category"] == "cut" and share < 0.05:
            odd.append((row["File"], share))
    copied = shares["cut"] + shares["light"]
    if copied and shares["non"]:
        mean, free = sum(copied) / len(copied), sum(shares["non"]) / len(shares["non"])
        if mean < free + 0.1:
            text = (
                f"Answers labelled as copied share {mean:.0%} of their three-word runs with the source, those labelled as "
                f"free {free:.0%}: labels and texts are not aligned."
            )
            return [
                Finding(
                    "error",
                    "misaligned",
                    "column Category",
                    text,
                    "Join labels and texts by the file's name.",
                )
            ]
    return [
        Finding(
            "warning", "labels", name,
            f"It is labelled cut (copied) and shares {share:.1%} of its three-word runs with the source.",
            "Read it: the label looks wrong.",
        )
        for name, share in odd
    ]  # fmt: skip


def _runs(path: Path) -> Counter[tuple[str, ...]]:
    """The three-word runs of a text, cleaned as the study cleans it."""
    kept = "".join(
        sign if sign.isascii() and sign.isalnum() else " "
        for sign in path.read_text("utf-8", "ignore").lower()
    ).split()
    return Counter(zip(kept, kept[1:], kept[2:], strict=False))
