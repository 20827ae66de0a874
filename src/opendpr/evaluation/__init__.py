"""How good it is, and how sure that is: measures, judges, runs, comparisons and the report."""

from opendpr.evaluation.accuracy import first_rank, top_k_accuracy
from opendpr.evaluation.calibration import area_under_roc, expected_calibration_error, reliability
from opendpr.evaluation.statistics import Difference, Interval, bootstrap, compare, randomisation_test

__all__ = [
    "Difference",
    "Interval",
    "area_under_roc",
    "bootstrap",
    "compare",
    "expected_calibration_error",
    "first_rank",
    "randomisation_test",
    "reliability",
    "top_k_accuracy",
]
