"""What a size costs on several machines, by hand."""

import pytest

from opendpr.errors import ResourceError
from opendpr.search.cluster_cost import SERVER_BYTES, check_fits, cluster_estimate
from opendpr.search.cost import PROGRAM_BYTES, estimates


def test_a_billion_passages_on_sixteen_machines():
    cost = cluster_estimate(1_000_000_000, 384, 16, encoded_passages=2_500)
    share = 62_500_000
    element, neighbours = 72 + 8 + 768, 208  # 4 + 6 * 33 = 202 bytes, on a border of 8
    assert 8_168 // (element + 4 + neighbours + 4) == 7
    assert cost.server_memory_bytes == SERVER_BYTES + share * (8_192 // 7)
    row = 24 + 8 + 8 + 8 + 768
    assert 8_168 // (row + 4) == 9
    assert cost.server_disk_bytes == share * (8_192 // 7 + 8_192 // 9 + 22)
    assert cost.encode_seconds == pytest.approx(1_000_000_000 / 2_500 / 16)
    assert cost.collection_bytes == estimates(1_000_000_000, 384, recall=1.0)[0].disk_bytes
    assert cost.worker_memory_bytes == PROGRAM_BYTES


def test_vectors_longer_than_a_page_take_several():
    cost = cluster_estimate(10, 4_096, 1, encoded_passages=1.0)
    assert cost.server_disk_bytes == 10 * (2 * 8_192 + 2 * 8_192 + 22)


def test_what_does_not_fit_says_how_many_machines_would_do():
    cost = cluster_estimate(1_000_000_000, 384, 4, encoded_passages=2_500)
    with pytest.raises(
        ResourceError, match=r"each of 4 machines needs 293\.\d GB .* take 19 machines or more"
    ) as error:
        check_fits(cost, 1_000_000_000, 384, 64 * 10**9)
    assert "1,000,000,000 vectors" in str(error.value)
    enough = cluster_estimate(1_000_000_000, 384, 19, encoded_passages=2_500)
    check_fits(enough, 1_000_000_000, 384, 64 * 10**9)


def test_a_memory_smaller_than_a_server_names_no_number_of_machines():
    cost = cluster_estimate(1_000, 384, 2, encoded_passages=1.0)
    with pytest.raises(ResourceError, match="take machines with more memory"):
        check_fits(cost, 1_000, 384, 1_000_000)
