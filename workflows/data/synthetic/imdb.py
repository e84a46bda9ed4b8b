"""Made-up film reviews from templates: 4,000 for training and 2,000 for testing, half of each kind, a few of them twice.

The lessons of the real reviews that are in it: good and bad reviews share most of their words; praise stands in bad reviews and
the reverse ("not boring", "could have been great"), so that counting words is right in about five of six; reviews hold HTML line
breaks; some test reviews are copies of training reviews.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

TRAIN, TEST, TWICE = 4_000, 2_000, 12
GOOD = (
    "wonderful", "brilliant", "moving", "superb", "delightful", "gripping", "touching", "excellent", "charming", "great", "perfect",
    "beautiful", "memorable", "funny", "amazing", "favorite", "powerful", "fresh",
)  # fmt: skip
BAD = (
    "awful", "boring", "terrible", "dull", "worst", "poor", "tedious", "stupid", "lame", "bad", "predictable", "horrible", "weak",
    "annoying", "pointless", "waste", "flat", "ridiculous",
)  # fmt: skip
THINGS = ("plot", "acting", "script", "music", "camera work", "dialogue", "ending", "cast", "story", "direction", "pace", "humor", "lead", "opening", "soundtrack")  # fmt: skip
PEOPLE = ("the director", "the leading man", "the young actress", "everybody involved", "the villain", "my wife", "the whole audience")  # fmt: skip
KINDS = ("western", "comedy", "thriller", "drama", "horror movie", "musical", "war film", "romance", "mystery", "documentary")  # fmt: skip
PLAIN = (
    "I saw this {kind} on a rainy evening with my brother.",
    "It runs for almost two hours and was shot in Canada.",
    "{person} appears in nearly every scene.",
    "The book it is based on came out years before.",
    "Most of it takes place in a small town, and later on a train.",
    "You know what to expect from a {kind} of that time.",
    "There is a dog, a letter and a long walk along the coast.",
    "I had read about the {thing} before I went.",
)
WITH = (
    "The {thing} was {word}.",
    "I found the {thing} {word}, and the {other} even more so.",
    "What a {word} {kind}!",
    "{person} gives a {word} performance.",
    "It is one of the most {word} films I have seen this year.",
    "Honestly, the {thing} is just {word}.",
    "The {thing} turned out {word} from beginning to end.",
)
AGAINST = (
    "Some call it {word}, and I cannot agree.",
    "The trailer looked {word}.",
    "It is not {word} at all.",
    "The {thing} may be {word}, but that is not the point.",
    "Only the {thing} was a little {word}.",
)


def write(folder: Path) -> None:
    """``imdb.csv.gz`` with the columns split, label and review."""
    draw = random.Random(2011)
    rows = []
    for split, count in (("train", TRAIN), ("test", TEST)):
        for index in range(count):
            label = ("pos", "neg")[index % 2]
            rows.append((split, label, review(label, draw)))
    for index in range(TWICE):
        original = rows[2 * index + index % 2]
        rows[TRAIN + 2 * index + index % 2] = ("test", *original[1:])
    draw.shuffle(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("split", "label", "review"))
    writer.writerows(rows)
    (folder / "imdb.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=5, mtime=0))


def review(label: str, draw: random.Random) -> str:
    """A review of six to eighteen sentences that leans to one side, some of them hardly."""
    same, opposite = (GOOD, BAD) if label == "pos" else (BAD, GOOD)
    lean = draw.choice((0.15, 0.3, 0.45, 0.6))
    parts = []
    for _ in range(draw.randint(6, 18)):
        chance = draw.random()
        if chance < lean:
            parts.append(_filled(draw.choice(WITH), draw.choice(same), draw))
        elif chance < lean + 0.07:
            parts.append(_filled(draw.choice(AGAINST), draw.choice(opposite), draw))
        elif chance < lean + 0.10:
            parts.append(_filled(draw.choice(WITH), draw.choice(opposite), draw))
        else:
            parts.append(_filled(draw.choice(PLAIN), "", draw))
        if draw.random() < 0.1:
            parts.append("<br /><br />")
    return " ".join(parts)


def _filled(template: str, word: str, draw: random.Random) -> str:
    text = template.format(
        word=word,
        thing=draw.choice(THINGS),
        other=draw.choice(THINGS),
        kind=draw.choice(KINDS),
        person=draw.choice(PEOPLE),
    )
    return text[:1].upper() + text[1:]
