"""A made-up corpus: 19 people answer five questions, 38 answers on their own, 19 each copied, lightly and heavily revised.

The lessons of the real corpus that are in it: counting single words says little, since everybody writes about the same thing;
runs of three words and the longest common subsequence separate well; heavy revision lies between; two answers are labelled
``cut`` although nothing in them is copied; some files are Windows-1252 or end their lines as DOS does, so that strict UTF-8
readers fail. The sentences in `passages` were written for this sample; synonyms and orders are drawn with a fixed seed.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from workflows.data.synthetic.passages import OWN, SOURCES, SYNONYMS

PEOPLE = tuple(
    f"g{group}p{person}"
    for group, people in enumerate(("ABCDE", "ABD", "ABCE", "ABC", "BCDE"))
    for person in people
)
ORDER = ("non", "cut", "light", "heavy", "non")
TASKS = "abcde"
FRAMES = (
    "The important words are {one}, {two}, {three} and {four}.",
    "It has to do with {one} and {two}, and also with {three} or {four}.",
    "Here {one} of the {two} is the {three}, and a {four} is that too.",
    "To put it in a few words, {one} and {two} in the {three} with {four}.",
)
MISLABELLED = {"g2pE", "g4pD"}
"""People whose answer that is labelled ``cut`` was written without the source."""


def write(folder: Path) -> None:
    """``file_information.csv``, 95 answers and 5 sources."""
    rows = ["File,Task,Category"]
    draw = random.Random(2009)
    for number, person in enumerate(PEOPLE):
        for index, task in enumerate(TASKS):
            category = ORDER[(index + number) % len(ORDER)]
            honest = category == "cut" and person in MISLABELLED
            text = answer("non" if honest else category, task, draw)
            name = f"{person}_task{task}.txt"
            (folder / name).write_bytes(encoded(text, draw))
            rows.append(f"{name},{task},{category}")
    for task in TASKS:
        name = f"orig_task{task}.txt"
        (folder / name).write_bytes(("\r\n".join(SOURCES[task]) + "\r\n").encode())
        rows.append(f"{name},{task},orig")
    (folder / "file_information.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def answer(category: str, task: str, draw: random.Random) -> str:
    """An answer of a category to a question."""
    source, own = list(SOURCES[task]), list(OWN[task])
    if category == "non":
        chosen = [_reworded(sentence, 0.2, draw) for sentence in draw.sample(own, draw.randint(5, len(own)))]
        chosen += [_with_terms(source, draw) for _ in range(draw.randint(1, 4))]
        draw.shuffle(chosen)
        return " ".join(chosen)
    count = draw.randint(6, 10)
    begin = draw.randint(0, len(source) - count)
    kept = source[begin : begin + count]
    if category == "cut":
        if draw.random() < 0.4:
            draw.shuffle(kept)
        sentences = [_reworded(sentence, 0.03, draw) for sentence in kept]
        sentences += draw.sample(own, draw.randint(0, 2))
    elif category == "light":
        sentences = [_reworded(sentence, 0.4, draw) for sentence in kept]
        sentences += draw.sample(own, draw.randint(0, 2))
    else:
        draw.shuffle(kept)
        kept = kept[: draw.randint(2, 6)]
        sentences = [_turned(_reworded(sentence, 0.85, draw), draw) for sentence in kept]
        sentences += draw.sample(own, draw.randint(2, 6))
        draw.shuffle(sentences)
    return " ".join(sentences)


def encoded(text: str, draw: random.Random) -> bytes:
    """The text as bytes: UTF-8, or Windows-1252 with typographic signs, with lines of either kind."""
    lines = re.sub(r"(?<=[.]) ", "\n", text)
    if draw.random() < 0.35:
        lines = lines.replace("\n", "\r\n")
    if draw.random() < 0.25:
        return lines.replace(", ", " – ", 1).replace("is a ", "“is a” ", 1).encode("cp1252")
    return lines.encode()


def _with_terms(source: list[str], draw: random.Random) -> str:
    """A sentence of one's own with words of the subject, which everybody uses who writes about it."""
    terms = [word for word in re.findall(r"[A-Za-z]{5,}", " ".join(source)) if word.lower() not in SYNONYMS]
    one, two, three, four = (word.lower() for word in draw.sample(terms, 4))
    return draw.choice(FRAMES).format(one=one, two=two, three=three, four=four)


def _reworded(sentence: str, share: float, draw: random.Random) -> str:
    """The sentence with a share of the words that have a synonym replaced."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        choices = SYNONYMS.get(word.lower())
        return draw.choice(choices) if choices and draw.random() < share else word

    return re.sub(r"[A-Za-z]+", other, sentence)


def _turned(sentence: str, draw: random.Random) -> str:
    """The sentence with its two halves changed round at a comma, or with words left out."""
    head, comma, tail = sentence.rstrip(".").partition(", ")
    if comma:
        return f"{tail[:1].upper()}{tail[1:]}, {head[:1].lower()}{head[1:]}."
    words = [word for word in sentence.rstrip(".").split() if draw.random() > 0.12]
    return " ".join(words) + "."
