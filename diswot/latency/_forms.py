"""The runtimes ("forms") in which networks are timed: PyTorch, ONNX Runtime, compiled."""

import io
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diswot.devices import torch_threads
from diswot.errors import OptionError
from diswot.options import COMPILED, EAGER, MEASURED, ONNX, RUNTIMES
from diswot.runtimes import (
    onnx_available,
    onnx_provider,
    quiet,
    require_compiler,
    require_onnx,
)

FORMS = tuple(RUNTIMES)
"""Names of the runtimes."""


def is_measured(spec: str | None) -> bool:
    """Return whether a latency option means measuring on this machine."""
    return spec in FORMS or spec == MEASURED


def default_form(device: str = "cpu") -> str:
    """Return the default runtime: `onnx`, in which students are usually deployed.

    It is `eager` if the extra `onnx` is not installed, or ONNX Runtime cannot use the device.
    """
    return ONNX if onnx_available() and onnx_provider(device) is not None else EAGER


def check_form(form: str, device: str = "cpu") -> None:
    """Make sure that a runtime can be used on a device.

    Raises:
        OptionError: the runtime is unknown or does not support the device.
        MissingExtraError: ONNX Runtime is not installed.
    """
    if form not in FORMS:
        raise OptionError(f"Expected the form to be {', '.join(FORMS)}, but got {form!r}")
    if form == COMPILED:
        require_compiler(device)
    if form == ONNX:
        require_onnx("--latency onnx")
        if onnx_provider(device) is None:
            raise OptionError(
                f"the installed onnxruntime cannot use {device}: measure with --device cpu, or "
                "another form with --latency"
            )


def runner(network: nn.Module, *inputs: Tensor, form: str, threads: int) -> Callable[[], object]:
    """Return a function that runs `network` once on `inputs` in a runtime.

    Args:
        network: the network, on the device of the inputs and in evaluation mode.
        *inputs: inputs of the network, each (B, …).
        form: `eager`, `onnx` or `torch-compile`.
        threads: threads of the runtime.
    """
    if form == EAGER:
        return lambda: network(*inputs)
    if form == ONNX:
        return _onnx_runner(network, inputs, threads)
    torch.compiler.reset()  # otherwise, the ninth network of a class would not be compiled
    compiled = torch.compile(network)
    with torch_threads(threads), torch.inference_mode(), quiet():
        compiled(*inputs)  # compile now, for this number of threads
    return lambda: compiled(*inputs)


def _onnx_runner(
    network: nn.Module, inputs: tuple[Tensor, ...], threads: int
) -> Callable[[], object]:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        _onnx_of(network, inputs), settings, providers=[onnx_provider(str(inputs[0].device))]
    )
    read = {item.name for item in session.get_inputs()}  # the tracer drops those not read
    values = zip(_names(inputs), inputs, strict=True)
    given = {name: value.cpu().numpy() for name, value in values if name in read}
    return lambda: session.run(None, given)


def _names(inputs: tuple[Tensor, ...]) -> list[str]:
    return [f"input_{number}" for number in range(len(inputs))]


def _onnx_of(network: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
    """Return a network as ONNX for timing.

    It is traced, which takes a tenth of the time of the exporter for students; ONNX Runtime
    optimizes both to the same graph with the same latency (`python -m benchmarks
    latency-forms`). If tracing fails, the exporter for students is used.
    """
    with quiet(), torch.inference_mode():
        try:
            traced = io.BytesIO()
            torch.onnx.export(
                network,
                inputs,
                traced,  # type: ignore[arg-type]
                input_names=_names(inputs),
                dynamo=False,
            )
            return traced.getvalue()
        except Exception:  # noqa: BLE001  (the other exporter may support it)
            program = torch.onnx.export(
                network, inputs, input_names=_names(inputs), dynamo=True, verbose=False
            )
    if program is None:
        raise RuntimeError("torch wrote no ONNX program")
    return bytes(program.model_proto.SerializeToString())
