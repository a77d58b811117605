"""The contract of tasks, checked on one of their datasets."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from diswot.tasks import SPLITS, Batch, Dataset, Metric, Task, values_of
from diswot.testing._networks import global_randomness_unused, require
from search_spaces import Signature

EXAMPLES = 6


@dataclass(frozen=True)
class _Unchanged:
    """Recipe settings without augmentation."""

    augment: str = "none"
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0


@dataclass(frozen=True)
class _Augmented(_Unchanged):
    """Recipe settings with standard augmentation."""

    augment: str = "standard"


class _Constant(nn.Module):
    """A network that returns zeros for every example."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("output", torch.zeros(1, outputs))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.get_buffer("output").expand(len(inputs[0]), -1)


def check_task(dataset: Dataset) -> None:
    """Check the contract of a task, on one of its datasets.

    Batches have the shapes of the signature, are reproducible, and move to a device completely;
    training batches depend only on torch's generator; a network with constant output is near
    chance by every metric, and not better than itself.

    Args:
        dataset: a small dataset of the task; each split is evaluated completely.

    Raises:
        AssertionError: a rule is broken; the message names it.

    Examples:
        >>> from diswot.tasks import find_task
        >>> check_task(find_task("images").load("digits"))
    """
    _check_task(dataset.task)
    dataset = _with_teacher(dataset)
    signature = dataset.signature
    require(
        Signature.from_json(signature.to_json()) == signature,
        "the signature is read back from its plain values",
    )
    # Caches and manifests identify datasets by their digest.
    digest = dataset.digest
    hexadecimal = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    require(hexadecimal, f"digest is a SHA-256 in hexadecimal digits, but is {digest!r}")
    require("\n" not in dataset.summary(), "summary is one line")
    for split in SPLITS:
        require(dataset.size(split) > 0, f"the split {split} has examples")
        # Reversed indices: batches must keep the requested order.
        indices = torch.arange(min(EXAMPLES, dataset.size(split))).flip(0)
        with global_randomness_unused(f"batches of {split} are the same whenever asked for"):
            batch, again = (dataset.batch(split, indices) for _ in range(2))
        _check_batch(batch, indices, signature, f"a batch of {split}")
        _check_equal(batch, again, f"batches of {split} are the same whenever asked for")
    _check_training(dataset)
    require(bool(dataset.metrics), "a dataset has at least one metric")
    for metric in dataset.metrics:
        _check_metric(metric, dataset)


def _with_teacher(dataset: Dataset) -> Dataset:
    """Return the dataset with what its targets need from a teacher, here an untrained one."""
    task = dataset.task
    if type(task).with_teacher is Task.with_teacher:
        return dataset
    network = task.find_teacher(task.teacher, dataset).initialized(0).eval()
    return task.with_teacher(dataset, network)


def _check_task(task: Task) -> None:
    require(task.name == task.name.strip() and bool(task.name), f"a name, got {task.name!r}")
    require("\n" not in task.summary and bool(task.summary), "summary is one line")
    require(len(task.losses) == len(set(task.losses)) >= 1, f"different losses: {task.losses}")


def _check_batch(batch: Batch, indices: Tensor, signature: Signature, what: str) -> None:
    require(torch.equal(batch.indices.cpu(), indices), f"{what} keeps the places of its examples")
    require(
        len(batch.inputs) == len(signature.inputs),
        f"{what} has {len(signature.inputs)} inputs, but has {len(batch.inputs)}",
    )
    for tensor, spec in zip(batch.inputs, signature.inputs, strict=True):
        shape = (len(indices), *spec.shape)
        fits = tensor.ndim == len(shape) and all(
            wanted is None or wanted == axis
            for wanted, axis in zip(shape, tensor.shape, strict=True)
        )
        require(
            fits and tensor.dtype == getattr(torch, spec.dtype),
            f"{what}: {spec.name} is {spec.dtype} of shape {shape}, but is {tensor.dtype} of "
            f"shape {tuple(tensor.shape)}",
        )
    # The meta device needs no GPU, but shows tensors that `to` forgets.
    tensors = _tensors(batch.to("meta"))
    require(all(item.device.type == "meta" for item in tensors), f"{what} moves as a whole")


def _check_training(dataset: Dataset) -> None:
    indices = torch.arange(min(EXAMPLES, dataset.size("train")))

    def drawn(changes: _Unchanged, seed: int) -> Batch:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return dataset.training(changes)(indices)

    for changes in (_Unchanged(), _Augmented()):
        what = f"a training batch with augmentation {changes.augment}"
        batch = drawn(changes, 0)
        _check_batch(batch, indices, dataset.signature, what)
        _check_equal(batch, drawn(changes, 0), f"{what} follows from torch's generator")
        # `fixed` lets trainings cache the teacher's outputs, so batches must not be random.
        if dataset.training(changes).fixed:
            _check_equal(batch, drawn(changes, 1), f"{what} is fixed")
    require(dataset.training(_Unchanged()).fixed, "without augmentation examples are fixed")


def _check_metric(metric: Metric, dataset: Dataset) -> None:
    network = _Constant(dataset.signature.outputs)
    for split in SPLITS:
        values = values_of(metric, network, dataset, split)
        what = f"{metric.name} on {split}"
        require(bool(values.isfinite().all()), f"{what} is finite for every example")
        result = metric.summarize(values, dataset, split)
        require(result.low <= result.value <= result.high, f"{what} lies in its interval: {result}")
        named = (result.name, result.unit, result.higher_is_better)
        require(
            named == (metric.name, metric.unit, metric.higher_is_better),
            f"{what} has the name, unit and direction of its metric, but has {named}",
        )
        # Sanity checks: equal networks do not differ, and a constant output is near chance.
        none = metric.difference(values, values, dataset, split)
        require(none.value == 0, f"{what}: a network is no better than itself, but got {none}")
        require(
            metric.is_near_chance(values, dataset, split),
            f"{what}: a network that always returns the same is near chance, but has {result}",
        )


def _check_equal(one: Batch, other: Batch, rule: str) -> None:
    pairs = zip(_tensors(one), _tensors(other), strict=True)
    require(all(torch.equal(first, second) for first, second in pairs), rule)


def _tensors(batch: Batch) -> list[Tensor]:
    everything = (batch.inputs, batch.targets, batch.labels, batch.indices)
    return [leaf for leaf in tree_leaves(everything) if isinstance(leaf, Tensor)]
