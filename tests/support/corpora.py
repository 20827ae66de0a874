"""A corpus read as a whole."""

import sys

from opendpr.corpus import Corpus
from opendpr.corpus.events import Events, event_batches


def read_corpus(corpus: Corpus) -> Events:
    """All that is found in a corpus of which nothing is remembered, by kind."""
    (events,) = event_batches(corpus.events(), sys.maxsize)
    return events
