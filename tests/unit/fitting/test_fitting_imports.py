"""Fitting needs numpy alone."""

from __future__ import annotations

import subprocess
import sys


def test_fitting_imports_no_torch() -> None:
    modules = ("answering", "cases", "confidence", "decoding", "fitted", "hybrid", "logistic", "settings")
    code = "".join(f"import opendpr.fitting.{name}\n" for name in modules)
    code += "import sys; print(*{'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
