"""Sizes are shown in a unit that suits them."""

import pytest

from opendpr.storage.sizes import readable_size


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (9_400_000, "9.4 MB"),
        (16_600_000_000, "16.6 GB"),
        (4 * 10**15, "4,000.0 TB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_suits_it(size, words):
    assert readable_size(size) == words
