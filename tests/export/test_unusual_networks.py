"""Networks with common constructs that plain tracing does not support are exported."""

import dataclasses
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

import diswot
from diswot.errors import ExportError
from diswot.export import dry_export
from diswot.tasks.images import load_data
from tests.export.spaces import NoOnnx

pytestmark = pytest.mark.processes

DIGITS = load_data("digits")
BOTH = {"source": True, "pt2": True}


class Student(nn.Module):
    """A convolution, an unusual layer and a classifier; the type of its output can be chosen."""

    def __init__(
        self,
        body: Callable[[Any, Tensor], Tensor] = lambda _, x: x,
        make: Callable[[Any], None] = lambda _: None,
        returned: Callable[[Tensor, Tensor], Any] = lambda logits, _: logits,
    ) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 8, 3, padding=1), nn.Linear(8, 10)
        self.body, self.returned = body, returned
        make(self)

    def forward(self, x: Tensor) -> Any:
        features = self.body(self, F.relu(self.conv(x)))
        return self.returned(self.head(features.mean((2, 3))), features)


class CustomFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)


class OwnIdentity(nn.Identity):
    pass


class Standardized(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def image(x: Tensor) -> Tensor:
    return x.transpose(1, 2).reshape(-1, 8, 16, 16)


def conv() -> nn.Conv2d:
    return nn.Conv2d(8, 8, 3, padding=1)


def shared(net: Any) -> None:
    net.a = net.b = conv()


def tied(net: Any) -> None:
    net.a, net.b = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
    net.b.weight = net.a.weight


def counted(net: Any, x: Tensor) -> Tensor:
    net.count += 1
    return x


def keeps(net: Any, x: Tensor) -> Tensor:
    net.seen = x
    return x


def replaced(net: Any) -> None:
    net.a = nn.ReLU()
    net.a.forward = lambda x: 2 * x


def own_function(_: Any, x: Tensor) -> Tensor:
    result: Tensor = CustomFunction.apply(x)  # type: ignore[no-untyped-call]
    return result


def in_place(_: Any, x: Tensor) -> Tensor:
    x = x.clone()
    x.mul_(2)
    x[:, :2] = 0
    return x


NETWORKS: dict[str, tuple[Any, ...]] = {
    "shared module": (lambda net, x: net.b(F.relu(net.a(x))), shared),
    "tied weights": (lambda net, x: net.b(net.a(x)), tied),
    "weight norm": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", parametrizations.weight_norm(conv())),
    ),
    "spectral norm": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", parametrizations.spectral_norm(conv())),
    ),
    "spectral norm by hooks": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", nn.utils.spectral_norm(conv())),
    ),
    "parameter list": (
        lambda net, x: x * net.a[0],
        lambda net: setattr(net, "a", nn.ParameterList([torch.rand(8, 1, 1)])),
    ),
    "parameter dictionary": (
        lambda net, x: x * net.a["with space"],
        lambda net: setattr(net, "a", nn.ParameterDict({"with space": torch.rand(8, 1, 1)})),
    ),
    "encoder layer": (
        lambda net, x: image(net.a(tokens(x))),
        lambda net: setattr(net, "a", nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)),
    ),
    "attention": (
        lambda net, x: image(net.a(tokens(x), tokens(x), tokens(x))[0]),
        lambda net: setattr(net, "a", nn.MultiheadAttention(8, 2, batch_first=True)),
    ),
    "recurrent": (
        lambda net, x: net.a(x.mean(3).transpose(1, 2))[0].transpose(1, 2)[..., None],
        lambda net: setattr(net, "a", nn.GRU(8, 8, batch_first=True)),
    ),
    "branch on a size": (lambda _, x: F.max_pool2d(x, 2) if x.shape[-1] > 8 else x,),
    "batch size in a shape": (lambda _, x: x.reshape(len(x), 8, int(x.size(2)), -1),),
    "buffers in a list": (
        lambda net, x: x * net.a[0] + net.a[1],
        lambda net: setattr(net, "a", [torch.rand(8, 1, 1), torch.rand(8, 1, 1)]),
    ),
    "buffer that is not saved": (
        lambda net, x: x + net.a,
        lambda net: net.register_buffer("a", torch.rand(8, 16, 16), persistent=False),
    ),
    "buffer that counts": (
        counted,
        lambda net: net.register_buffer("count", torch.zeros(())),
    ),
    "own identity": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", OwnIdentity()),
    ),
    "own convolution": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", Standardized(8, 8, 3, padding=1)),
    ),
    "own function with a gradient": (own_function,),
    "modules made in the forward pass": (lambda _, x: nn.GELU()(nn.MaxPool2d(2)(x)),),
    "in place": (in_place,),
    "keeps an activation": (keeps,),
    "range as a constant": (lambda _, x: x + torch.arange(x.shape[-1]),),
    "hook that changes outputs": (
        lambda _, x: x,
        lambda net: net.conv.register_forward_hook(lambda _, given, output: 2 * output),
    ),
    "replaced forward": (
        lambda net, x: net.a(x),
        replaced,
    ),
    "statistics of the batch": (
        lambda net, x: net.a(x),
        lambda net: setattr(net, "a", nn.BatchNorm2d(8, track_running_stats=False)),
    ),
    "double precision": (lambda _, x: x, lambda net: net.double()),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_source_and_archive_are_written(name: str) -> None:
    torch.manual_seed(0)
    student = Student(*NETWORKS[name])
    assert dry_export(student, DIGITS.signature, wanted=BOTH) == {}


@dataclasses.dataclass
class Output:
    features: Tensor
    logits: Tensor


Named = namedtuple("Named", "features logits")
RETURNED: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "tuple": lambda logits, features: (logits, features),
    "dictionary": lambda logits, features: {"features": features, "logits": logits},
    "dataclass": lambda logits, features: Output(features, logits),
    "named tuple": lambda logits, features: Named(features, logits),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_a_network_with_several_outputs_exports_the_logits(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    student = Student(returned=RETURNED[kind])
    done = diswot.export(student, tmp_path / "s", data=DIGITS, onnx=kind == "dictionary")
    expected = DIGITS.metrics[0].measure(student, DIGITS, "test")
    assert all(form.measure == expected for form in done.forms.values())
    assert done.left_out == {}


def test_an_impossible_form_is_left_out_with_its_reason(tmp_path: Path) -> None:
    space = NoOnnx()
    student = space.build(space.from_string("width=4"), 10)
    missing = dry_export(student, DIGITS.signature, wanted={"source": False, "onnx": False})
    assert list(missing) == ["onnx"]
    with pytest.raises(ExportError, match="cannot be exported as onnx"):
        dry_export(student, DIGITS.signature, wanted={"source": False, "onnx": True})
    done = diswot.export(student, tmp_path / "s", signature=DIGITS.signature)
    assert list(done.forms) == ["source", "pt2"]
    assert list(done.left_out) == ["onnx"]
    assert "Not written: onnx" in (tmp_path / "s" / "README.md").read_text()


def test_an_export_does_not_change_the_student(tmp_path: Path) -> None:
    student = Student(*NETWORKS["weight norm"]).train()
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    dry_export(student, DIGITS.signature, wanted=BOTH)
    after = student.state_dict()
    assert student.training
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in student.parameters())
