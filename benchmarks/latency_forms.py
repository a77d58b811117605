"""Milliseconds of the same networks in every form that `--latency` measures."""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from diswot.latency import FORMS, time_network
from diswot.options import EAGER, ONNX
from diswot.progress import Progress, tracked
from diswot.runtimes import quiet
from diswot.seeding import torch_seed
from search_spaces import ResNetDepthSpace, Signature, TensorSpec


@dataclass(frozen=True)
class LatencyFormsSettings:
    """What is timed: ResNets of S0 with one image.

    Attributes:
        networks: their architectures.
        shape: channels, height and width of the image.
        threads: of every runtime.
        rounds: each network is timed so often in every form, in turns, except compiled, which
            takes a minute to compile and is timed once; the fast runs of the best round count,
            since other work on the machine only slows down.
        seconds: how long, each time.
    """

    networks: tuple[str, ...] = ("1-1-1", "3-1-5", "7-7-7")
    shape: tuple[int, int, int] = (1, 16, 16)
    threads: int = 1
    rounds: int = 3
    seconds: float = 0.5

    @property
    def signature(self) -> Signature:
        """Signature of the networks."""
        return Signature((TensorSpec("images", self.shape),), 10)


@dataclass(frozen=True)
class LatencyForms:
    """One network.

    Attributes:
        network: its architecture.
        params: parameters.
        eager_ms: milliseconds of one image in PyTorch.
        onnx_ms: in ONNX Runtime.
        compiled_ms: with `torch.compile`.
        eager_to_onnx: how many times as long PyTorch takes as ONNX Runtime.
        traced_s: seconds to make ONNX by tracing, which is what is timed.
        exported_s: seconds to make ONNX as students are exported.
        deployed_ms: milliseconds of one image in ONNX Runtime of what is exported.
    """

    network: str
    params: int
    eager_ms: float
    onnx_ms: float
    compiled_ms: float
    eager_to_onnx: float
    traced_s: float
    exported_s: float
    deployed_ms: float


def latency_forms(settings: LatencyFormsSettings, progress: Progress) -> list[LatencyForms]:
    """Time every network in every form."""
    names = settings.networks
    return [_timed(name, settings) for name in tracked(names, progress, "networks", len(names))]


def _timed(name: str, settings: LatencyFormsSettings) -> LatencyForms:
    space = ResNetDepthSpace(in_channels=settings.shape[0])
    with torch_seed(0):
        network = space.build(space.from_string(name), 10).eval()
    images = torch.zeros(1, *settings.shape)
    fast: dict[str, list[float]] = {form: [] for form in FORMS}
    deployed, exported = zip(*_deployed(network, images, settings), strict=True)
    for number in range(settings.rounds):
        for form in FORMS if number == 0 else (EAGER, ONNX):
            measured = time_network(
                network,
                settings.signature,
                threads=settings.threads,
                seconds=settings.seconds,
                form=form,
            )
            fast[form].append(measured.fast_ms)
    eager, onnx, compiled = (min(fast[form]) for form in FORMS)
    return LatencyForms(
        name,
        sum(parameter.numel() for parameter in network.parameters()),
        eager,
        onnx,
        compiled,
        eager / onnx,
        median(_tracing(network, images) for _ in range(settings.rounds)),
        median(exported),
        min(deployed),
    )


def _tracing(network: nn.Module, images: torch.Tensor) -> float:
    started = time.perf_counter()
    with quiet(), torch.inference_mode():
        torch.onnx.export(network, (images,), io.BytesIO(), dynamo=False)  # type: ignore[arg-type]
    return time.perf_counter() - started


def _deployed(
    network: nn.Module, images: torch.Tensor, settings: LatencyFormsSettings
) -> Iterator[tuple[float, float]]:
    """Yield milliseconds of the exported network's fast runs, and seconds of its export."""
    import onnxruntime

    given = onnxruntime.SessionOptions()
    given.intra_op_num_threads = settings.threads
    for _ in range(settings.rounds):
        started = time.perf_counter()
        with quiet():
            program = torch.onnx.export(network, (images,), dynamo=True, verbose=False)
        seconds = time.perf_counter() - started
        content = program.model_proto.SerializeToString()  # type: ignore[union-attr]
        session = onnxruntime.InferenceSession(content, given, providers=["CPUExecutionProvider"])
        run = _Session(session)
        measured = time_network(
            run, settings.signature, threads=settings.threads, seconds=settings.seconds
        )
        yield measured.fast_ms, seconds


class _Session(nn.Module):
    """An ONNX Runtime session, to be timed as a network is."""

    def __init__(self, session: object) -> None:
        super().__init__()
        self._session = session
        self._input: str = session.get_inputs()[0].name  # type: ignore[attr-defined]

    def forward(self, images: torch.Tensor) -> object:
        return self._session.run(None, {self._input: images.numpy()})  # type: ignore[attr-defined]
