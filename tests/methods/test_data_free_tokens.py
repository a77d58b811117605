"""Distillation without training data for networks of tokens."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import NetworkError, TeacherError
from diswot.losses import parse_objective
from diswot.methods import find_method
from diswot.methods.data_free import (
    OBJECTIVES,
    SAMPLES,
    DataFreeMethod,
    TokenGenerator,
    embedding_statistics,
    taking_mixtures,
)
from diswot.methods.data_free._tokens import TokenInputs
from diswot.options import filled
from diswot.tasks import TokenSplit, find_task
from diswot.tasks.code import CodeData
from diswot.testing import check_method
from diswot.training import Recipe, train_by
from search_spaces import GatedConvolutionNetwork, TextEncoder
from tests.tasks.code.conftest import small_programs

METHOD = find_method("data-free")


@pytest.fixture(scope="module")
def programs() -> CodeData:
    return small_programs()


def network(data: CodeData, width: int = 4) -> GatedConvolutionNetwork:
    return GatedConvolutionNetwork(
        vocabulary=len(data.vocabulary), outputs=2, width=width, kernels=(3,), slots=2, depth=1
    )


def method_of(data: CodeData, samples: str, **other: Any) -> DataFreeMethod:
    torch.manual_seed(0)
    teacher, student = network(data, 6).requires_grad_(False), network(data)
    found = OBJECTIVES.get(samples)
    loss = parse_objective("kd(T=4)" if found is None else found.loss)
    small = {"samples_per_epoch": 24, "latent_size": 8, "samples": samples}
    options = filled(METHOD.options, {**small, **other})
    return DataFreeMethod(student, loss, teachers={"teacher": teacher}, options=options)


class Counted(TokenSplit):
    """Programs that count how often their tokens, lengths and labels are read."""

    reads = 0

    def __getattribute__(self, name: str) -> Any:
        Counted.reads += name in ("tokens", "lengths", "labels")
        return super().__getattribute__(name)

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "labels"))


@pytest.mark.parametrize("samples", SAMPLES)
def test_the_contract_of_methods_holds_for_tokens(samples: str, programs: CodeData) -> None:
    check_method(partial(method_of, programs, samples), programs)


@pytest.mark.parametrize("samples", SAMPLES)
def test_only_distorted_samples_read_training_programs(samples: str, programs: CodeData) -> None:
    train = programs.train
    data = replace(programs, train=Counted(train.tokens, train.lengths, train.labels))
    for name in ("signature", "digest", "length"):  # of the whole dataset, known before
        vars(data)[name] = getattr(programs, name)
    method = method_of(programs, samples, samples_per_epoch=80)
    Counted.reads = 0
    train_by(method, data, recipe=Recipe(1, batch_size=8))
    assert (Counted.reads > 0) is (samples == "distorted")


def test_mixtures_of_one_token_give_the_outputs_of_ids(programs: CodeData) -> None:
    student = network(programs).eval()
    ids, mask = programs.batch("train", torch.arange(5)).inputs
    size = len(programs.vocabulary)
    with taking_mixtures(student, size), torch.no_grad():
        mixed = student(F.one_hot(ids, size).float(), mask)
        torch.testing.assert_close(mixed, student(ids, mask))
    assert not student._forward_pre_hooks
    with (
        pytest.raises(NetworkError, match="has no embedding of 9 tokens"),
        taking_mixtures(nn.Linear(9, 9), 9),
    ):
        pass


def test_noise_has_the_statistics_of_the_teachers_embeddings(programs: CodeData) -> None:
    torch.manual_seed(0)
    teacher = network(programs, 6)
    teacher.norm.running_mean = torch.tensor([0.5, -1.0, 2.0, 0.0, 3.0, 1.0])
    teacher.norm.running_var = torch.tensor([4.0, 1.0, 0.25, 1.0, 9.0, 1.0])
    found = embedding_statistics(teacher, len(programs.vocabulary))
    torch.testing.assert_close(found.mean, teacher.norm.running_mean)
    torch.testing.assert_close(found.std, teacher.norm.running_var.sqrt())
    inputs = TokenInputs(len(programs.vocabulary), programs.length)
    wide = nn.Embedding(len(programs.vocabulary), 6)  # as many channels as fit
    teacher.tokens = wide
    mixtures, mask = inputs.noise(teacher, "cpu")(torch.arange(2_000)).inputs
    embedded = mixtures @ wide.weight
    torch.testing.assert_close(embedded.mean((0, 1)), found.mean, atol=0.1, rtol=0)
    torch.testing.assert_close(embedded.std((0, 1)), found.std, atol=0.1, rtol=0)
    assert mask.sum(1).min() == 3
    assert mask.sum(1).max() == programs.length


def test_distorted_tokens_are_noise_on_the_teachers_embeddings(programs: CodeData) -> None:
    teacher = network(programs, 6)
    method = method_of(programs, "distorted", distortion=1e-6)
    batch = method.batches(programs, Recipe(1, augment="none"))(torch.arange(6))
    ids, mask = programs.batch("train", torch.arange(6)).inputs
    torch.testing.assert_close(batch.inputs[0].argmax(-1), ids)
    torch.testing.assert_close(batch.inputs[1], mask)
    assert (batch.targets, batch.labels) == (None, None)
    inputs = TokenInputs(len(programs.vocabulary), programs.length)
    source = programs.training(Recipe(1, augment="none"))
    torch.manual_seed(0)
    (mixtures, _) = inputs.distorted(source, teacher, 0.5)(torch.arange(30)).inputs
    assert not mixtures.requires_grad  # although the teacher is not frozen
    weight = teacher.tokens.weight.detach()
    noise = mixtures @ weight - weight[programs.batch("train", torch.arange(30)).inputs[0]]
    torch.testing.assert_close(noise.std((0, 1)), 0.5 * weight.std(0), atol=0.1, rtol=0.2)


def test_the_generator_gets_gradients_through_the_teacher(programs: CodeData) -> None:
    teacher, size = network(programs, 6).eval(), len(programs.vocabulary)
    generator = TokenGenerator(size, programs.length, latent=8)
    mask = torch.ones(4, programs.length, dtype=torch.bool)
    with taking_mixtures(teacher, size):
        teacher(generator(torch.randn(4, 8)), mask).sum().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


def test_a_teacher_without_statistics_is_refused_for_noise(programs: CodeData) -> None:
    teacher = TextEncoder(
        vocabulary=50, length=8, outputs=2, layers=1, hidden=8, heads=1, head_size=8, ratio=1
    )
    with pytest.raises(TeacherError, match=r"no batch normalization .* at its embedding.*dafl"):
        embedding_statistics(teacher, 50)


def test_both_tasks_of_tokens_are_accepted() -> None:
    for task in ("code", "text", "images"):
        METHOD.check(find_task(task), {})


def test_same_mixture_for_networks_of_different_widths(programs: CodeData) -> None:
    teacher, student = network(programs, 6), network(programs, 3)
    inputs = TokenInputs(len(programs.vocabulary), programs.length)
    inverse = inputs.inverse(teacher)
    identity: Tensor = inverse @ teacher.tokens.weight
    torch.testing.assert_close(identity, torch.eye(6), atol=1e-5, rtol=0)
    assert (inverse @ student.tokens.weight).shape == (6, 3)
