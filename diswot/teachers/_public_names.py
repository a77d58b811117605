"""Parameter names of public CIFAR checkpoints, translated to those of the built-in networks.

Sources of the names: the repositories chenyaofo/pytorch-cifar-models, akamaster/
pytorch_resnet_cifar10, kuangliu/pytorch-cifar and weiaicunzai/pytorch-cifar100.
"""

import re
from collections.abc import Mapping
from itertools import accumulate

import torch
from torch import Tensor

_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
"""Blocks of the stages of MobileNetV2."""

_BATCH_NORM_EPS = 1e-5

_RESIDUAL = {
    "conv1": "conv1",
    "bn1": "bn1",
    "conv2": "conv2",
    "bn2": "bn2",
    "downsample": "shortcut",
    "shortcut": "shortcut",
}
_BOTTLENECK = {
    **{f"conv{i}": f"{part}.0" for i, part in enumerate(("squeeze", "spatial", "expand"), 1)},
    **{f"bn{i}": f"{part}.1" for i, part in enumerate(("squeeze", "spatial", "expand"), 1)},
    "downsample": "shortcut",
    "shortcut": "shortcut",
}
_FUNCTION = ("conv1", "bn1", "", "conv2", "bn2", "", "conv3", "bn3")
"""Members of `residual_function` in weiaicunzai's blocks."""

_BRANCH1 = ("narrow.0", "narrow.1", "pointwise.0", "pointwise.1")
_BRANCH2 = (
    *("branch.enter.0", "branch.enter.1", "", "branch.depthwise.0", "branch.depthwise.1"),
    *("branch.leave.0", "branch.leave.1"),
)


