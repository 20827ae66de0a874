"""JSON is read piece by piece, as json reads it, with the line of what is wrong."""

import json
import tracemalloc
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreign import refusal, write
from opendpr.interop import read_examples
from opendpr.interop.json_stream import ReadSizes, read_array

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.lists(
        st.recursive(st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
    )
)
def test_an_array_is_read_as_json_reads_it(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("array") / "a.json"
    for indent in (None, 1):
        path.write_text(json.dumps(values, indent=indent, ensure_ascii=False), encoding="utf-8")
        assert [value for _, value in read_array(path)] == values


def test_elements_across_reads_are_whole_and_know_their_line(tmp_path):
    path = write(tmp_path / "a.json", '[\n{"a": "xéx"},\n 12345 ,\n"\\u00e9",\n[1, 2]\n]\n')
    for size in range(1, 40):
        result = list(read_array(path, sizes=ReadSizes(read_bytes=size)))
        assert [value for _, value in result] == [{"a": "xéx"}, 12345, "é", [1, 2]]
        assert [place for place, _ in result] == [f"{path}:{n + 1} (record {n})" for n in range(1, 5)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1, 2", ":1: not valid JSON: expected a comma, or the end of the array, found the end of the file"),
        ('[1,\n{"a": }]', ":2: not valid JSON: Expecting value"),
        ('[1,\n"abc', ":2: not valid JSON: Unterminated string"),
        ("[1]\nx", ":2: not valid JSON: expected the end of the file, found 'x'"),
        ("[1,]", ":1: not valid JSON: Expecting value"),
        ("[" * 100_000, ":1: not valid JSON: nested too deeply"),
        ("[" + "9" * 5_000 + "]", ":1: not valid JSON: Exceeds the limit"),
    ],
)
def test_an_array_that_is_not_json_is_refused_with_its_line(tmp_path, content, problem):
    assert refusal(read_array, tmp_path / "a.json", content).startswith(problem)


def test_an_element_that_never_ends_is_refused(tmp_path):
    content = '[{"a": "' + "x" * 5_000_000
    read = partial(read_array, sizes=ReadSizes(record_bytes=1_000_000))
    assert "more than 1 MB" in refusal(read, tmp_path / "a.json", content)


def test_memory_does_not_grow_with_a_training_file(tmp_path):
    def peak(records):
        first = {"question": "who", "answers": ["x"], "positive_ctxs": [{"title": "t", "text": "x" * 2_000}]}
        path = write(tmp_path / f"{records}.json", json.dumps([first] * records))
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_examples(path)) == records
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4_000) < 1.2 * peak(1_000)
