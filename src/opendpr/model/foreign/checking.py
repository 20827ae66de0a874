"""Imported models beside the libraries that they come from: the same texts, and the largest difference of a number.

The libraries are not needed for anything else; without them a model is imported and not compared.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opendpr.model.batches import pad
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign.importing import OWN_KIND, ImportedModel
from opendpr.model.foreign.sentence_transformers import is_sentence_transformer
from opendpr.model.foreign.transformers import class_of
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.windows import windows
from opendpr.types import Passage

LONG_TEXT = "The Rhine rises in the Swiss Alps and flows to the North Sea. " * 60
GOLDEN_TEXTS = (
    "who wrote the letter?",
    "Zürich, Café, naïve: ÀÉÎ",
    "MiXeD CaSe WORDS",
    "12.50 % (of 3,000)",
    "x",
    "",
    LONG_TEXT,
)
"""Empty, short and long, with accents and capitals."""
GOLDEN_QUESTION = "Where does the Rhine rise?"
RUNTIME = RuntimeSettings("openvino", "fp32")

Floats = NDArray[np.float32]


def compare(imported: ImportedModel, paths: Mapping[str, Path]) -> dict[str, float | str]:
    """By what was compared, the largest difference; or why it could not be.

    Args:
        paths: the sources, by what they are for
    """
    with _silence():
        return _compared(imported, paths)


@contextmanager
def _silence() -> Iterator[None]:
    """Without what the libraries, and our encoder of a text that is too long, have to say."""
    with suppress(ModuleNotFoundError):
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _compared(imported: ImportedModel, paths: Mapping[str, Path]) -> dict[str, float | str]:
    differences: dict[str, float | str] = {}
    for part, path in paths.items():
        kind, name = imported.sources[part].kind, part or "model"
        if path.is_file():
            differences[name] = "not compared: no library at hand reads checkpoints of DPR"
            continue
        if kind == OWN_KIND:
            continue
        try:
            differences |= {
                f"{part} {what}".strip(): value for what, value in _differences(imported.model, path).items()
            }
        except ModuleNotFoundError as error:
            differences[name] = f"not compared with the source of this {kind}: {error.name} is not installed"
    return differences


def _differences(model: Model, path: Path) -> dict[str, float]:
    kind = class_of(path)
    if kind.endswith("ForSequenceClassification"):
        return {
            "scores": _largest(
                _their_scores(model, path), CrossEncoder(model, RUNTIME).score(GOLDEN_QUESTION, _passages())
            )
        }
    if is_sentence_transformer(path):
        return _sentence_transformer(model, path)
    if kind.endswith("ForQuestionAnswering") or kind == "DPRReader":
        return {"logits": _reader(model, path)}
    if kind in ("DPRQuestionEncoder", "DPRContextEncoder"):
        return {"vectors": _dpr_encoder(model, path, kind)}
    return {"vectors": _network(model, path)}


def _passages() -> list[Passage]:
    return [Passage(number, "", "", text, 0) for number, text in enumerate(GOLDEN_TEXTS)]


def _largest(theirs: Floats, ours: Floats) -> float:
    return float(np.abs(np.asarray(theirs, np.float32) - ours).max())


def _unit(vectors: Floats, model: Model) -> Floats:
    """Their vectors in the form in which ours are compared."""
    if model.require_encoder().similarity == "dot":
        return vectors
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _sentence_transformer(model: Model, path: Path) -> dict[str, float]:
    from sentence_transformers import SentenceTransformer

    theirs, ours = (
        SentenceTransformer(str(path), device="cpu", local_files_only=True),
        BertEncoder(model, RUNTIME),
    )
    form = ours.config.input_form
    questions = theirs.encode_query(list(GOLDEN_TEXTS), prompt=form.question_prefix, show_progress_bar=False)
    passages = theirs.encode_document(list(GOLDEN_TEXTS), prompt=form.passage_prefix, show_progress_bar=False)
    return {
        "questions": _largest(_unit(questions, model), ours.encode_questions(GOLDEN_TEXTS)),
        "passages": _largest(_unit(passages, model), ours.encode_passages(_passages())),
    }


def _their_scores(model: Model, path: Path) -> Floats:
    import torch
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(path, local_files_only=True).eval()
    tokenizer = _their_tokenizer(path)
    limit = model.require_reranker().max_tokens
    pairs = [(GOLDEN_QUESTION, text) for text in GOLDEN_TEXTS]
    with torch.no_grad():
        fed = tokenizer(pairs, padding=True, truncation=True, max_length=limit, return_tensors="pt")
        scores: Floats = network(**fed).logits[:, 0].numpy()
    return scores


def _their_tokenizer(path: Path) -> Callable[..., Any]:
    from transformers import AutoTokenizer

    tokenizer: Callable[..., Any] = AutoTokenizer.from_pretrained(path, local_files_only=True)
    return tokenizer


def _dpr_encoder(model: Model, path: Path, kind: str) -> float:
    import torch
    import transformers

    encoder = BertEncoder(model, RUNTIME)
    asking = kind == "DPRQuestionEncoder"
    limit = encoder.config.max_question_tokens if asking else encoder.config.max_passage_tokens
    network = getattr(transformers, kind).from_pretrained(path, local_files_only=True).eval()
    fed = _their_tokenizer(path)(
        list(GOLDEN_TEXTS), padding=True, truncation=True, max_length=limit, return_tensors="pt"
    )
    with torch.no_grad():
        theirs = network(input_ids=fed["input_ids"], attention_mask=fed["attention_mask"]).pooler_output.numpy()
    return _largest(theirs, encoder.encode_questions(GOLDEN_TEXTS) if asking else encoder.encode_passages(_passages()))


def _network(model: Model, path: Path) -> float:
    import torch
    from transformers import AutoModel

    from opendpr.model.torch import pooled

    encoder = BertEncoder(model, RUNTIME)
    limit = encoder.config.max_question_tokens
    network = AutoModel.from_pretrained(path, local_files_only=True).eval()
    texts = [encoder.config.input_form.question_prefix + text for text in GOLDEN_TEXTS]
    fed = _their_tokenizer(path)(texts, padding=True, truncation=True, max_length=limit, return_tensors="pt")
    with torch.no_grad():
        hidden = network(**fed).last_hidden_state
    vectors = pooled(hidden, fed["attention_mask"], encoder.config.pooling).numpy()
    return _largest(_unit(vectors, model), encoder.encode_questions(GOLDEN_TEXTS))


def _reader(model: Model, path: Path) -> float:
    """Start, end and selection logits of the first window of each text; an empty one has none."""
    import torch
    import transformers

    config, tokenizer = model.require_reader(), Tokenizer(model.tokenizer_of("reader"))
    kind = class_of(path) if class_of(path) == "DPRReader" else "AutoModelForQuestionAnswering"
    theirs = getattr(transformers, kind).from_pretrained(path, local_files_only=True).eval()
    ours = load_network(model, "reader", RUNTIME, throughput=False)
    (question,) = tokenizer.ids([GOLDEN_QUESTION])
    differences = []
    for text in tokenizer(list(filter(None, GOLDEN_TEXTS))):
        sequence = windows(question, question[:0], text, config=config, tokenizer=tokenizer)[0].sequence
        ids, types = (torch.from_numpy(array[None].astype(np.int64)) for array in (sequence.ids, sequence.types))
        typed = {"token_type_ids": types} if config.input_form.token_types == "segments" else {}
        with torch.no_grad():
            out = theirs(input_ids=ids, attention_mask=torch.ones_like(ids), **typed)
        logits = ours([pad([sequence], tokenizer.pad)])[0][0]
        selection = out.relevance_logits.numpy().reshape(1) if config.selection else logits[:1]
        expected = np.concatenate([selection, out.start_logits[0].numpy(), out.end_logits[0].numpy()])
        differences.append(_largest(expected, logits))
    return max(differences)
