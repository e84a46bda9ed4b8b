"""Reading a corpus: cleaning as the notebook cleans, and everything that is refused, with where, why and what to do."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.plagiarism import categories, cleaning, corpus, split
from algorithms.plagiarism.categories import Category
from tests.algorithms import answers


def process_file(raw: bytes) -> str:
    """The notebook's cleaning, step by step."""
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", errors="ignore").read().lower()
    text = re.sub(r"[^a-zA-Z0-9]", " ", text)
    text = re.sub(r"\t", " ", text)
    text = re.sub(r"\n", " ", text)
    return re.sub("   ", " ", re.sub("  ", " ", text))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_cleaning_is_the_notebooks(raw: bytes) -> None:
    try:
        decoded = cleaning.decode(raw)
    except cleaning.Undecodable:
        return
    assert cleaning.clean(decoded.text) == process_file(raw)
    assert decoded.dropped == len(raw) - len(raw.decode("utf-8", errors="ignore").encode())


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.text("İIKaZ9 -_ßΣ", max_size=30))
def test_words_are_those_of_the_cleaned_text_and_know_their_place(text: str) -> None:
    found = cleaning.words(text)
    assert [word.word for word in found] == cleaning.clean(text).split()
    ends = [0]
    for word in found:
        assert ends[-1] <= word.start < word.end <= len(text)
        assert word.word in cleaning.clean(text[word.start : word.end])
        ends.append(word.end)


def test_a_corpus_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = answers.synthetic()
    answers.write(tmp_path, made)
    (tmp_path / "notes.txt").write_text("not part of it")
    found = corpus.read(tmp_path)
    assert found.documents == made.documents
    assert found.unlisted == ("notes.txt",)
    assert found.source(found.documents[0]).file == "orig_taska.txt"
    frame = found.frame()
    assert list(frame.columns) == ["File", "Task", "Category", "Class", "Text"]
    assert frame["Class"].tolist()[:10] == [0, 0, 0, 1, 1, 1, 1, 1, 1, -1]


def test_bytes_of_other_encodings_are_left_out_and_counted(tmp_path: Path) -> None:
    answers.write(tmp_path, answers.synthetic())
    (tmp_path / "non0_taska.txt").write_bytes(
        b"\xef\xbb\xbfna\xefve caf\xe9 \x85 \x93quoted\x94 text, plain and long\r\nsecond line"
    )
    found = corpus.read(tmp_path).find("non0_taska.txt")
    assert found.dropped == 5
    assert " ".join(found.text.split()) == "nave caf quoted text plain and long second line"


BAD_ROWS = [
    ("", "file_information.csv is empty; its first line must be File,Task,Category"),
    ("File,Task\na.txt,a\n", "row 1 is 'File,Task'; its first line must be File,Task,Category"),
    ("File,Task,Category\n", "has a header and no rows"),
    ("File,Task,Category\na.txt,a\n", "row 2 has 2 cells; give three: File, Task, Category"),
    ("File,Task,Category\n,a,non\n", "row 2 has no File"),
    ("File,Task,Category\na.txt,,non\n", "row 2 has no Task"),
    ("File,Task,Category\n../a.txt,a,non\n", "row 2 names '../a.txt'; give a file in the same folder"),
    ("File,Task,Category\n\na.txt,a,copied\n", "row 3 has the unknown category 'copied'; use one of non, heavy, light, cut, orig"),
    ("File,Task,Category\na.txt,a,non\na.txt,a,cut\no.txt,a,orig\n", "row 3 names a.txt again, after row 2"),
    ("File,Task,Category\na.txt,a,non\no.txt,a,orig\np.txt,a,orig\n", "row 4 is a second original of task 'a', after row 3"),
    ("File,Task,Category\na.txt,a,non\no.txt,b,orig\n", "row 2 (a.txt) answers task 'a', which has no original; add the original's file"),
    ("File,Task,Category\no.txt,a,orig\n", "lists originals only; add the answers"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "told"), BAD_ROWS)
def test_a_bad_table_is_refused_by_row(tmp_path: Path, content: str, told: str) -> None:
    for name in ("a.txt", "o.txt", "p.txt"):
        (tmp_path / name).write_text("some words")
    (tmp_path / corpus.INFORMATION).write_text(content)
    with pytest.raises(corpus.CorpusError, match=re.escape(told)):
        corpus.read(tmp_path)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (None, "cut0_taska.txt is missing (file_information.csv row 9); add the file or delete the row"),
        (b" \r\n", "cut0_taska.txt is empty"),
        ("plain text".encode("utf-16"), "cut0_taska.txt is UTF-16 or no text"),
        (b"MZ\0\0binary", "is UTF-16 or no text"),
        (
            "Наследование это понятие".encode("cp1251"),
            "is mostly no UTF-8: 22 of 24 bytes cannot be decoded (file_information.csv row 9); save it as UTF-8 text",
        ),
        ("Наследование".encode(), "has no word of the letters a-z and digits"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, raw: bytes | None, told: str) -> None:
    answers.write(tmp_path, answers.synthetic("a"))
    path = tmp_path / "cut0_taska.txt"
    if raw is None:
        path.unlink()
    else:
        path.write_bytes(raw)
    with pytest.raises(corpus.CorpusError, match=re.escape(told)):
        corpus.read(tmp_path)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    answers.write(tmp_path, answers.synthetic())
    (tmp_path / "non0_taska.txt").unlink()
    (tmp_path / "cut1_taskb.txt").unlink()
    (tmp_path / "cut1_taskb.txt").mkdir()
    with pytest.raises(corpus.CorpusError, match=r"non0_taska.txt is missing.*\(and 1 more\)") as caught:
        corpus.read(tmp_path)
    assert "cut1_taskb.txt cannot be read: Is a directory" in str(caught.value.defects[1])


def test_a_folder_or_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(corpus.CorpusError, match="none is no folder"):
        corpus.read(tmp_path / "none")
    with pytest.raises(corpus.CorpusError, match=r"file_information.csv is missing"):
        corpus.read(tmp_path)
    (tmp_path / corpus.INFORMATION).write_bytes("File,Task,Category\né".encode("latin-1"))
    with pytest.raises(corpus.CorpusError, match="no UTF-8 at byte 19"):
        corpus.read(tmp_path)


def test_categories_become_numbers_and_classes() -> None:
    entries = [corpus.Entry(f"{name}.txt", "a", Category(name), 1) for name in categories.NAMES]
    found = categories.numerical(corpus.table(entries))
    assert found["Category"].tolist() == [0, 1, 2, 3, -1]
    assert found["Class"].tolist() == [0, 1, 1, 1, -1]
    with pytest.raises(ValueError, match="copied"):
        categories.numerical(found.assign(Category="copied"))


def test_the_split_takes_of_each_task_one_of_a_plagiarised_category_and_two_of_the_others() -> None:
    frame = answers.synthetic("abc").frame()
    found = split.datatypes(frame)
    tests = found[found["Datatype"] == split.TEST].groupby(["Task", "Category"]).size()
    assert tests.to_dict() == {(task, number): 1 + (number == 0) for task in "abc" for number in range(4)}
    assert (found["Datatype"] == split.ORIG).sum() == 3
    assert found.equals(split.datatypes(frame, 1))
    assert not found.equals(split.datatypes(frame, 2))
    with pytest.raises(ValueError, match="repeats itself"):
        split.datatypes(frame.set_index("Task"))
