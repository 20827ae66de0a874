"""What every runtime of the encoder promises. A new runtime adds one line to RUNTIMES."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opendpr.errors import UsageError
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Passage

RUNTIMES = {
    "openvino": RuntimeSettings("openvino", "fp32"),
    "torch": RuntimeSettings("torch", "fp32", "cpu"),
}
SAME = 1e-5
"""Largest difference of a component that fp32 may show between batches of different make-up."""
WORDS = [
    "the",
    "river",
    "rises",
    "in",
    "the",
    "mountains",
    "and",
    "flows",
    "past",
    "old",
    "towns",
    "to",
    "a",
    "cold",
    "grey",
    "sea",
]


@pytest.fixture(scope="module", params=RUNTIMES.values(), ids=RUNTIMES)
def encoder(request: pytest.FixtureRequest, tiny_model: Path) -> BertEncoder:
    return BertEncoder(Model(tiny_model), request.param)


def passage(text: str, title: str = "", number: int = 1) -> Passage:
    return Passage(number, "document", title, text, 0)


def texts_of_all_lengths(count: int) -> list[str]:
    """Texts of 1 to 120 words in no order of length."""
    generator = np.random.default_rng(5)
    return [" ".join(generator.choice(WORDS, size)) for size in generator.integers(1, 120, count)]


def test_vectors_are_rows_of_fp32_of_size_dim(encoder: BertEncoder) -> None:
    for vectors in (
        encoder.encode_questions(["who", "where is it"]),
        encoder.encode_passages([passage("a"), passage("b")]),
    ):
        assert vectors.shape == (2, encoder.dim) == (2, 32)
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_order_is_kept_and_other_texts_of_a_batch_change_nothing(encoder: BertEncoder) -> None:
    texts = texts_of_all_lengths(40)
    together = encoder.encode_passages([passage(text, number=n) for n, text in enumerate(texts)])
    alone = np.concatenate([encoder.encode_passages([passage(text)]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=0, atol=SAME)
    of_questions = encoder.encode_questions(texts)
    alone = np.concatenate([encoder.encode_questions([text]) for text in texts])
    np.testing.assert_allclose(of_questions, alone, rtol=0, atol=SAME)
    assert np.abs(together[:1] - together[1:]).max(axis=1).min() > 100 * SAME, "different texts have different vectors"


def test_runtimes_agree(tiny_model: Path) -> None:
    passages = [passage(text, title) for text, title in zip(texts_of_all_lengths(8), ["", "river"] * 4, strict=True)]
    vectors = [BertEncoder(Model(tiny_model), settings).encode_passages(passages) for settings in RUNTIMES.values()]
    np.testing.assert_allclose(vectors[0], vectors[1], rtol=0, atol=SAME)


def test_an_empty_title_is_no_title(encoder: BertEncoder) -> None:
    without, spaces, titled = encoder.encode_passages(
        [passage("a river"), passage("a river", " "), passage("a river", "Rhine")]
    )
    np.testing.assert_allclose(without, spaces, rtol=0, atol=SAME)
    np.testing.assert_allclose(without, encoder.encode_questions(["a river"])[0], rtol=0, atol=SAME)
    assert np.abs(without - titled).max() > 100 * SAME


def test_nothing_to_encode_gives_no_rows(encoder: BertEncoder) -> None:
    assert encoder.encode_questions([]).shape == (0, encoder.dim)
    assert encoder.encode_passages([]).shape == (0, encoder.dim)


def test_a_text_without_words_gets_a_vector(encoder: BertEncoder) -> None:
    assert np.isfinite(encoder.encode_questions(["", " \n"])).all()
    assert np.isfinite(encoder.encode_passages([passage(""), passage("", "Rhine")])).all()


def test_passages_longer_than_the_limit_are_counted_and_count_by_their_beginning(encoder: BertEncoder) -> None:
    limit = encoder.config.max_passage_tokens - 2
    (fits, cut), truncated = encoder.encode([passage("river " * limit), passage("river " * limit + "sea sea sea")])
    assert truncated == 1
    np.testing.assert_allclose(fits, cut, rtol=0, atol=SAME)
    titled = [passage("river " * (limit - 2), "Rhine"), passage("river " * (limit - 1), "Rhine")]
    assert encoder.encode(titled).truncated == 1, "the title and its [SEP] take room"


def test_a_question_longer_than_the_limit_counts_by_its_beginning(encoder: BertEncoder) -> None:
    limit = encoder.config.max_question_tokens - 2
    fits, cut = encoder.encode_questions(["river " * limit, "river " * limit + "sea sea sea"])
    np.testing.assert_allclose(fits, cut, rtol=0, atol=SAME)


def test_special_tokens_written_in_a_text_are_words(tiny_model: Path, encoder: BertEncoder) -> None:
    tokenizer = Tokenizer(Model(tiny_model).tokenizer_path)
    text = "[SEP] [CLS] [MASK] [PAD] [UNK]"
    (ids,) = tokenizer.ids([text])
    (tokens,) = tokenizer([text])
    np.testing.assert_array_equal(ids, tokens.ids)
    assert not {0, 100, 101, 102, 103} & set(ids.tolist())
    titled, written = encoder.encode_passages([passage("sea", "river"), passage("river [SEP] sea")])
    assert np.abs(titled - written).max() > 100 * SAME


@pytest.mark.parametrize("text", ["\ud800", "a \udfff river", "\x00", "a\x00river", "\ufeff\u202e\u200b", "\U0010ffff"])
def test_text_that_is_hardly_text_gets_a_vector(encoder: BertEncoder, text: str) -> None:
    assert np.isfinite(encoder.encode_questions([text])).all()
    assert np.isfinite(encoder.encode_passages([passage(text, text)])).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"runtime": "torch", "precision": "int8"},
        {"device": "cuda", "precision": "int8"},
        {"runtime": "openvino", "device": "cuda"},
    ],
)
def test_settings_that_cannot_work_together_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"int8 needs the openvino runtime|openvino runtime is for CPUs"):
        RuntimeSettings(**settings)


def test_networks_can_be_dropped_as_soon_as_they_have_answered(tiny_model: Path) -> None:
    """Freeing an OpenVINO network right after its last result once waited for ever for one of its own threads."""
    script = (
        "import sys; from pathlib import Path; from opendpr.model.encoder import BertEncoder\n"
        "from opendpr.model.runtime import RuntimeSettings; from opendpr.model.directory import Model\n"
        "for _ in range(30):\n"
        "    BertEncoder(Model(Path(sys.argv[1])), RuntimeSettings('openvino', 'fp32')).encode_questions(['who'] * 20)"
    )
    subprocess.run([sys.executable, "-c", script, str(tiny_model)], check=True, timeout=300)


def test_ctrl_c_after_networks_were_dropped_is_an_interruption(tiny_model: Path) -> None:
    """OpenVINO once left a freed signal stack behind, and the next signal ended the process by SIGSEGV."""
    script = (
        "import signal, sys; from pathlib import Path; from opendpr.model.encoder import BertEncoder\n"
        "from opendpr.model.runtime import RuntimeSettings; from opendpr.model.directory import Model\n"
        "encoders = [BertEncoder(Model(Path(sys.argv[1])), RuntimeSettings('openvino', 'fp32')) for _ in range(3)]\n"
        "for encoder in encoders: encoder.encode_questions(['who'])\n"
        "while encoders: del encoders[0]; encoder = None\n"
        "try: signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script, str(tiny_model)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
