"""Masked language modeling: selection of masked tokens, and the loss."""

import math

import pytest
import torch
from torch import nn

from diswot.errors import NetworkError
from diswot.tasks import values_of
from diswot.tasks.text import (
    MaskedLanguageModel,
    MaskedLMLoss,
    Masking,
    TextData,
    masked_lm_loss,
)
from diswot.training import Recipe
from tests.tasks.text.conftest import encoder_for


def model_for(data: TextData) -> MaskedLanguageModel:
    return MaskedLanguageModel(encoder_for(data))


def test_proportions_of_masked_tokens_equal_bert() -> None:
    masking = Masking(3, (0, 1, 2, 3), 1000)
    tokens = torch.full((4000, 10), 500)
    tokens[:, 0], tokens[:, -1] = 1, 2
    hidden, truth = masking(tokens, generator=torch.Generator().manual_seed(0))
    chosen = truth != -100
    assert (truth[chosen] == 500).all()
    assert chosen.any(dim=1).all()  # at least one token per text
    assert not chosen[:, [0, -1]].any()
    assert torch.equal(hidden[~chosen], tokens[~chosen])
    shares = [(hidden[chosen] == number).double().mean() for number in (3, 500)]
    assert shares[0] == pytest.approx(0.8, abs=0.02)
    assert shares[1] == pytest.approx(0.1, abs=0.02)
    assert chosen[:, 1:-1].double().mean() == pytest.approx(0.19, abs=0.02)  # 15 % and the first


def test_masks_of_a_split_are_deterministic(data: TextData) -> None:
    masked = data.masked()
    one, other = masked.batch("val", torch.arange(2)), data.masked().batch("val", torch.arange(2))
    assert torch.equal(one.inputs[0], other.inputs[0])
    assert one.labels is None
    drawn = masked.training(Recipe(1), device="cpu")
    torch.manual_seed(0)
    first, second = drawn(torch.arange(22)), drawn(torch.arange(22))
    assert not torch.equal(first.targets, second.targets)
    chosen = first.targets != -100
    truth = data.batch("train", torch.arange(22)).inputs[0]
    assert torch.equal(first.targets[chosen], truth[chosen])


def test_the_loss_of_an_untrained_model_is_near_ln_vocabulary(data: TextData) -> None:
    model = model_for(data)
    nn.init.zeros_(model.get_parameter("encoder.tokens.weight"))
    found = MaskedLMLoss().measure(model, data.masked(), "val")
    assert found.value == pytest.approx(math.log(data.tokenizer.vocabulary), rel=1e-5)
    assert (found.name, found.unit, found.higher_is_better) == ("masked-LM loss", "nats", False)
    values = values_of(MaskedLMLoss(), model, data.masked(), "val")
    assert MaskedLMLoss().is_near_chance(values, data.masked(), "val")


def test_the_loss_decreases_in_training(data: TextData) -> None:
    model, masked = model_for(data), data.masked()
    before = MaskedLMLoss().measure(model, masked, "test")
    batches = masked.training(Recipe(1), device="cpu")
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(40):
        batch = batches(torch.arange(22))
        optimizer.zero_grad()
        loss = masked_lm_loss(model(*batch.inputs), batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    after = MaskedLMLoss().measure(model, masked, "test")
    assert after.high < before.low
    assert after.low < after.value < after.high
    assert not MaskedLMLoss().is_near_chance(
        values_of(MaskedLMLoss(), model, masked, "test"), masked, "test"
    )


def test_networks_that_cannot_predict_tokens_are_refused() -> None:
    with pytest.raises(NetworkError, match="Linear cannot predict tokens: it has no embedding"):
        MaskedLanguageModel(nn.Linear(2, 2))
