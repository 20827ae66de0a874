"""Measures of judged test collections, computed by the package `ir-measures` (extra `evaluation`)."""

from __future__ import annotations

from collections.abc import Mapping

from opendpr.errors import OpendprError

JUDGED_MEASURES = ("AP", "nDCG@10", "R@100", "R@1000", "RR")
"""Under the names of ir-measures; their means are MAP, nDCG@10, recall and MRR."""

Judgements = Mapping[str, Mapping[str, int]]
"""Question -> document -> how relevant."""


def judged(judgements: Judgements, run: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Each measure of each question of a run; a question without judgements is left out.

    Args:
        run: question -> document -> score; equal scores are ordered as trec_eval does, by id from the last

    Raises:
        OpendprError: ir-measures is not installed.
    """
    try:
        import ir_measures
    except ModuleNotFoundError:
        raise OpendprError(
            "measures of judged collections need ir-measures; pip install 'opendpr[evaluation]'"
        ) from None
    relevances = {question: dict(judgements[question]) for question in run if question in judgements}
    values: dict[str, dict[str, float]] = {question: {} for question in relevances}
    measures = [ir_measures.parse_measure(name) for name in JUDGED_MEASURES]
    for metric in ir_measures.iter_calc(
        measures, relevances, {question: dict(run[question]) for question in relevances}
    ):
        values[metric.query_id][str(metric.measure)] = float(metric.value)
    return {question: {name: measured[name] for name in JUDGED_MEASURES} for question, measured in values.items()}
