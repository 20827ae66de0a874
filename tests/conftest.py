"""What tests share: a model small enough for a test, the command line as a process, the development data."""

from __future__ import annotations

import os
import random
import shutil
import signal
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import hypothesis
import numpy as np
import pytest

from command_line import run_in_process
from opendpr.collection import open_collection
from opendpr.model.config import Architecture, EncoderConfig, ReaderConfig
from opendpr.model.directory import find_model, write_model
from served import Served, make_rivers, serving

hypothesis.settings.register_profile("untimed", deadline=None)  # no test fails because the machine is slow
hypothesis.settings.load_profile("untimed")

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

TINY = Architecture(vocab_size=30_522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
SECONDS = 300
"""After which a command that hangs is killed."""
LONGEST_FILES = (
    "behaviour/test_guide.py",
    "experiments/test_smoke.py",
    "behaviour/test_optimize.py",
    "behaviour/test_resume.py",
    "behaviour/test_api.py",
    "behaviour/test_bad_input.py",
)
"""They take half a minute of CPU or more, longest first."""
LONG_FOLDERS = frozenset({"behaviour", "contract", "experiments", "golden", "training"})
"""Their files take seconds; those of the other folders take less."""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
"""Of a Chromium that shows no window and asks nobody but the page."""


def pytest_configure() -> None:
    """Let commands that tests start be interrupted, where a shell script started the tests by `make test &`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, so that several processes that take file after file end at about the same time."""
    items.sort(key=_place)  # stable: the order within a file stays


def _place(item: pytest.Item) -> int:
    name = f"{item.path.parent.name}/{item.path.name}"
    if name in LONGEST_FILES:
        return LONGEST_FILES.index(name)
    return len(LONGEST_FILES) + (item.path.parent.name not in LONG_FOLDERS)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch on one thread: sums in the same order every time, and no quarrel over cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small files of other systems on which other tools fail in silence."""
    return Path(__file__).parent / "unit" / "interop" / "cases"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with encoder and reader: 2 layers, 32 wide, random weights that are always the same."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny", seed=0)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like `tiny_model` with other weights, so with another fingerprint."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "other", seed=1)


def write_tiny_model(directory: Path, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    bert = bert_weights(generator)
    heads = {
        "qa_outputs.weight": generator.normal(0, 0.3, (2, TINY.hidden_size)),
        "qa_outputs.bias": np.zeros(2),
        "qa_classifier.weight": generator.normal(0, 0.3, (1, TINY.hidden_size)),
        "qa_classifier.bias": np.zeros(1),
    }
    write_model(
        directory,
        name=directory.name,
        tokenizer=find_model("opendpr-minilm").tokenizer_path,
        encoder=(EncoderConfig(TINY, pooling="mean", similarity="cosine", tied=True), {"encoder": bert}),
        reader=(ReaderConfig(TINY), {**bert, **heads}),
    )
    return directory


def bert_weights(generator: np.random.Generator) -> dict[str, Any]:
    """Weights under Hugging Face's names; wide enough that different texts get different vectors."""
    d, wide = TINY.hidden_size, TINY.intermediate_size
    rows = {
        "word": TINY.vocab_size,
        "position": TINY.max_position_embeddings,
        "token_type": TINY.type_vocab_size,
    }
    weights: dict[str, Any] = {
        f"embeddings.{name}_embeddings.weight": generator.normal(0, 0.5, (n, d)) for name, n in rows.items()
    }
    norms = ["embeddings.LayerNorm"]
    for layer in (f"encoder.layer.{number}" for number in range(TINY.num_hidden_layers)):
        shapes = {
            "attention.self.query": (d, d),
            "attention.self.key": (d, d),
            "attention.self.value": (d, d),
            "attention.output.dense": (d, d),
            "intermediate.dense": (wide, d),
            "output.dense": (d, wide),
        }
        for name, shape in shapes.items():
            weights[f"{layer}.{name}.weight"] = generator.normal(0, 0.15, shape)
            weights[f"{layer}.{name}.bias"] = np.zeros(shape[0])
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = np.ones(d), np.zeros(d)
    return weights


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment of a command: a cache of its own, no colours."""
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1", "OPENDPR_PRECISION": "fp32"}


@pytest.fixture
def run(environment: dict[str, str], run_process: Run) -> Run:
    """Runs `opendpr` with the arguments given; keywords are those of `subprocess.run`.

    The command runs in the process of the test, unless a keyword is given that only a process can have. A test of
    signals, limits or what is left behind by an exit takes `run_process` or `start`.
    """

    def run(*arguments: object, **keywords: Any) -> subprocess.CompletedProcess[str]:
        if keywords.keys() <= {"cwd", "input"}:
            return run_in_process([str(argument) for argument in arguments], environment=environment, **keywords)
        return run_process(*arguments, **keywords)

    return run


@pytest.fixture
def run_process(environment: dict[str, str]) -> Run:
    """Like `run`, always as a process of its own."""

    def run(*arguments: object, **keywords: Any) -> subprocess.CompletedProcess[str]:
        settings = {
            "stdin": None if "input" in keywords else subprocess.DEVNULL,
            "timeout": SECONDS,
            "env": environment,
        }
        return subprocess.run(
            command(*arguments), **{**settings, **keywords}, capture_output=True, encoding="utf-8", check=False
        )

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Like `run`, but returns the process at once; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **keywords: Any) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        settings = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "env": environment}
        process = subprocess.Popen(command(*arguments), **{**settings, **keywords}, encoding="utf-8")
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def command(*arguments: object) -> list[str]:
    """The command line of `opendpr` with arguments."""
    return [sys.executable, "-m", "opendpr", *map(str, arguments)]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Chromium without a window, with a profile of its own, that reports its console and its requests."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def serve_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a service: a cache of its own, no token of whoever runs the tests."""
    cache = str(tmp_path_factory.mktemp("cache"))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENDPR_TOKEN")}
    return {**inherited, "XDG_CACHE_HOME": cache, "NO_COLOR": "1", "OPENDPR_PRECISION": "fp32"}


@pytest.fixture(scope="session")
def rivers(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A small collection, that tests leave as it was."""
    return make_rivers(tmp_path_factory.mktemp("unchanged") / "rivers", tiny_model)


@pytest.fixture(scope="session")
def served(
    rivers: Path, tmp_path_factory: pytest.TempPathFactory, serve_environment: dict[str, str]
) -> Iterator[Served]:
    """A service that may write, over a copy: what tests judge or add is not in `rivers`."""
    copy = shutil.copytree(rivers, tmp_path_factory.mktemp("served") / "rivers")
    with serving(copy, "--writable", environment=serve_environment) as served:
        yield served


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the development data."""
    folder = Path(os.environ.get("OPENDPR_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the development data is not here ({folder}); OPENDPR_DATA names its folder")
    return folder


def write_documents(folder: Path, documents: int = 60, words: int = 840, seed: int = 0) -> Path:
    """A folder of text files without meaning, always the same for the same seed."""
    generator = random.Random(seed)
    vocabulary = [f"{start}{end}" for start in ("lo", "ri", "sum", "dol", "set", "ama", "con") for end in string.digits]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(documents):
        text = " ".join(generator.choices(vocabulary, k=words))
        (folder / f"{number:03}.txt").write_text(f"document{number} {text}\n", encoding="utf-8")
    return folder


def contents(directory: Path) -> dict[tuple[str, int], tuple[str, str, bytes | None]]:
    """All passages of a collection by (document id, start): title, text and vector."""
    with open_collection(directory) as collection:
        vectors: dict[int, bytes] = {}
        if collection.encoder():
            for numbers, rows in collection.vectors():
                vectors.update((int(number), row.tobytes()) for number, row in zip(numbers, rows, strict=True))
        passages = list(collection.passages_after(0))
    found = {(p.document_id, p.start): (p.title, p.text, vectors.pop(p.number, None)) for p in passages}
    assert len(found) == len(passages), "a passage is there twice"
    assert not vectors, "there are vectors without a passage"
    return found
