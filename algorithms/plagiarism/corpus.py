"""A folder of answers and originals with ``file_information.csv``, read whole or refused with every reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from algorithms.plagiarism import cleaning
from algorithms.plagiarism.categories import NAMES, Category

if TYPE_CHECKING:
    import pandas as pd

INFORMATION = "file_information.csv"
HEADER = ("File", "Task", "Category")


@dataclass(frozen=True)
class Defect:
    """What is wrong with one file or row, and what to do about it."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}; {self.remedy}"


class CorpusError(ValueError):
    """A corpus that cannot be used; ``defects`` are all that were found."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        more = len(defects) - 1
        super().__init__(f"{defects[0]}" + (f" (and {more} more)" if more else ""))
        self.defects = tuple(defects)


@dataclass(frozen=True)
class Entry:
    """One row of ``file_information.csv`` and its line there."""

    file: str
    task: str
    category: Category
    line: int


@dataclass(frozen=True)
class Document:
    """One text: as written, cleaned, and the number of bytes that were left out because they are no UTF-8."""

    file: str
    task: str
    category: Category
    written: str
    text: str
    dropped: int = 0

    @property
    def original(self) -> bool:
        """Whether answers are compared with it."""
        return self.category is Category.ORIG


@dataclass(frozen=True)
class Corpus:
    """Documents in the order of ``file_information.csv``; ``unlisted`` are text files that it does not name."""

    documents: tuple[Document, ...]
    unlisted: tuple[str, ...] = ()

    @cached_property
    def originals(self) -> dict[str, Document]:
        """The original of each task."""
        return {document.task: document for document in self.documents if document.original}

    @property
    def answers(self) -> tuple[Document, ...]:
        """All but the originals."""
        return tuple(document for document in self.documents if not document.original)

    def source(self, document: Document) -> Document:
        """The original that an answer is compared with."""
        return self.originals[document.task]

    def find(self, file: str) -> Document:
        """A document by its file name.

        Raises:
            KeyError: There is none.
        """
        for document in self.documents:
            if document.file == file:
                return document
        raise KeyError(f"the corpus has no file {file!r}")

    def frame(self) -> pd.DataFrame:
        """File, Task, Category and Class as numbers, and the cleaned Text; one row a document, indexed from 0."""
        import pandas as pd

        return pd.DataFrame(
            {
                "File": [document.file for document in self.documents],
                "Task": [document.task for document in self.documents],
                "Category": [document.category.number for document in self.documents],
                "Class": [document.category.label for document in self.documents],
                "Text": [document.text for document in self.documents],
            }
        )


def read(folder: Path, information: str = INFORMATION) -> Corpus:
    """The corpus in a folder.

    Raises:
        CorpusError: Everything that is wrong with its rows and files.
    """
    entries = read_information(folder / information)
    defects = list(_relations(entries, information))
    documents = []
    for entry in entries:
        try:
            documents.append(_document(folder, entry, information))
        except CorpusError as error:
            defects += error.defects
    if defects:
        raise CorpusError(defects)
    listed = {entry.file for entry in entries}
    unlisted = sorted(path.name for path in folder.glob("*.txt") if path.name not in listed)
    return Corpus(tuple(documents), tuple(unlisted))


def of(documents: Sequence[Document]) -> Corpus:
    """A corpus of documents that are in memory.

    Raises:
        CorpusError: As `read`.
    """
    entries = [
        Entry(document.file, document.task, document.category, line)
        for line, document in enumerate(documents, 1)
    ]
    defects = [*_relations(entries, "documents")]
    defects += [_wordless(document.file) for document in documents if not document.text.split()]
    if defects:
        raise CorpusError(defects)
    return Corpus(tuple(documents))


def document(file: str, task: str, category: Category, written: str) -> Document:
    """A document from its text as written."""
    return Document(file, task, category, written, cleaning.clean(written))


def read_information(path: Path) -> list[Entry]:
    """The rows of a table with the columns File, Task and Category.

    Raises:
        CorpusError: No such table, another header, or rows that say nothing usable (all of them).
    """
    name = path.name
    if not path.parent.is_dir():
        raise _refusal(str(path.parent), "is no folder", f"give the folder that holds {name} and the texts")
    expected = f"its first line must be {','.join(HEADER)}"
    try:
        content = path.read_bytes().decode("utf-8-sig")
        lines = csv.reader(io.StringIO(content, newline=""))
        rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines]
    except FileNotFoundError:
        raise _refusal(name, f"is missing in {path.parent}", f"add it; {expected}") from None
    except OSError as error:
        raise _refusal(
            name, f"cannot be read: {error.strerror}", "check that it is a file and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise _refusal(
            name, f"is no UTF-8 at byte {error.start}", "save it as comma-separated UTF-8 text"
        ) from error
    except csv.Error as error:
        raise _refusal(
            name, f"is no table: {error}", f"save it as comma-separated text; {expected}"
        ) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise _refusal(name, "is empty", expected)
    if tuple(rows[0][1]) != HEADER:
        raise _refusal(f"{name} row {rows[0][0]}", f"is {','.join(rows[0][1])!r}", expected)
    if len(rows) == 1:
        raise _refusal(name, "has a header and no rows", "add a row for each text")
    entries, defects = [], []
    for line, row in rows[1:]:
        entry = _entry(f"{name} row {line}", line, row)
        if isinstance(entry, Defect):
            defects.append(entry)
        else:
            entries.append(entry)
    if defects:
        raise CorpusError(defects)
    return entries


def table(entries: Sequence[Entry]) -> pd.DataFrame:
    """File, Task and Category (a name), one row an entry, indexed from 0."""
    import pandas as pd

    return pd.DataFrame(
        {
            "File": [entry.file for entry in entries],
            "Task": [entry.task for entry in entries],
            "Category": [entry.category.value for entry in entries],
        }
    )


def _entry(where: str, line: int, row: Sequence[str]) -> Entry | Defect:
    if len(row) != len(HEADER):
        return Defect(where, f"has {len(row)} cells", f"give three: {', '.join(HEADER)}")
    file, task, category = row
    if not file or not task:
        return Defect(where, f"has no {'File' if not file else 'Task'}", "fill it in or delete the row")
    if PurePosixPath(file).name != file or PureWindowsPath(file).name != file:
        return Defect(where, f"names {file!r}", "give a file in the same folder, without a path")
    if category not in NAMES:
        return Defect(where, f"has the unknown category {category!r}", f"use one of {', '.join(NAMES)}")
    return Entry(file, task, Category(category), line)


def _relations(entries: Sequence[Entry], name: str) -> Iterator[Defect]:
    first: dict[str, Entry] = {}
    originals: dict[str, Entry] = {}
    for entry in entries:
        where = f"{name} row {entry.line}"
        if entry.file in first:
            yield Defect(
                where, f"names {entry.file} again, after row {first[entry.file].line}", "keep one of the rows"
            )
        first.setdefault(entry.file, entry)
        if entry.category is Category.ORIG:
            if entry.task in originals:
                yield Defect(
                    where,
                    f"is a second original of task {entry.task!r}, after row {originals[entry.task].line}",
                    "keep one original a task",
                )
            originals.setdefault(entry.task, entry)
    lonely: dict[str, Entry] = {}
    for entry in entries:
        if entry.task not in originals:
            lonely.setdefault(entry.task, entry)
    for task, entry in lonely.items():
        yield Defect(
            f"{name} row {entry.line}",
            f"({entry.file}) answers task {task!r}, which has no original",
            f"add the original's file with task {task} and category {Category.ORIG}",
        )
    if len(originals) == len(entries):
        yield Defect(name, "lists originals only", "add the answers")


def _document(folder: Path, entry: Entry, information: str) -> Document:
    path = folder / entry.file
    row = f"{information} row {entry.line}"
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(entry.file, f"is missing ({row})", "add the file or delete the row") from None
    except OSError as error:
        raise _refusal(
            entry.file,
            f"cannot be read: {error.strerror} ({row})",
            "check that it is a file and its permissions",
        ) from error
    if not raw.strip():
        raise _refusal(entry.file, f"is empty ({row})", "restore its text or delete the row")
    try:
        decoded = cleaning.decode(raw)
    except cleaning.Undecodable as error:
        what, _, remedy = str(error).rpartition("; ")
        raise _refusal(entry.file, f"{what} ({row})", remedy) from error
    text = cleaning.clean(decoded.text)
    if not text.split():
        raise CorpusError([_wordless(f"{entry.file} ({row})")])
    return Document(entry.file, entry.task, entry.category, decoded.text, text, decoded.dropped)


def _wordless(where: str) -> Defect:
    return Defect(where, "has no word of the letters a-z and digits", "texts must be in English letters")


def _refusal(where: str, what: str, remedy: str) -> CorpusError:
    return CorpusError([Defect(where, what, remedy)])
