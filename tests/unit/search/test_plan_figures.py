"""What a size costs, by hand."""

import math
from dataclasses import asdict
from itertools import pairwise

import pytest
from typer import BadParameter

from opendpr.cli.options import amount, size
from opendpr.errors import ResourceError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.search.cost import (
    PASSAGE_TEXT_BYTES,
    PROGRAM_BYTES,
    SEARCH_BYTES,
    chosen,
    estimates,
    ivf_lists,
    machine_memory,
)
from opendpr.search.rates import Rates, build_seconds, made_up_passages, measure_rates
from opendpr.search.settings import SCANNED_PASSAGES

RATES = Rates(encoded_passages=50.0, indexed_passages=20_000.0, coded_vectors=50_000.0, scanned_vectors=200_000.0)


def offers(passages, dim=384, recall=0.95):
    exact, ivf = estimates(passages, dim, recall=recall)
    return exact, ivf


@pytest.mark.parametrize(
    ("rows", "lists"),
    [(0, 1), (1, 1), (2, 2), (100, 16), (100_000, 512), (1_000_000, 2_048), (10_000_000, 8_192), (21_000_000, 8_192)],
)
def test_lists_are_the_power_of_two_next_to_twice_the_root(rows, lists):
    assert ivf_lists(rows) in {lists, min(rows, lists) or 1}


def test_a_million_vectors_of_384_numbers():
    exact, ivf = offers(1_000_000)
    assert exact.memory_bytes == PROGRAM_BYTES + SEARCH_BYTES + 1_000_000 * (768 + 8)
    codes = 1_000_000 * (96 + 8) + 2_048 * 16 * 96
    assert ivf.memory_bytes == PROGRAM_BYTES + SEARCH_BYTES + codes + 2_048 * 384 * 4 + 1_000_000 * 9
    assert ivf.index_bytes == codes + 2_048 * 384 * 4 + 1_000_000 * 776
    assert exact.disk_bytes == 1_000_000 * (PASSAGE_TEXT_BYTES + 819), "5 vectors of 788 bytes on a page of 4,096"
    assert ivf.disk_bytes == exact.disk_bytes + ivf.index_bytes
    assert (exact.recall, ivf.recall) == (1.0, 0.95)


def test_long_vectors_take_whole_pages():
    for dim, stored in ((768, 2_048), (1_024, 4_096), (3_000, 8_192)):
        exact, _ = offers(10, dim)
        assert exact.disk_bytes == 10 * (PASSAGE_TEXT_BYTES + stored)


def test_seconds_follow_from_rates():
    assert build_seconds("exact", 1_000_000, RATES) == 50.0
    trained = 10 * 48 * 2_048 / 50_000
    assert build_seconds("ivf", 1_000_000, RATES) == pytest.approx(50.0 + 20.0 + trained + 5.0)


def test_made_up_passages_are_of_100_words_and_differ():
    texts = [passage.text for passage in made_up_passages(50)]
    assert {len(text.split()) for text in texts} == {100}
    assert len(set(texts)) == 50


def test_rates_are_measured_with_the_real_code(tiny_model):
    encoder = BertEncoder(Model(tiny_model), RuntimeSettings(precision="fp32"))
    rates = measure_rates(100_000, encoder.dim, (), encoder)
    assert all(0 < rate < math.inf for rate in asdict(rates).values())
    assert measure_rates(100, 8, made_up_passages(10), 7.5).encoded_passages == 7.5
    assert math.isinf(measure_rates(100, 8, made_up_passages(10), None).encoded_passages)


def test_small_collections_are_searched_exactly_and_large_ones_by_an_index():
    for passages, kind in (
        (1, "exact"),
        (SCANNED_PASSAGES, "exact"),
        (SCANNED_PASSAGES + 1, "ivf"),
        (21_000_000, "ivf"),
    ):
        assert chosen(list(offers(passages)), passages, 10**12).kind == kind


def test_what_does_not_fit_is_refused_with_both_sizes():
    with pytest.raises(ResourceError, match=r"21,000,000 passages do not fit into 1\.0 GB of memory \(exact 16\.6 GB"):
        chosen(list(offers(21_000_000)), 21_000_000, 10**9)
    with pytest.raises(ResourceError, match="1 passage does not fit"):
        chosen(list(offers(1)), 1, 1)


def test_an_index_asked_for_must_fit_too():
    with pytest.raises(ResourceError, match="do not fit"):
        chosen(list(offers(21_000_000)), 21_000_000, 8 * 10**9, "exact")
    assert chosen(list(offers(21_000_000)), 21_000_000, 8 * 10**9, "ivf").kind == "ivf"


def test_the_memory_of_a_container_is_what_it_may_use(tmp_path):
    whole = machine_memory([])
    limits = [tmp_path / "none", tmp_path / "unlimited", tmp_path / "limit"]
    limits[1].write_text("max\n")
    assert machine_memory(limits) == whole
    limits[2].write_text("100000000\n")
    assert machine_memory(limits) == 100_000_000 < whole


def test_more_costs_more():
    figures = [
        (offer.memory_bytes, offer.needed_bytes, offer.disk_bytes, build_seconds(offer.kind, passages, RATES))
        for passages in (10**5, 10**6, 10**7)
        for offer in offers(passages)
    ]
    for kind in (figures[::2], figures[1::2]):
        for smaller, larger in pairwise(kind):
            assert all(a < b for a, b in zip(smaller, larger, strict=True))


@pytest.mark.parametrize(
    ("text", "bytes"), [("8GB", 8 * 10**9), ("512 MiB", 512 * 2**20), ("1.5e9", 1_500_000_000), ("2tb", 2 * 10**12)]
)
def test_sizes(text, bytes):
    assert size(text) == bytes


@pytest.mark.parametrize("text", ["", "many", "8 GBB", "-1GB", "1.2.3GB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(BadParameter, match="is no size"):
        size(text)


@pytest.mark.parametrize(
    ("text", "passages"),
    [("21000000", 21_000_000), ("21,000,000", 21_000_000), ("21M", 21_000_000), ("1e9", 10**9), ("2.5k", 2_500)],
)
def test_numbers_of_passages(text, passages):
    assert amount(text) == passages


@pytest.mark.parametrize("text", ["0", "-5", "many", "5x", "", "0.2"])
def test_what_is_no_number_of_passages_is_refused(text):
    with pytest.raises(BadParameter, match="is no number of passages"):
        amount(text)
