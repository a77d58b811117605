"""Initialize a supernet with the teacher's weights where they fit."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

_LAYER = re.compile(r"^(.*\blayers?\.)(\d+)(\..*)$")

_BERT = {
    "word_embeddings.weight": "tokens.weight",
    "position_embeddings.weight": "positions.weight",
    "embeddings.LayerNorm": "norm",
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "feed_forward.0",
    "output.dense": "feed_forward.2",
    "output.LayerNorm": "norm2",
}
"""Names of parameters in BERT-like models of transformers (endings) → in `TextEncoder`."""


@torch.no_grad()
def start_from(supernet: nn.Module, teacher: nn.Module) -> int:
    """Copy the teacher's weights into a supernet where they fit.

    Layer i of L is initialized from layer ⌊i·L_teacher/L⌋ of the teacher. Of each weight, the
    leading rows and columns that both have are copied; the rest stays randomly initialized.
    Classifiers are not copied, because a supernet is trained without labels.

    Source: AutoDistil (Xu et al., NeurIPS 2022), algorithm 1, line 1.

    Args:
        supernet: changed in place.
        teacher: a `TextEncoder`, or BERT, ELECTRA, RoBERTa or XLM-R of transformers.

    Returns:
        Number of weights copied; 0 if the teacher has another structure.
    """
    known, copied = _as_encoder(teacher), 0
    depth = max((int(m[2]) for name in known if (m := _LAYER.match(name))), default=-1) + 1
    parameters = dict(supernet.named_parameters())
    total = max((int(m[2]) for name in parameters if (m := _LAYER.match(name))), default=-1) + 1
    for name, parameter in parameters.items():
        match = _LAYER.match(name)
        source = name if match is None else f"layers.{int(match[2]) * depth // total}{match[3]}"
        result = known.get(source)
        if result is None or result.ndim != parameter.ndim or name.startswith("classifier."):
            continue
        # Copy the block that both have; the rest keeps its random initialization.
        both = tuple(slice(min(sizes)) for sizes in zip(parameter.shape, result.shape, strict=True))
        parameter[both] = result[both].to(parameter)
        copied += parameter[both].numel()
    return copied


def _as_encoder(teacher: nn.Module) -> Mapping[str, Tensor]:
    """Return a teacher's parameters by their names in `TextEncoder`."""
    state = {name: value.detach() for name, value in teacher.named_parameters()}
    if "tokens.weight" in state:
        return state
    results: dict[str, Tensor] = {}
    for name, value in state.items():
        match = _LAYER.match(name)
        prefix, rest = ("", name) if match is None else (f"layers.{match[2]}.", match[3])
        # Longest endings first: "output.dense" also ends "attention.output.dense".
        for ending, ours in sorted(_BERT.items(), key=lambda pair: -len(pair[0])):
            for suffix in ("", ".weight", ".bias"):
                if rest.endswith(f".{ending}{suffix}") and f"{prefix}{ours}{suffix}" not in results:
                    results[f"{prefix}{ours}{suffix}"] = value
                    break
            else:
                continue
            break
    return _projected(state, _with_positions(teacher, results))


def _projected(state: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Map embeddings that are narrower than the layers, as in ELECTRA, to the layers' width.

    The LayerNorm between the embeddings and their projection has no counterpart in `TextEncoder`
    and is left out, so this initialization is approximate.
    """
    names = ("embeddings_project.weight", "embeddings_project.bias")
    weight, bias = (
        next((value for name, value in state.items() if name.endswith(ending)), None)
        for ending in names
    )
    if weight is None or bias is None or "tokens.weight" not in found:
        return found
    projected = {name: value for name, value in found.items() if not name.startswith("norm.")}
    projected["tokens.weight"] = found["tokens.weight"] @ weight.T
    if "positions.weight" in found:
        projected["positions.weight"] = found["positions.weight"] @ weight.T + bias
    return projected


def _with_positions(teacher: nn.Module, found: dict[str, Tensor]) -> Mapping[str, Tensor]:
    """Adapt position embeddings to `TextEncoder`.

    RoBERTa and XLM-R number positions after their padding index, so these rows are dropped.
    BERT adds a segment embedding to every token; that of the first segment is added here.
    """
    positions = found.get("positions.weight")
    if positions is None:
        return found
    for module in teacher.modules():
        embedding = getattr(module, "position_embeddings", None)
        if isinstance(embedding, nn.Embedding):
            # RoBERTa's positions start after the padding index.
            if embedding.padding_idx is not None:
                positions = positions[embedding.padding_idx + 1 :]
            # Single texts have segment 0 only, so its embedding is added to the positions.
            segments = getattr(module, "token_type_embeddings", None)
            if isinstance(segments, nn.Embedding):
                positions = positions + segments.weight.detach()[0]
            break
    return found | {"positions.weight": positions}
