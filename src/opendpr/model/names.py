"""Names of weights: in `model.safetensors` those of Hugging Face's BERT, in torch those of its modules."""

from __future__ import annotations

_LAYER_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}
_TOP_NAMES = {
    "bert.words": "embeddings.word_embeddings",
    "bert.positions": "embeddings.position_embeddings",
    "bert.types": "embeddings.token_type_embeddings",
    "bert.norm": "embeddings.LayerNorm",
    "bert.widening": "embeddings_project",
    "bert.relative": "encoder.relative_attention_bias",
    "projection": "projection",
    "spans": "qa_outputs",
    "selection": "qa_classifier",
    "head": "pooler.dense",
    "score": "classifier",
}


def stored_name(parameter: str) -> str:
    """The name under which a parameter of the modules of `torch.py` lies in `model.safetensors`."""
    module, _, kind = parameter.rpartition(".")
    if module in _TOP_NAMES:
        return f"{_TOP_NAMES[module]}.{kind}"
    _, _, number, part = module.split(".")
    return f"encoder.layer.{number}.{_LAYER_NAMES[part]}.{kind}"
