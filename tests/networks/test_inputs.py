"""Networks with several inputs and integer inputs: activations, probes and costs."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, trial_pass
from diswot.networks.costs import Costs, measure_costs
from diswot.networks.layout import layout
from diswot.networks.probe import Probe
from search_spaces import Signature, TensorSpec


class TwoInputs(nn.Module):
    """Adds an embedding of integers to features of real numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 5)
        self.project = nn.Linear(3, 5)
        self.head = nn.Linear(5, 4)

    def forward(self, ids: Tensor, values: Tensor) -> Tensor:
        output: Tensor = self.head((self.embed(ids) + self.project(values)).relu().mean(1))
        return output


TWO = Signature((TensorSpec("ids", (7,), "int64", high=7), TensorSpec("values", (7, 3))), 4)


def test_activations_of_networks_with_several_inputs_are_read() -> None:
    network, inputs = TwoInputs(), TWO.example(2)
    trial_pass(network, *inputs, outputs=4, who="it", training=True)
    with ActivationReader(network) as read:
        activations = read(*inputs, labels=torch.tensor([1, 0]))
    assert activations.output.equal(network(*inputs))
    assert activations.feature_map.shape == (2, 5, 7, 1)
    found = layout(network, *inputs)
    assert (found.feature_map, found.features, found.outputs) == ((5, 7, 1), 5, 4)
    with pytest.raises(NetworkError, match=r"it cannot take inputs of shape \(7,\), \(7, 2\)"):
        trial_pass(network, inputs[0], inputs[1][..., :2], outputs=4, who="it")


def test_reading_a_missing_feature_map_is_an_error() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    trial_pass(network, torch.zeros(2, 3, 4, 4), outputs=4, who="it", maps=False)
    with ActivationReader(network) as read:
        activations = read(torch.zeros(2, 3, 4, 4))
    assert activations.features.shape == (2, 48)
    with pytest.raises(NetworkError, match="Sequential has no feature map"):
        _ = activations.feature_map
    with pytest.raises(NetworkError, match="Sequential has no feature map"):
        _ = layout(network, torch.zeros(2, 3, 4, 4), who="Sequential").feature_map


def test_a_probe_has_gradients_and_noise_for_real_inputs() -> None:
    inputs = TWO.example(3)
    student = Probe(TwoInputs(), *inputs, costs=Costs(0, 0), seed=0, differentiable=True)
    assert student.input_gradients.shape == (3, 21)
    ids, values = student.noise(torch.Generator().manual_seed(1), slice(2))
    assert ids.equal(inputs[0][:2])
    assert values.equal(torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1)))
    only_ids = Probe(TwoInputs(), inputs[0], costs=Costs(0, 0), seed=0)
    with pytest.raises(NetworkError, match="TwoInputs are whole numbers, which this score cannot"):
        only_ids.noise(torch.Generator())


def test_noise_of_a_signature_is_in_the_range_of_its_inputs() -> None:
    takes = Signature(
        (TensorSpec("ids", (None,), "int64", low=3, high=6), TensorSpec("mask", (None,), "bool")), 4
    )
    inputs = torch.zeros(40, 7).long(), torch.zeros(40, 7).bool()
    student = Probe(TwoInputs(), *inputs, costs=Costs(0, 0), seed=0, signature=takes)
    ids, mask = student.noise(torch.Generator().manual_seed(1))
    assert ids.shape == mask.shape == (40, 7)
    assert set(ids.flatten().tolist()) == {3, 4, 5}
    assert mask.all()
    with pytest.raises(NetworkError, match="which this score cannot perturb"):
        student.noise(torch.Generator(), real=True)


def test_noise_is_the_same_with_and_without_a_signature() -> None:
    images = torch.zeros(3, 3, 8, 8)
    takes = Signature((TensorSpec("images", (3, 8, 8)),), 4)
    with_signature, without = (
        Probe(nn.Flatten(), images, costs=Costs(0, 0), seed=0, signature=given)
        for given in (takes, None)
    )
    (one,), (other,) = (
        student.noise(torch.Generator().manual_seed(1)) for student in (with_signature, without)
    )
    assert one.equal(other)
    assert one.stride() == other.stride()


def test_costs_are_counted_for_one_example() -> None:
    params = 7 * 5 + (3 * 5 + 5) + (5 * 4 + 4)
    macs, inputs = 7 * 3 * 5 + 5 * 4, 7 * 8 + 7 * 3 * 4
    found = measure_costs(TwoInputs, TWO, memory=True)
    assert (found.params, found.macs) == (params, macs)
    assert found.memory is not None
    assert found.memory > inputs


class DependsOnValues(nn.Module):
    """Its multiply-adds depend on the values of its input."""

    def __init__(self, step: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.step = step
        self.head = nn.Linear(3, 4)

    def forward(self, values: Tensor) -> Tensor:
        output: Tensor = self.head(self.step(values)).mean(1)
        return output


@pytest.mark.parametrize(
    "step",
    [
        lambda x: x * x.sum().item(),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x.masked_scatter(x > 0, x[x > 0]),
        lambda x: x + len(x.unique()),
        lambda x: x * len(x.tolist()),
    ],
    ids=["number", "condition", "mask", "distinct", "list"],
)
def test_costs_that_depend_on_input_values_are_refused(step: Callable[[Tensor], Tensor]) -> None:
    network, values = DependsOnValues(step), torch.ones(2, 5, 3)
    trial_pass(network, values, outputs=4, who="it", maps=False)
    with pytest.raises(NetworkError, match=r"^it: multiply-adds cannot be counted, .* of its inp"):
        trial_pass(network.to("meta"), values.to("meta"), outputs=4, who="it", maps=False)
