"""DataProcessing: the JSONPath subset, what the model sees, and how answers are joined."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.transforms.paths import PathError, compile_path
from engine.transforms.processing import Processing, ProcessingError

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
ROW = [0, 1, 2, 3, 4, 5, 6]
RECORD = {
    "id": 7,
    "features": [1, 2],
    "a": {"b": 2, "c": {"d": 1}},
    "x y": 3,
    "SageMakerOutput": {"label": 1},
}

indexes = st.integers(-3, 2).map(str)
# The library that is compared with cannot read a slice without a start behind a comma.
slices = st.tuples(st.integers(-5, 5), st.integers(-5, 5) | st.none()).map(
    lambda ends: f"{ends[0]}:{'' if ends[1] is None else ends[1]}"
)
values: st.SearchStrategy[Any] = st.recursive(
    st.integers() | st.text(max_size=5) | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
cells = st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=6)


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$", ROW),
        ("$[1:]", [1, 2, 3, 4, 5, 6]),
        ("$[:2]", [0, 1]),
        ("$[0,5:]", [0, 5, 6]),
        ("$[-1]", 6),
        ("$[0,-1]", [0, 6]),
        ("$[ 1 , 3 ]", [1, 3]),
        ("$[*]", ROW),
        ("$.*", ROW),
    ],
)
def test_paths_into_rows(path: str, chosen: Any) -> None:
    assert compile_path(path).select(ROW) == chosen
    assert compile_path(path).for_rows


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("$.features", [1, 2]),
        ("$.features[1]", 2),
        ("$['id','SageMakerOutput']", {"id": 7, "SageMakerOutput": {"label": 1}}),
        ('$["id"]', 7),
        ("$['x y']", 3),
        ("$.a.['b','c']", {"b": 2, "c": {"d": 1}}),
        ("$.a.c.d", 1),
        ("$.a.*", [2, {"d": 1}]),
        ("$.a.*.d", [1]),
        ("$['a','SageMakerOutput'].b", [2]),
    ],
)
def test_paths_into_objects(path: str, chosen: Any) -> None:
    assert compile_path(path).select(RECORD) == chosen


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "begin with"),
        ("id", "begin with"),
        ("$..id", "'..'"),
        ("$[?(@.a>1)]", "filter expression"),
        ("$[1", "closing"),
        ("$.a.", "no name"),
        ("$['a',1]", "mixes"),
        ("$[]", "cannot be read"),
        ("$x", "cannot be read"),
        ("$[1:2:3]", "closing"),
    ],
)
def test_what_is_no_path_is_refused(path: str, text: str) -> None:
    with pytest.raises(PathError, match=text):
        compile_path(path)


@given(st.lists(values, min_size=3, max_size=7), st.lists(indexes | slices, min_size=2, max_size=4))
def test_indexes_and_slices_choose_what_the_standard_says(row: list[Any], items: list[str]) -> None:
    path = f"$[{','.join(items)}]"
    assert compile_path(path).select(row) == jsonpath.findall(path, row)


# The peer reads a text at the top as JSON, '[' as a broken one.
@given(
    values.filter(lambda value: not isinstance(value, str)),
    st.lists(st.sampled_from(["a", "b", "*"]), max_size=3),
)
def test_names_choose_what_the_standard_says(value: Any, names: list[str]) -> None:
    path = "$" + "".join(f".{name}" for name in names)
    wanted = jsonpath.findall(path, value)
    try:
        found = compile_path(path).select(value)
    except PathError:
        assert wanted == []
        return
    assert found == wanted if "*" in names else [found] == wanted


def test_an_index_outside_the_record_is_an_error() -> None:
    for path in ("$[7]", "$[-8]", "$[0,7]"):
        with pytest.raises(PathError, match="outside the record"):
            compile_path(path).select(ROW)
    with pytest.raises(PathError, match="no 'nothing'"):
        compile_path("$.nothing").select(RECORD)


def csv_job(split: bool = True, **spec: str) -> Processing:
    return Processing(spec, CSV, CSV, split=split)


def json_job(accept: str = LINES, split: bool = True, **spec: str) -> Processing:
    return Processing(spec, LINES, accept, split=split)


def test_rows_are_filtered_and_joined() -> None:
    job = csv_job(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    data = b'7,1,2\n8,"a,b","say ""no"""\r\n9,,\n'
    assert job.payload(data) == b'1,2\n"a,b","say ""no"""\n,\n'
    assert job.stored(data, b"0.5\n0.25\n0.125") == b"7,0.5\n8,0.25\n9,0.125\n"
    whole = csv_job(JoinSource="Input")
    assert whole.payload(data) is data
    # Without a filter the rows stay as they were written.
    assert whole.stored(data, b"a\nb\nc\n") == b'7,1,2,a\n8,"a,b","say ""no""",b\n9,,,c\n'
    assert csv_job(OutputFilter="$[1]").stored(b"ignored\n", b"1,2\n3,4") == b"2\n4\n"


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=6))
def test_any_row_survives_filter_and_join(rows: list[list[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    data = stream.getvalue().encode()
    job = csv_job(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")

    def read(text: bytes) -> list[list[str]]:
        return [row or [""] for row in csv.reader(io.StringIO(text.decode()))]

    assert read(job.payload(data)) == [row[1:] for row in rows]
    answers = "".join(f"{number}\n" for number in range(len(rows))).encode()
    assert read(job.stored(data, answers)) == [[row[0], str(number)] for number, row in enumerate(rows)]


def test_rows_that_do_not_fit_are_named() -> None:
    job = csv_job(InputFilter="$[2]", JoinSource="Input")
    with pytest.raises(ProcessingError, match=r"outside the record.*no index 2 among 2") as caught:
        job.payload(b"1,2,3\n4,5\n")
    assert caught.value.record == 1
    with pytest.raises(ProcessingError, match="not CSV") as caught:
        job.payload(b'1,2,3\n1,"2"x,3\n')
    assert caught.value.record == 1
    aws = "Fail to join data: mismatched line count between the input and the output"
    with pytest.raises(ProcessingError, match=f"{aws}.*answered 1 records to 2"):
        job.stored(b"1,2,3\n4,5,6\n", b"1")


def test_objects_are_joined_under_the_reserved_name() -> None:
    job = json_job(InputFilter="$.features", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")
    data = b'{"id": 1, "features": [1, 2]}\n{"id": "\xc3\xa4", "features": []}\n'
    assert job.payload(data) == b"[1,2]\n[]"
    assert job.stored(data, b'{"label":1}\n{"label":2}\n') == (
        b'{"id":1,"SageMakerOutput":{"label":1}}\n{"id":"\xc3\xa4","SageMakerOutput":{"label":2}}\n'
    )
    whole = json_job(JoinSource="Input")
    assert whole.stored(b'{"key":1}', b'{"label":1}') == b'{"key":1,"SageMakerOutput":{"label":1}}\n'
    assert whole.stored(b"[1,2]\n3\n", b"4\n5\n") == (
        b'{"SageMakerInput":[1,2],"SageMakerOutput":4}\n{"SageMakerInput":3,"SageMakerOutput":5}\n'
    )


def test_every_record_gets_an_id_of_its_own() -> None:
    job = Processing({}, LINES, LINES, split=True, moment="2022-08-30T00:49:15Z")
    first, second = (json.loads(line) for line in job.stored(b"", b'{"output":0}\n7\n').splitlines())
    assert first["output"] == 0
    assert second["SageMakerOutput"] == 7
    assert first["SageMakerInferenceTime"] == "2022-08-30T00:49:15Z"
    assert first["SageMakerInferenceId"] != second["SageMakerInferenceId"]


def test_a_whole_document_is_one_record() -> None:
    job = json_job(JSON, split=False, JoinSource="Input")
    document = b'{\n "instances": [1, 2]\n}\n'
    joined = json.loads(job.stored(document, b'{"predictions":[3,4]}'))
    assert joined == {"instances": [1, 2], "SageMakerOutput": {"predictions": [3, 4]}}
    picked = json_job(JSON, split=False, OutputFilter="$.predictions[*].score")
    assert picked.stored(b"", b'{"predictions":[{"score":3},{"score":4}]}') == b"[3,4]\n"


def test_json_lines_are_records_whether_split_or_not() -> None:
    spec = {"InputFilter": "$.a", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    data = b'{"id":1,"a":7}\n\n{"id":2,"a":8}'
    for split in (True, False):
        job = json_job(split=split, **spec)
        assert job.payload(data) == b"7\n8"
        assert (
            job.stored(data, b"70\n80\n") == b'{"id":1,"SageMakerOutput":70}\n{"id":2,"SageMakerOutput":80}\n'
        )
    picked = json_job(split=False, OutputFilter="$.p")
    assert picked.stored(b"", b'{"p":1}\n{"p":2}\n') == b"1\n2\n"


def test_one_array_may_answer_many_records() -> None:
    job = json_job(JSON, JoinSource="Input", OutputFilter="$.SageMakerOutput")
    assert job.stored(b'{"a":1}\n{"a":2}\n', b'[{"p":1},{"p":2}]') == b'{"p":1}\n{"p":2}\n'
    with pytest.raises(ProcessingError, match="answered 1 records to 2"):
        job.stored(b'{"a":1}\n{"a":2}\n', b'{"predictions":[1,2]}')
    with pytest.raises(ProcessingError, match="answered 0 records to 1"):
        job.stored(b'{"a":1}\n', b"")


def test_what_is_no_json_is_named() -> None:
    job = json_job(InputFilter="$.a", JoinSource="Input")
    with pytest.raises(ProcessingError, match="not JSON, as ContentType") as caught:
        job.payload(b'{"a":1}\n{\n')
    assert caught.value.record == 1
    with pytest.raises(ProcessingError, match="no 'a'"):
        job.payload(b'{"b":1}\n')
    with pytest.raises(ProcessingError, match="parse output from the algorithm as JSON"):
        job.stored(b'{"a":1}\n', b"0.5,0.25")


@given(st.lists(values, min_size=1, max_size=5), st.lists(values, min_size=5, max_size=5))
def test_any_value_survives_a_join(records: list[Any], answers: list[Any]) -> None:
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    reply = "\n".join(json.dumps(answer) for answer in answers[: len(records)]).encode()
    stored = json_job(JoinSource="Input").stored(data, reply)
    for line, record, answer in zip(stored.splitlines(), records, answers, strict=False):
        joined = json.loads(line)
        assert joined.pop("SageMakerOutput") == answer
        assert joined == record if isinstance(record, dict) else joined == {"SageMakerInput": record}
