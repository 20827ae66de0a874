"""How search works, in numbers: one set of settings for each concern, whose defaults are here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

SCANNED_PASSAGES = 50_000
"""Passages up to which every vector is scanned: an index would gain nothing."""

INDEX_RECALL = 0.95
"""Share of the best passages that an approximate index finds, if nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class ExactSettings:
    """How every vector is scanned."""

    wide_vectors: int = SCANNED_PASSAGES
    """Up to this many vectors are held as 32-bit numbers; more of them as 16-bit ones, which FAISS compares."""
    block_vectors: int = 8_192
    """Vectors multiplied at once."""
    single_questions: int = 64
    """Up to this many questions are compared one by one with 16-bit vectors, of which no wider copy is made."""
    thread_vectors: int = 10_000
    """One more thread compares a single question with 16-bit vectors for each this many."""
    tie_vectors: int = 16
    """Vectors fetched beyond those wanted, so that equal scores at the border are seen."""
    more_factor: int = 4
    """How many times as many are fetched where those are not enough."""


@dataclass(frozen=True, slots=True)
class IvfSettings:
    """How inverted lists are searched."""

    least_wanted: int = 100
    """A search for fewer passages takes as many candidates as one for this many."""
    scanned_part: int = 25
    """One part in this many, and less, is scanned rather than searched: a code is compared 20 times as fast as a
    vector, but the nearest lists hold hardly any of a few allowed passages."""
    lists_factor: int = 4
    """How many times as many lists are searched where the nearest hold too few passages."""
    candidate_bytes: int = 4_000_000
    """Size of the candidates' vectors held at once: they should stay in the processor's cache."""
    threaded_pieces: int = 16
    """Pieces of that size from which on several threads share them."""


@dataclass(frozen=True, slots=True)
class WordSettings:
    """How passages are searched by words."""

    writer_bytes: int = 64_000_000
    """Memory that tantivy may use to index passages."""
    tie_passages: int = 32
    """Passages fetched beyond k, so that equal scores at the end of the list are ordered by number."""
    named_passages: int = 4_096
    """Up to this many allowed passages are named to tantivy; for more, its results are filtered."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine that finds candidates by vectors, and how it is asked."""

    address: str
    allow_partial: bool = False
    """Search on without the servers that do not answer, and name them."""
    tie_vectors: int = 16
    """Candidates fetched beyond those wanted, so that close scores at the border are seen."""
    more_factor: int = 4
    """How many times as many candidates are fetched where too few may be shown."""
    named_passages: int = 4_096
    """Up to this many passages that meet a filter are compared themselves where the engine cannot apply it."""
    warned_vectors: int = 50_000
    """Vectors that the engine lacks, from which on a search says that a push is due."""
    scanned_vectors: int = 1_000_000
    """Up to this many vectors that the engine lacks are scanned; of more, the search is refused."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How one state of a collection is searched."""

    exact: ExactSettings = ExactSettings()
    ivf: IvfSettings = IvfSettings()
    words: WordSettings = WordSettings()
    engine: EngineSettings | None = None
    """Finds candidates by vectors; None means what lies beside the collection."""
    allow_partial: bool = False
    """Search a set without the members that are not there, and name them."""
    warn_incomplete: bool = True
    """Whether to warn of passages that lack a vector; False where more get one as they are needed."""
    attempts: int = 20
    """How often a search is started again because a writer removed a passage that it found."""


@dataclass(frozen=True, slots=True)
class EffortSettings:
    """How the effort of an approximate search is chosen."""

    questions: int = 500
    """Questions whose neighbours are searched for."""
    depths: tuple[int, ...] = (20, 100)
    """Numbers of best passages whose recall counts."""
    candidate_factors: tuple[int, ...] = (4, 8, 16, 32)
    """Candidates for each passage wanted, tried in this order."""
    least_recall_gain: float = 0.002
    """Recall that searching twice as many lists has to add; if it adds less, more candidates are tried instead."""
    progress_vectors: int = 100_000
    """Vectors scanned between two reports of progress."""
    seed: int = 1
    """Seed of the choice of passages that questions are made of."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """How the cache of vectors is built."""

    recall: float = INDEX_RECALL
    """Share of the best 20 and of the best 100 passages to find, on average over questions made of sampled passages."""
    vectors_per_note: int = 200_000
    """Vectors copied between two notes of progress."""
    vectors_per_save: int = 2_000_000
    """Vectors coded between two saves, each of which writes the whole index."""
    coding_batch_vectors: int = 32_768
    """Vectors coded at once."""
    sample_seed: int = 0
    """Seed of the choice of vectors that the lists are trained on."""
    effort: EffortSettings = EffortSettings()
    ivf: IvfSettings = IvfSettings()
    """How the index is searched while its effort is chosen."""
