"""What is written beside an exported model: its card, and what its form leaves out."""

from __future__ import annotations

from opendpr.choices import ModelForm
from opendpr.model.directory import Model
from opendpr.model.foreign.transformers import DPR_LIMIT, dpr_encoder


def left_out(model: Model, form: ModelForm) -> list[str]:
    """What a form does not record, so that the model is another one when it is imported again."""
    notes = []
    config = model.encoder
    if config and form == "sentence-transformers":
        if model.reader:
            notes.append("the reader: sentence-transformers has none")
        if not config.input_form.title:
            notes.append("that titles are not read: import it again without titles")
    if form == "hf-qa":
        notes += _left_out_of_reader(model)
    if config and form in ("hf-dpr", "dpr"):
        usual = dpr_encoder(config.architecture)
        limits = config.max_question_tokens, config.max_passage_tokens
        if limits != (usual.max_question_tokens, usual.max_passage_tokens):
            notes.append(f"the longest question and passage, {limits[0]} and {limits[1]} tokens: DPR reads {DPR_LIMIT}")
    return notes


def _left_out_of_reader(model: Model) -> list[str]:
    reader, notes = model.require_reader(), []
    if model.encoder:
        notes.append("the encoder: a reader is a model of its own")
    if reader.selection:
        notes.append("the layer that selects passages: transformers' readers have none")
    if reader.input_form.title:
        notes.append("that titles are read before texts: such readers read a question and a text")
    return notes


def card(model: Model, form: str) -> str:
    """A model card: what the model is and how texts are fed to it."""
    lines = [f"# {model.name}", "", f"Written by opendpr in the form {form}.", ""]
    if config := model.encoder:
        shape, form_ = config.architecture, config.input_form
        lines += [
            f"Encoder: {shape.num_hidden_layers} layers, {config.dim} wide, pooling {config.pooling}, similarity "
            f"{config.similarity}, {'one tower' if config.tied else 'two towers'}; fingerprint {model.fingerprint}.",
            f"Longest question {config.max_question_tokens} tokens, longest passage {config.max_passage_tokens}.",
            f"Passages are read as {'title [SEP] text' if form_.title else 'their text'}.",
            f"Prefixes: questions {form_.question_prefix!r}, passages {form_.passage_prefix!r}.",
        ]
    if model.reader:
        layers = model.reader.architecture.num_hidden_layers
        lines.append(f"Reader: {layers} layers, up to {model.reader.max_tokens} tokens.")
    if model.reranker:
        lines.append(f"Re-ranker: {model.reranker.architecture.num_hidden_layers} layers.")
    return "\n".join(lines) + "\n"
