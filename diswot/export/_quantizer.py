"""What is rounded while a network is fine-tuned for 8 bits: the scheme of the exported file."""

from typing import Any

import torch

ROUNDED = ("conv1d", "conv2d", "conv3d", "linear")
"""Operations whose inputs and weights are rounded."""


def quantizer() -> Any:
    """Return a quantizer of torchao: weights per output channel, activations per tensor.

    Both have 8 bits with sign; weights are symmetric, and activations have a zero point.
    """
    from torchao.quantization.pt2e import (
        FakeQuantize,
        MovingAverageMinMaxObserver,
        MovingAveragePerChannelMinMaxObserver,
    )
    from torchao.quantization.pt2e.quantizer import (
        QuantizationAnnotation,
        QuantizationSpec,
        Quantizer,
    )

    activations = QuantizationSpec(
        torch.int8,
        FakeQuantize.with_args(observer=MovingAverageMinMaxObserver),
        quant_min=-128,
        quant_max=127,
        qscheme=torch.per_tensor_affine,
    )
    weights = QuantizationSpec(
        torch.int8,
        FakeQuantize.with_args(observer=MovingAveragePerChannelMinMaxObserver),
        quant_min=-127,
        quant_max=127,
        qscheme=torch.per_channel_symmetric,
        ch_axis=0,
    )
    operations = {getattr(torch.ops.aten, name).default for name in ROUNDED}

    class Int8(Quantizer):  # type: ignore[misc]
        """Annotates convolutions and linear layers."""

        def annotate(self, model: torch.fx.GraphModule) -> torch.fx.GraphModule:
            for node in model.graph.nodes:
                if node.op == "call_function" and node.target in operations:
                    rounded = {node.args[0]: activations, node.args[1]: weights}
                    node.meta["quantization_annotation"] = QuantizationAnnotation(
                        input_qspec_map=rounded, _annotated=True
                    )
            return model

        def validate(self, model: torch.fx.GraphModule) -> None:
            """Accept every graph."""

    return Int8()
