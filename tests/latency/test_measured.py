"""Latencies measured on this machine."""

import pickle

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import SpaceError
from diswot.latency import Latency, MeasuredLatency, time_network
from diswot.tasks.images import load_data
from search_spaces import ResNetDepthSpace
from tests.cli.faulty import BuildRaises, Small, WrongChannels
from tests.signatures import of_images

IMAGES = load_data("digits").signature


class Batches(nn.Module):
    """Records the shapes of its inputs, its mode, and the number of threads."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[object, ...]] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.add((tuple(x.shape), self.training, torch.get_num_threads()))
        return x


def test_a_measurement_records_how_it_was_made() -> None:
    network = Batches()
    threads = torch.get_num_threads()
    found = time_network(network, of_images(1, 4, 5), batch=3, threads=2, seconds=0.01)
    assert network.seen == {((3, 1, 4, 5), False, 2)}
    assert (found.batch, found.threads, found.device) == (3, 2, "cpu")
    assert found.runs >= 1
    assert 0 < found.fast_ms <= found.median_ms < 1000
    assert found.iqr_ms >= 0
    assert 0 <= found.outliers < 0.5
    assert torch.get_num_threads() == threads


def test_a_measured_latency_is_not_repeatable() -> None:
    space = ResNetDepthSpace((1,), widths=(2, 2), in_channels=1)
    latency: Latency = MeasuredLatency(space, IMAGES, batch=2, threads=1, seconds=0.01)
    assert not latency.repeatable
    assert latency.name == "measured in eager PyTorch on cpu, batch 2, threads 1"
    assert 0 < latency(space.architecture(1)) < 1000
    assert pickle.loads(pickle.dumps(MeasuredLatency(Small(), IMAGES))).device == "cpu"


def test_measuring_does_not_change_the_random_state() -> None:
    space = ResNetDepthSpace((1,), widths=(2, 2), in_channels=1)
    before = torch.random.get_rng_state()
    MeasuredLatency(space, IMAGES, seconds=0.01)(space.architecture(1))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("space", [BuildRaises(), WrongChannels()], ids=lambda s: type(s).__name__)
def test_the_error_names_a_network_that_cannot_run(space: Small) -> None:
    with pytest.raises(SpaceError, match=r"^architecture width=2: .*fix the space"):
        MeasuredLatency(space, IMAGES)(space.architecture(2))
