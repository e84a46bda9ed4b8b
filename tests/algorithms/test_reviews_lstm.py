"""The LSTM's source folder as a container runs it: word dictionary, channels, training, serving."""

from __future__ import annotations

import importlib
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.reviews.words import commonest, review_to_words
from tests.algorithms.scripts import Container
from workflows.lessons import recurrent

GOOD, BAD = ("wonderful", "great", "moving"), ("dull", "awful", "boring")
TINY = ("--epochs", "12", "--embedding-dim", "8", "--hidden-dim", "8", "--batch-size", "16", "--length", "40",
        "--learning-rate", "0.03", "--vocab-size", "40", "--seed", "3")  # fmt: skip
LINES = "application/jsonlines"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recurrent.write_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def modules(source: Path) -> Iterator[dict[str, Any]]:
    """`dictionary` and `reading` as the container imports them; their bare names are free again afterwards."""
    names = ("words", "dictionary", "reading")
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(source))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(source))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


def reviews(count: int, seed: int) -> list[dict[str, Any]]:
    """Reviews of fillers around one telling word."""
    chance = random.Random(seed)
    found = []
    for at in range(count):
        words = [f"filler{chance.randrange(30)}" for _ in range(chance.randrange(1, 30))]
        words.insert(chance.randrange(len(words) + 1), chance.choice((BAD, GOOD)[at % 2]))
        found.append({"label": at % 2, "review": " ".join(words)})
    return found


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture(scope="module")
def trained(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Container, str]]:
    container = Container(source, tmp_path_factory.mktemp("trained"))
    write(container.train, reviews(240, 1))
    held = container.train.parent / "validation"
    write(held, reviews(60, 2))
    done = container.run("--validation", str(held), *TINY)
    assert done.returncode == 0, done.stderr
    yield container, done.stdout
    container.close()


WORDS = st.lists(st.sampled_from([*GOOD, *BAD, "film", "don't", "10"]), max_size=60)


@given(
    texts=st.lists(WORDS, min_size=1, max_size=8),
    asked=WORDS,
    size=st.integers(2, 12),
    length=st.integers(1, 70),
)
def test_a_review_is_numbers_of_one_length_that_can_be_read_back(
    modules: dict[str, Any], texts: list[list[str]], asked: list[str], size: int, length: int
) -> None:
    dictionary = modules["dictionary"]
    found = dictionary.WordDictionary.fit([" ".join(words) for words in texts], size)
    assert found.size <= size
    numbers, count = found.encode(" ".join(asked), length)
    assert len(numbers) == length and 1 <= count <= length
    assert numbers[count:] == [dictionary.NO_WORD] * (length - count)
    assert all(0 < number < max(found.size, 2) for number in numbers[:count])
    if asked:
        assert count == min(length, len(asked))
        for word, number in zip(asked, numbers, strict=False):
            known = number >= dictionary.FIRST
            assert known == (word in found.words)
            assert not known or found.words[number - dictionary.FIRST] == word
    else:
        assert numbers[0] == dictionary.INFREQUENT


@given(texts=st.lists(WORDS, min_size=1, max_size=8), size=st.integers(0, 12))
def test_words_are_numbered_by_falling_frequency(texts: list[list[str]], size: int) -> None:
    from collections import Counter

    counts = Counter(word for words in texts for word in words)
    found = commonest([" ".join(words) for words in texts], size)
    assert found == [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))][:size]


def test_the_commonest_words_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [row["review"] for row in reviews(100, 4)]
    peer = CountVectorizer(analyzer=review_to_words, max_features=20).fit(texts)
    counts = peer.transform(texts).sum(axis=0).A1
    number = peer.vocabulary_.get
    # Of equally common words either may be the last one.
    mine = [
        counts[number(word)] if number(word) is not None else min(counts) for word in commonest(texts, 20)
    ]
    assert mine == sorted(counts, reverse=True)


def test_a_dictionary_that_was_changed_is_refused(modules: dict[str, Any], tmp_path: Path) -> None:
    made = modules["dictionary"].WordDictionary(["film", "great", "dull"])
    path = tmp_path / "words.json"
    made.save(path)
    again = modules["dictionary"].WordDictionary.load(path)
    assert (again.words, again.version, again.size) == (made.words, made.version, 5)
    assert again.encode("A great Film!", 5) == ([1, 3, 2, 0, 0], 3)
    path.write_text(path.read_text().replace('"great", "dull"', '"dull", "great"'))
    with pytest.raises(ValueError, match="its words are those of"):
        modules["dictionary"].WordDictionary.load(path)
    path.write_text('{"version": "1"}')
    with pytest.raises(ValueError, match="is no word dictionary"):
        modules["dictionary"].WordDictionary.load(path)
    with pytest.raises(ValueError, match="twice"):
        modules["dictionary"].WordDictionary(["film", "film"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no .jsonl|have the same label"),
        ('{"label": 1, "review": "a"}\n', "have the same label"),
        ('{"label": 2, "review": "a"}\n', "line 1: .*expected JSON Lines"),
        ('{"label": true, "review": "a"}\n', "line 1"),
        ('{"label": 0, "review": "a"}\n\n{"label": 1}\n', "line 3: KeyError"),
        ('{"label": 0, "review": "a"}\n[1]\n', "line 2"),
        ("not json\n", "line 1"),
    ],
)
def test_rows_of_another_form_are_named(
    modules: dict[str, Any], tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(modules["reading"].DataError, match=told):
        modules["reading"].read_reviews(tmp_path, "train")


def test_a_line_separator_in_a_review_is_no_end_of_line(modules: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"label": 0, "review": "one\u2028two\x85three"}, {"label": 1, "review": "ü"}]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    assert modules["reading"].read_reviews(tmp_path, "train") == ([row["review"] for row in rows], [0, 1])


