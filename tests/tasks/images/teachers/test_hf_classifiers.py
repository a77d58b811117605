"""Every image classifier of transformers can be a teacher for the default score."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import diswot
from search_spaces import Choice, ChoiceSpace

transformers: Any = pytest.importorskip("transformers", reason="the extra hf is not installed")

_VIT = {
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_FOUR: dict[str, Any] = {
    "hidden_sizes": [8, 8, 16, 16],
    "depths": [1] * 4,
    "num_attention_heads": [1] * 4,
}
_TWO: dict[str, Any] = {"hidden_sizes": [8, 16], "depths": [1, 1]}
_WINDOWS = {
    "image_size": 32,
    "patch_size": 4,
    "window_size": 4,
    "embed_dim": 8,
    "depths": [1, 1],
    "num_heads": [1, 2],
}
TINY: dict[str, dict[str, Any]] = {
    "Beit": _VIT,
    "Bit": {"embedding_size": 8, **_TWO, "num_groups": 4},
    "ConvNext": {**_TWO, "num_stages": 2},
    "ConvNextV2": {**_TWO, "num_stages": 2},
    "Cvt": {"embed_dim": [8, 8, 16], "depth": [1, 2, 3], "num_heads": [1, 1, 1]},
    "Data2VecVision": _VIT,
    "DeiT": _VIT,
    "Dinov2": {k: v for k, v in _VIT.items() if k != "intermediate_size"},
    "EfficientNet": {
        "width_coefficient": 0.1,
        "depth_coefficient": 0.1,
        "hidden_dim": 128,
        "out_channels": [16, 24, 40, 80, 112, 192, 320],
    },
    "FocalNet": {
        "image_size": 32,
        "embed_dim": 8,
        **_TWO,
        "focal_levels": [1, 1],
        "focal_windows": [3, 3],
    },
    "Hiera": {
        "image_size": [32, 32],
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [1, 2],
        "masked_unit_size": [4, 4],
        "num_query_pool": 1,
    },
    "IJepa": _VIT,
    "Levit": {
        "image_size": 32,
        "hidden_sizes": [16, 16, 16],
        "num_attention_heads": [2, 2, 2],
        "depths": [1, 1, 1],
        "key_dim": [8, 8, 8],
    },
    "MobileNetV1": {"depth_multiplier": 0.1, "min_depth": 4},
    "MobileNetV2": {"depth_multiplier": 0.1, "min_depth": 4},
    "MobileViT": {
        "image_size": 32,
        "hidden_sizes": [8, 8, 16],
        "neck_hidden_sizes": [8, 8, 8, 8, 8, 8, 16],
        "num_attention_heads": 1,
    },
    "MobileViTV2": {
        "image_size": 32,
        "width_multiplier": 0.125,
        "n_attn_blocks": [1, 1, 1],
        "base_attn_unit_dims": [16, 16, 16],
        "patch_size": 1,
    },
    "PoolFormer": {"hidden_sizes": [8] * 4, "depths": [1] * 4},
    "Pvt": {"image_size": 32, **_FOUR},
    "PvtV2": {"image_size": 32, **_FOUR},
    "RegNet": {
        "embedding_size": 8,
        "hidden_sizes": [8, 8, 16, 16],
        "depths": [1] * 4,
        "groups_width": 4,
    },
    "ResNet": {"embedding_size": 8, **_TWO, "layer_type": "basic"},
    "Segformer": _FOUR,
    "SwiftFormer": {"embed_dims": [8, 8, 16, 16], "depths": [1] * 4},
    "Swin": _WINDOWS,
    "Swinv2": _WINDOWS,
    "ViT": _VIT,
    "ViTMSN": _VIT,
}
DATA = diswot.load_data(
    TensorDataset(
        torch.randint(256, (80, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte(),
        torch.arange(80) % 4,
    )
)


class Widths(ChoiceSpace):
    """Students of two blocks."""

    width = Choice(4, 8)

    def build(self, arch: Any, num_classes: int) -> nn.Module:
        """Return the network of `arch`."""
        first, second = nn.Conv2d(3, arch.width, 3, stride=2), nn.Conv2d(arch.width, 8, 3)
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, num_classes)]
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), *head)


@pytest.mark.parametrize("kind", TINY)
def test_a_transformers_classifier_can_be_a_teacher(kind: str) -> None:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**TINY[kind], num_labels=4)
    teacher = getattr(transformers, f"{kind}ForImageClassification")(config)
    found = diswot.score(
        ["width=4"],
        teacher,
        space=Widths(),
        data=DATA,
        repeats=1,
        batch_size=8,
        scorer="teacher_alignment+kd+at",
        teacher_state="trained",
    )[0]
    assert found.failure is None
    assert found.score is not None
