"""DataProcessing: what of a record the model sees, and how its answer is joined with the record."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal

from engine.transforms.paths import Path, PathError, compile_path

Format = Literal["csv", "json", "jsonlines"]

INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
_FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/json": "json",
    "application/jsonlines": "jsonlines",
}
FORMATS = tuple(_FORMATS)


class ProcessingError(Exception):
    """A record that cannot be filtered or joined.

    ``record`` counts from 0 within its mini-batch.
    """

    def __init__(self, message: str, record: int = 0) -> None:
        super().__init__(message)
        self.record = record


def format_of(content_type: str) -> Format | None:
    """The format of a MIME type, whatever its parameters; None when data processing does not know it."""
    return _FORMATS.get(content_type.partition(";")[0].strip().lower())


class Processing:
    """One job's filters and join.

    Args:
        spec: The request's ``DataProcessing``.
        split: Whether objects are split into lines; else each is one record, but for JSON Lines, whose lines are records anyway.
        moment: The time that every record gets beside an inference id of its own; none without it.

    Raises:
        PathError: A filter that is not a path of the subset.
    """

    def __init__(
        self, spec: Mapping[str, str], content_type: str, accept: str, *, split: bool, moment: str = ""
    ) -> None:
        self.input = compile_path(spec.get("InputFilter") or "$")
        self.output = compile_path(spec.get("OutputFilter") or "$")
        self.join = spec.get("JoinSource") == "Input"
        self._csv = format_of(content_type) == "csv" or (not content_type and format_of(accept) == "csv")
        self._csv_out = format_of(accept) == "csv"
        self._split = split
        self._lines_in = format_of(content_type) == "jsonlines"
        self._lines_out = split or format_of(accept) == "jsonlines"
        self._moment = moment

    @property
    def filters_input(self) -> bool:
        """Whether the model sees something else than the record."""
        return not self.input.whole

    @property
    def changes_output(self) -> bool:
        """Whether what is stored is something else than the model's answer."""
        return self.join or not self.output.whole or bool(self._moment)

    def payload(self, data: bytes) -> bytes:
        """What the model is sent in place of a mini-batch.

        Raises:
            ProcessingError: A record that the input filter does not fit.
        """
        if not self.filters_input:
            return data
        if self._csv:
            return _rows(self.input, self._records(data))
        values = (_loaded(text, number) for number, text in enumerate(self._documents(data)))
        return b"\n".join(
            _dumped(_selected(self.input, value, number)) for number, value in enumerate(values)
        )

    def stored(self, data: bytes, reply: bytes) -> bytes:
        """What is stored for a mini-batch and the model's answer to it, each record with its newline.

        Raises:
            ProcessingError: The answer has not as many records, or a record cannot be joined or filtered.
        """
        if not self.changes_output:
            return reply
        return self._stored_rows(data, reply) if self._csv_out else self._stored_values(data, reply)

    def _stored_rows(self, data: bytes, reply: bytes) -> bytes:
        rows = _lines(reply)
        if self.join:
            records = self._records(data)
            _same(len(records), len(rows))
            rows = [record + b"," + row for record, row in zip(records, rows, strict=True)]
        chosen = _rows(self.output, rows)
        if not self._moment:
            return chosen
        return b"".join(
            b"%b,%b,%b\n" % (row, str(uuid.uuid4()).encode(), self._moment.encode()) for row in _lines(chosen)
        )

    def _stored_values(self, data: bytes, reply: bytes) -> bytes:
        records = self._documents(data) if self.join else []
        answers = self._answers(reply, len(records) if self.join else None)
        if self.join:
            _same(len(records), len(answers))
            answers = [
                _joined(_loaded(record, number), answer)
                for number, (record, answer) in enumerate(zip(records, answers, strict=True))
            ]
        chosen = (_selected(self.output, value, number) for number, value in enumerate(answers))
        if self._moment:
            chosen = (_identified(value, self._moment) for value in chosen)
        return b"".join(_dumped(value) + b"\n" for value in chosen)

    def _answers(self, reply: bytes, wanted: int | None) -> list[Any]:
        """The answer's values: one document, one per line, or the elements of one array."""
        lines = [line for line in _lines(reply) if line.strip()]
        if not lines:
            return []
        if self._lines_out and wanted != 1 and wanted in (None, len(lines)):
            try:
                return [json.loads(line) for line in lines]
            except ValueError:
                pass  # One document over several lines, perhaps.
        try:
            value = json.loads(reply)
        except ValueError as error:
            if wanted not in (None, 1, len(lines)):
                _same(wanted or 0, len(lines))
            raise ProcessingError(
                f"Failed to parse output from the algorithm as JSON, as Accept says: {error}."
            ) from error
        several = isinstance(value, list) and wanted not in (None, 1) and len(value) == wanted
        return value if several else [value]

    def _records(self, data: bytes) -> list[bytes]:
        return _lines(data) if self._split else [data]

    def _documents(self, data: bytes) -> list[bytes]:
        """The JSON texts of a mini-batch: one a line, lines without one left out, or a whole object that is one."""
        if not (self._split or self._lines_in):
            return [data]
        found = [line for line in _lines(data) if line.strip()]
        return [data] if not self._split and len(found) > 1 and _is_document(data) else found


def _lines(data: bytes) -> list[bytes]:
    """Lines without their ends; nothing after the last newline is no line."""
    if not data:
        return []
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def _same(records: int, answers: int) -> None:
    if records != answers:
        raise ProcessingError(
            f"Fail to join data: mismatched line count between the input and the output. The model answered {answers} records to "
            f"{records}: it must answer one record for each, on a line of its own; BatchStrategy SingleRecord may help."
        )


def _rows(path: Path, rows: list[bytes]) -> bytes:
    """CSV rows with the chosen columns, one a line. What needs no parsing keeps its quotes and spaces."""
    if path.whole:
        return b"".join([row + b"\n" for row in rows])
    found = []
    for number, row in enumerate(rows):
        try:
            if b'"' in row:
                found.append(_quoted(path, row))
            else:
                chosen = path.pick(row.split(b","))
                found.append(b",".join(chosen))
        except PathError as error:
            raise ProcessingError(_sentence(error), number) from error
        except csv.Error as error:
            raise ProcessingError(f"The row is not CSV (RFC 4180): {error}.", number) from error
    found.append(b"")
    return b"\n".join(found)


def _quoted(path: Path, row: bytes) -> bytes:
    """The chosen columns of a row with quotes. Bytes that are not UTF-8 pass through unchanged."""
    columns = next(csv.reader([row.decode("utf-8", "surrogateescape")], strict=True), [])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(path.pick(columns))
    return stream.getvalue().encode("utf-8", "surrogateescape")


def _sentence(error: PathError) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


def _selected(path: Path, value: Any, number: int) -> Any:
    if path.whole:
        return value
    try:
        return path.select(value)
    except PathError as error:
        raise ProcessingError(_sentence(error), number) from error


def _loaded(text: bytes, number: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ProcessingError(f"The record is not JSON, as ContentType says: {error}.", number) from error


def _is_document(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _joined(record: Any, answer: Any) -> dict[str, Any]:
    if isinstance(record, dict):
        return {**record, OUTPUT: answer}
    return {INPUT: record, OUTPUT: answer}


def _identified(value: Any, moment: str) -> dict[str, Any]:
    known = value if isinstance(value, dict) else {OUTPUT: value}
    return {**known, "SageMakerInferenceId": str(uuid.uuid4()), "SageMakerInferenceTime": moment}


_encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _dumped(value: Any) -> bytes:
    return _encode(value).encode("utf-8", "surrogatepass")
