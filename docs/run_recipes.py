"""Run the recipes of `docs/recipes.md` against a service, each whose library is installed here.

python docs/run_recipes.py http://127.0.0.1:8000
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "recipes.md"
PACKAGES = {"LangChain": "langchain-core", "LlamaIndex": "llama-index-core", "Haystack": "haystack-ai"}


def main(url: str) -> int:
    """Print what each recipe retrieves; returns how many could not be run."""
    missing = 0
    for name, code in re.findall(r"^## (\w+)\n.*?^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M):
        package = PACKAGES[name]
        try:
            installed = f"{package} {version(package)}"
        except PackageNotFoundError:
            print(f"{package} is not installed")
            missing += 1
            continue
        names: dict[str, Any] = {"__name__": name}
        exec(code.replace("http://127.0.0.1:8000", url), names)
        passages = names["passages"]
        assert len(passages) == 2, passages
        text = getattr(passages[0], "page_content", None) or getattr(passages[0], "content", None) or passages[0].text
        print(f"{installed}: {text!r}")
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
