"""Functions that run each format; their source is also copied into exported `predict.py` files.

Each takes a path, the names of the inputs and a number of threads (`None` for the runtime's
default), and returns a function from arrays, one per input, to the array of outputs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Run: TypeAlias = Callable[..., Any]
Runner: TypeAlias = Callable[..., Run]


def run_onnx(path: Path, names: Sequence[str], threads: int | None = None) -> Run:
    """Load an ONNX file; return a function that runs it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    used = {item.name for item in session.get_inputs()}

    def run(*inputs: Any) -> Any:
        given = {name: value for name, value in zip(names, inputs, strict=True) if name in used}
        return session.run(None, given)[0]

    return run


def run_archive(path: Path, _names: Sequence[str], threads: int | None = None) -> Run:
    """Load a `torch.export` archive; return a function that runs it."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    network = torch.export.load(path).module()

    def run(*inputs: Any) -> Any:
        with torch.inference_mode():
            return network(*map(torch.from_numpy, inputs)).numpy()

    return run


def run_source(path: Path, _names: Sequence[str], threads: int | None = None) -> Run:
    """Import the plain source and its weights; return a function that runs the network."""
    import importlib.util

    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    spec = importlib.util.spec_from_file_location("student", path)
    student: Any = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(student)  # type: ignore[union-attr]
    network = student.load()

    def run(*inputs: Any) -> Any:
        with torch.inference_mode():
            return network(*map(torch.from_numpy, inputs)).numpy()

    return run


def run_openvino(path: Path, names: Sequence[str], threads: int | None = None) -> Run:
    """Load an OpenVINO model; return a function that runs it on the CPU in fp32."""
    import openvino

    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    model = openvino.Core().compile_model(path, "CPU", settings)
    used = {name for item in model.inputs for name in item.get_names()}

    def run(*inputs: Any) -> Any:
        given = {name: value for name, value in zip(names, inputs, strict=True) if name in used}
        return model(given)[0].copy()

    return run


def run_executorch(path: Path, _names: Sequence[str], _threads: int | None = None) -> Run:
    """Load an ExecuTorch program; return a function that runs it, with its own threads."""
    import torch
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(path).load_method("forward")
    return each_alone(
        lambda *inputs: method.execute([torch.from_numpy(item) for item in inputs])[0].numpy()
    )


def run_litert(path: Path, _names: Sequence[str], threads: int | None = None) -> Run:
    """Load a LiteRT model; return a function that runs it."""
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(str(path), num_threads=threads).get_signature_runner()

    def run(*inputs: Any) -> Any:
        given = {f"args_{number}": item for number, item in enumerate(inputs)}
        return next(iter(model(**given).values()))

    return each_alone(run)


def each_alone(run: Run) -> Run:
    """Return a function that runs the examples of a batch one by one."""
    import numpy

    def runs(*inputs: Any) -> Any:
        indices = range(len(inputs[0]))
        outputs = [run(*(item[at : at + 1].copy() for item in inputs)) for at in indices]
        return numpy.concatenate([numpy.array(item) for item in outputs])

    return runs
