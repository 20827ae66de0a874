"""Which ids were given before."""

from contextlib import closing

from opendpr.corpus.first_places import FirstPlaces

IDS = ["a", "A", "a ", "a\0", "a\0b", "é", "e\u0301", "1", "01", "1.0", " ", "'", "notes/a.txt"]


def test_each_id_keeps_the_place_that_gave_it_first():
    with closing(FirstPlaces()) as places:
        assert [places.claim(id, f"first {id}") for id in IDS] == [None] * len(IDS)
        assert [places.claim(id, f"second {id}") for id in IDS] == [f"first {id}" for id in IDS]


def test_a_corpus_larger_than_what_is_held_in_memory_is_remembered():
    count = 200_000
    with closing(FirstPlaces()) as places:
        for number in range(count):
            assert places.claim(f"{number:x}" * 10, f"documents.jsonl:{number}") is None
        assert places.claim("7" * 10, "again") == "documents.jsonl:7"
        assert places.claim(f"{count - 1:x}" * 10, "again") == f"documents.jsonl:{count - 1}"
