"""Files of other systems with random damage: read, or refused with the file's name, and no other error."""

import json
import pickle
import re
import tempfile
import time
import tracemalloc
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendpr import interop as formats
from opendpr.errors import InputError, StateError
from opendpr.evaluation.run import read_question_records, read_run
from opendpr.interop.dpr_pickle import read_embeddings

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
EVALUATION = (
    '{"type": "run", "format": 1, "sets": {"nq": {"questions": 1}}, "systems": ["bm25"]}\n'
    '{"type": "question", "set": "nq", "question": "1", "system": "bm25", "text": "who", "answers": ["x"], "hits": '
    '{"ids": ["a", "b#0"], "scores": [2.5, 1]}, "answer_ranks": [2], "measures": {"answer@1": 0.0}, '
    '"read": {"5": {"failure": "not retrieved"}}}\n{"type": "scan", "absent": {"nq": ["1"]}}\n'
)
SHARDS = {
    f"shard_{protocol}.pkl": pickle.dumps([(f"wiki:{n}", np.arange(4, dtype=np.float32)) for n in range(3)], protocol)
    for protocol in (2, 4, 5)
}
SEEDS = {
    **{name: content.encode() for name, content in BLOCKS.items()},
    "evaluation.jsonl": EVALUATION.encode(),
    "marked.jsonl": b'{"question": "who", "passage": "by Ada", "answer_start": 3, "answer_text": "Ada", "title": ""}\n',
    **SHARDS,
}
TEXT_READERS = [
    formats.read_passages,
    formats.read_questions,
    formats.read_examples,
    formats.read_marked,
    formats.read_run,
    formats.read_qrels,
]
LIKELY = st.sampled_from(
    [
        *(b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b'"', b"'", b"[", b"]", b"{", b"}", b",", b"\t", b"\n", b"\r"),
        *(b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 5_000, b"[" * 3_000, b"cos\nsystem\n", b"\x93", b"\x8e"),
    ]
)
SECONDS = 5
BYTES = 100_000_000
CHECK = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def damaged(draw, names=sorted(SEEDS)):
    """A good file with pieces cut out, repeated, replaced; or only random bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = SEEDS[draw(st.sampled_from(names))]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.binary(max_size=8), LIKELY, st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


@st.composite
def damaged_shard(draw):
    data = SHARDS[draw(st.sampled_from(sorted(SHARDS)))]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 6)))
        data = data[:start] + draw(st.one_of(st.binary(max_size=3), LIKELY, st.just(data[start:end] * 2))) + data[end:]
    return data


def plain(value):
    """What JSON makes of a value that it does not know."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value) if isinstance(value, Mapping) else value.tolist()


def check(readers, content, examples, errors="strict"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"

        @settings(max_examples=examples, **CHECK)
        @given(content)
        def check(data):
            path.write_bytes(data)
            for read in readers:
                begun = time.process_time()
                try:
                    for result in read(path):
                        json.dumps(result, default=plain, ensure_ascii=False).encode(
                            "utf-8", errors
                        )  # it can be written
                except (InputError, StateError) as error:  # the latter of an evaluation that is not complete
                    assert re.match(rf"{re.escape(str(path))}([: ]|$)", str(error)), error
                    assert len(str(error)) < 1_000
                assert time.process_time() - begun < SECONDS

        tracemalloc.start()
        try:
            check()
            assert tracemalloc.get_traced_memory()[1] < BYTES
        finally:
            tracemalloc.stop()


def test_damaged_files_are_read_or_refused():
    check(TEXT_READERS, damaged(), 230)


def test_damaged_shards_are_read_or_refused():
    check([read_embeddings], damaged_shard(), 400)


def test_damaged_evaluations_are_read_or_refused():
    def read(path):
        return [read_run(path).measured]

    check(
        [read, read_question_records], damaged(["evaluation.jsonl"]), 200, "surrogatepass"
    )  # the report shows these too


@pytest.mark.slow
@pytest.mark.parametrize("read", TEXT_READERS)
def test_many_damaged_files_are_read_or_refused(read):
    check([read], damaged(), 10_000)


@pytest.mark.slow
def test_many_damaged_shards_are_read_or_refused():
    check([read_embeddings], damaged_shard(), 10_000)