def test_it_learns_tells_each_epoch_and_packs_what_serves_it(trained: tuple[Container, str]) -> None:
    container, told = trained
    epochs = [line for line in told.splitlines() if line.startswith("epoch=")]
    series = {
        metric.name: [float(found.group(1)) for line in epochs if (found := re.search(metric.regex, line))]
        for metric in recurrent.METRICS
    }
    assert all(len(values) == len(epochs) > 0 for values in series.values())
    described = json.loads((container.model / "model.json").read_text())
    best = min(range(len(epochs)), key=series["validation:loss"].__getitem__)
    assert described["epoch"] == best + 1
    assert series["validation:accuracy"][best] >= 0.9
    assert recurrent.best_round(series, None) == (
        best,
        pytest.approx(1 - series["validation:accuracy"][best]),
    )  # type: ignore[arg-type]
    packed = {str(path.relative_to(container.model)) for path in container.model.rglob("*") if path.is_file()}
    assert packed == {
        "model.pth",
        "model.json",
        "words.json",
        *(f"code/{name}" for name in ("inference.py", "net.py", "dictionary.py", "words.py")),
    }
    assert (container.output / "data" / "history.csv").read_text().splitlines()[
        0
    ] == "train:loss,validation:loss,validation:accuracy"


def test_a_review_is_judged_alone_as_among_others_whatever_the_format(trained: tuple[Container, str]) -> None:
    container, _ = trained
    asked = [row["review"] for row in reviews(20, 9)] + ["A great film.\n\nTruly wonderful,\nmoving."]
    body = "\n".join(json.dumps({"review": text}) for text in asked).encode()
    answers = [float(line) for line in container.ask(body, LINES, "text/csv").splitlines()]
    assert len(answers) == len(asked)
    right = [(answer >= 0.5) == bool(at % 2) for at, answer in enumerate(answers[:20])]
    assert sum(right) >= 18
    for text, answer in zip(asked, answers, strict=True):
        alone = float(container.ask(text.encode(), "text/plain; charset=utf-8", "text/plain"))
        assert alone == pytest.approx(answer, abs=1e-12)
    for form in (asked, {"instances": [{"review": text} for text in asked]}):
        found = json.loads(container.ask(json.dumps(form).encode(), "application/json", "*/*"))
        assert found["predictions"] == pytest.approx(answers, abs=1e-12)
    assert 0 <= float(container.ask(b"...", "text/plain", "text/csv")) <= 1


@pytest.mark.parametrize(
    ("body", "kind", "accept", "told"),
    [
        (b"  \n", "text/plain", "text/csv", "review 1 of the request is no text"),
        (b"\xff\xfe", "text/plain", "text/csv", "holds no reviews"),
        (b"", LINES, "text/csv", "holds no review"),
        (b'{"text": "a"}', LINES, "text/csv", "holds no reviews"),
        (b"[1]", "application/json", "text/csv", "review 1 of the request is no text"),
        (b"a", "text/csv", "text/csv", "'text/csv' is not served"),
        (b"a", "text/plain", "image/png", "'image/png' cannot be answered"),
    ],
)
def test_what_is_no_review_is_refused(
    trained: tuple[Container, str], body: bytes, kind: str, accept: str, told: str
) -> None:
    assert told in trained[0].refusal(body, kind, accept)


def test_the_same_seed_gives_the_same_net_with_the_course_s_pooling_too(source: Path, tmp_path: Path) -> None:
    import torch

    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        container = Container(source, tmp_path / name)
        write(container.train, reviews(40, 1))
        done = container.run(
            *TINY, "--epochs", "2", "--pooling", "last"
        )  # without validation: the last epoch's weights
        assert done.returncode == 0, done.stderr
        assert "epochs=2 best=2" in done.stdout
        found.append(torch.load(container.model / "model.pth", weights_only=True))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_hyperparameter_that_cannot_be_is_the_job_s_failure_reason(source: Path, tmp_path: Path) -> None:
    container = Container(source, tmp_path)
    write(container.train, reviews(20, 1))
    done = container.run("--vocab-size", "2")
    assert done.returncode == 1
    assert (container.output / "failure").read_text() == "hyperparameter vocab-size cannot be 2"