def translation(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the names of a built-in network for a state dict with public names.

    Args:
        state: tensors by name.

    Returns:
        Name in the file → name in the network; empty if no naming has all names.
    """
    for naming in (_resnet, _weiaicunzai_resnet, _vgg, _mobilenet_v2, _shufflenet_v2):
        names = naming(state)
        if names and all(names.values()):
            return names
    return {}


def with_projections(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Add projections that equal shortcuts without parameters (option A of He et al.).

    Such a shortcut takes every second pixel and pads the channels with zeros on both sides, by
    the same number. The same function is a 1×1 convolution, with a normalization that does
    nothing in evaluation.

    Args:
        state: tensors under the names of a built-in network.
        expected: the network's own tensors.
    """
    added: dict[str, Tensor] = {}
    convolutions = [name for name in expected if name.endswith("shortcut.0.weight")]
    if any(name in state for name in convolutions):
        return dict(state)
    for name in convolutions:
        outputs, inputs = expected[name].shape[:2]
        weight = torch.zeros(outputs, inputs, 1, 1)
        weight[(outputs - inputs) // 2 :][:inputs, :, 0, 0] = torch.eye(inputs)
        norm = name.replace("shortcut.0.weight", "shortcut.1")
        added[name] = weight
        added |= {f"{norm}.weight": torch.ones(outputs), f"{norm}.bias": torch.zeros(outputs)}
        added[f"{norm}.running_mean"] = torch.zeros(outputs)
        added[f"{norm}.running_var"] = torch.full((outputs,), 1 - _BATCH_NORM_EPS)
    return {**state, **added}


def _resnet(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Translate `layer1.0.conv1`: chenyaofo, akamaster, kuangliu; basic blocks or bottlenecks."""
    parts = _BOTTLENECK if any(".conv3." in name for name in state) else _RESIDUAL

    def renamed(name: str) -> str:
        if found := re.fullmatch(r"(conv|bn)1\.(\w+)", name):
            return f"stem.{0 if found[1] == 'conv' else 1}.{found[2]}"
        if found := re.fullmatch(r"(?:fc|linear)\.(\w+)", name):
            return f"classifier.{found[1]}"
        found = re.fullmatch(r"layer(\d+)\.(\d+)\.(\w+)\.(.+)", name)
        if found and found[3] in parts:
            return f"stages.{int(found[1]) - 1}.{found[2]}.{parts[found[3]]}.{found[4]}"
        return ""

    return {name: renamed(name) for name in state}


def _weiaicunzai_resnet(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Translate `conv2_x.0.residual_function.0` to the names of `_resnet`, and those."""

    def plain(name: str) -> str:
        if found := re.fullmatch(r"conv1\.([01])\.(\w+)", name):
            return f"{('conv1', 'bn1')[int(found[1])]}.{found[2]}"
        if found := re.fullmatch(r"conv(\d+)_x\.(\d+)\.residual_function\.(\d)\.(\w+)", name):
            part = dict(enumerate(_FUNCTION)).get(int(found[3]), "")
            return f"layer{int(found[1]) - 1}.{found[2]}.{part}.{found[4]}"
        return re.sub(r"^conv(\d+)_x\.", lambda m: f"layer{int(m[1]) - 1}.", name)

    names = {name: plain(name) for name in state}
    if not any(".residual_function." in name for name in state):
        return {}
    final = _resnet({plain: state[name] for name, plain in names.items()})
    return {name: final[plain] for name, plain in names.items()}


def _vgg(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Translate `features.0`: chenyaofo. A gap between layers is a pooling, which ends a stage."""
    convolutions = sorted(
        int(found[1])
        for name, tensor in state.items()
        if (found := re.fullmatch(r"features\.(\d+)\.weight", name)) and tensor.ndim == 4
    )
    layers: dict[int, str] = {}
    stage = layer = 0
    for before, number in zip([None, *convolutions], convolutions, strict=False):
        if before is not None:
            ends = number - before > 3
            stage, layer = (stage + 2, 0) if ends else (stage, layer + 3)
        layers |= {number + i: f"stages.{stage}.layers.{layer + i}" for i in (0, 1)}

    def renamed(name: str) -> str:
        if found := re.fullmatch(r"features\.(\d+)\.(\w+)", name):
            layer = layers.get(int(found[1]))
            return f"{layer}.{found[2]}" if layer else ""
        return name if re.fullmatch(r"classifier\.\d\.\w+", name) else ""

    return {name: renamed(name) for name in state} if layers else {}


def _mobilenet_v2(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Translate `features.1.conv.0.0`: chenyaofo."""
    firsts = [1 + blocks for blocks in accumulate(_BLOCKS, initial=0)]

    def block(number: int, rest: str) -> str:
        stage = max(stage for stage, first in enumerate(firsts) if first <= number)
        steps = ["expand", "depthwise"] if number > 1 else ["depthwise"]
        if found := re.fullmatch(r"(\d)\.([01])\.(\w+)", rest):
            part = f"{steps[int(found[1])]}.{found[2]}.{found[3]}"
        elif found := re.fullmatch(r"(\d)\.(\w+)", rest):
            part = f"project.{int(found[1]) - len(steps)}.{found[2]}"
        else:
            return ""
        return f"stages.{stage}.{number - firsts[stage]}.{part}"

    def renamed(name: str) -> str:
        if found := re.fullmatch(r"features\.(\d+)\.([01])\.(\w+)", name):
            return f"{'stem' if found[1] == '0' else 'last'}.{found[2]}.{found[3]}"
        if found := re.fullmatch(r"features\.(\d+)\.conv\.(.+)", name):
            return block(int(found[1]), found[2])
        return name if re.fullmatch(r"classifier\.1\.\w+", name) else ""

    is_it = any(name.startswith("features.1.conv.") for name in state)
    return {name: renamed(name) for name in state} if is_it else {}


def _shufflenet_v2(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Translate `stage2.0.branch1.0`: chenyaofo."""

    def renamed(name: str) -> str:
        if found := re.fullmatch(r"(conv1|conv5)\.([01])\.(\w+)", name):
            return f"{'stem' if found[1] == 'conv1' else 'last'}.{found[2]}.{found[3]}"
        if found := re.fullmatch(r"fc\.(\w+)", name):
            return f"classifier.{found[1]}"
        if found := re.fullmatch(r"stage(\d)\.(\d+)\.branch([12])\.(\d)\.(\w+)", name):
            parts = dict(enumerate(_BRANCH1 if found[3] == "1" else _BRANCH2))
            part = parts.get(int(found[4]), "")
            return f"stages.{int(found[1]) - 2}.{found[2]}.{part}.{found[5]}" if part else ""
        return ""

    return {name: renamed(name) for name in state}
