"""Scores of transformers against direct transcriptions of their equations."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, scoring_mode
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers import find_scorer
from search_spaces import FlexiBERTSpace, Signature, TensorSpec, TextEncoder

TOKENS = torch.tensor([[1, 7, 5, 9, 2], [1, 4, 2, 0, 0], [1, 8, 8, 2, 0]])
MASK = TOKENS != 0
LABELS = torch.tensor([0, 2, 1])


def encoder(seed: int = 0, hidden: int = 6) -> TextEncoder:
    torch.manual_seed(seed)
    return TextEncoder(
        vocabulary=12, length=5, outputs=3, layers=2, hidden=hidden, heads=2, head_size=3, ratio=2
    )


def scored(name: str, network: nn.Module | None = None) -> float:
    scorer, student, teacher = find_scorer(name), network or encoder(), encoder(1, 9)
    watched = ActivationReader(teacher, watches=scorer.teacher_watches)
    with scoring_mode(teacher), torch.no_grad(), watched as read:
        seen = read(TOKENS, MASK, labels=LABELS)
    with scoring_mode(student):
        probe = Probe(
            student,
            TOKENS,
            MASK,
            labels=LABELS,
            costs=Costs(1, 1),
            seed=0,
            watches=scorer.watches,
            differentiable=scorer.card.needs_gradients,
        )
        (found,) = scorer(probe, seen).values()
    return found


def heads_of(network: TextEncoder) -> list[tuple[Tensor, Tensor]]:
    """Return weights (B, L, L) and values (B, L, 3) of every head, from recorded inputs."""
    found: list[tuple[Tensor, Tensor]] = []
    for layer in range(2):
        attention = network.get_submodule(f"layers.{layer}.attention")
        kept: list[Tensor] = []
        handle = attention.register_forward_hook(
            lambda _m, args, _o, kept=kept: kept.append(args[0])
        )
        with torch.no_grad():
            network(TOKENS, MASK)
        handle.remove()
        query, key, value = (
            attention.get_submodule(part)(kept[0]).detach() for part in ("query", "key", "value")
        )
        for head in range(2):
            own = slice(3 * head, 3 * head + 3)
            scores = query[..., own] @ key[..., own].mT / 3**0.5
            weights = scores.masked_fill(~MASK[:, None], -torch.inf).softmax(dim=-1)
            found.append((weights, value[..., own]))
    return found


def test_attention_confidence_is_the_largest_head_output() -> None:
    means = []
    for weights, value in heads_of(encoder()):
        largest = [float((weights[n] @ value[n])[MASK[n]].max()) for n in range(3)]
        means.append(np.mean(largest))
    assert scored("attention_confidence") == pytest.approx(np.mean(means), rel=1e-5)


def test_head_confidence_is_the_largest_attention_weight() -> None:
    means = []
    for weights, _ in heads_of(encoder()):
        largest = [float(weights[n][MASK[n]].max()) for n in range(3)]
        means.append(np.mean(largest))
    assert scored("head_confidence") == pytest.approx(np.mean(means), rel=1e-5)


def gradients(network: TextEncoder) -> dict[str, Tensor]:
    F.cross_entropy(network(TOKENS, MASK), LABELS).backward()  # type: ignore[no-untyped-call]
    return {
        name: each.grad
        for name, each in network.named_parameters()
        if each.grad is not None and each.ndim == 2
    }


def test_synaptic_diversity_multiplies_nuclear_norms() -> None:
    network, total = encoder(), 0.0
    for name, gradient in gradients(network).items():
        if ".attention." in name:
            both = (network.get_parameter(name).detach(), gradient)
            total += float(np.prod([np.linalg.norm(each.numpy(), "nuc") for each in both]))
    assert scored("synaptic_diversity") == pytest.approx(total, rel=1e-4)


def test_synaptic_saliency_sums_over_feed_forward_weights() -> None:
    network, total = encoder(), 0.0
    for name, gradient in gradients(network).items():
        if ".feed_forward." in name:
            total += float((network.get_parameter(name).detach() * gradient).sum())
    assert scored("synaptic_saliency") == pytest.approx(total, rel=1e-3, abs=1e-6)


def test_activation_distance_counts_units_that_differ() -> None:
    network, codes = encoder(), []
    for layer in range(2):
        gelu = network.get_submodule(f"layers.{layer}.feed_forward.1")
        gelu.register_forward_hook(lambda _m, _i, output: codes.append(output > 0))
    network(TOKENS, MASK)
    shares = []
    for one in range(3):
        for other in range(3):
            if one != other:
                places = MASK[one] & MASK[other]
                pairs = [(code[one][places], code[other][places]) for code in codes]
                differ = sum(int((a != b).sum()) for a, b in pairs)
                shares.append(differ / sum(a.numel() for a, _ in pairs))
    assert scored("activation_distance") == pytest.approx(np.mean(shares), rel=1e-6)


@pytest.mark.parametrize("name", ["attention_relations", "attention_relations_raw"])
def test_attention_relations_are_highest_for_the_teacher_itself(name: str) -> None:
    assert scored(name, encoder(1, 9)) == pytest.approx(0, abs=1e-10)
    assert scored(name) < 0


@pytest.mark.parametrize(
    "name",
    ["attention_confidence", "head_confidence", "synaptic_diversity", "attention_relations"],
)
def test_networks_without_attention_are_refused(name: str) -> None:
    takes = Signature(
        (
            TensorSpec("input_ids", (5,), "int64", high=12),
            TensorSpec("attention_mask", (5,), "bool"),
        ),
        3,
    )
    space = FlexiBERTSpace()
    network = space.network(space.from_string("128:LT-DFT-2-512-1,LT-DCT-2-512-1"), takes)
    with pytest.raises(NetworkError, match="attention") as refused:
        scored(name, network)
    assert "\n" not in str(refused.value)
