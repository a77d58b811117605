"""Write `config.json`, the model card and `predict.py` of an exported student."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diswot.export._evaluation import Reference
from diswot.export._formats import FORMATS, formats_of
from diswot.export._forms import Form, Forms
from diswot.export._int8 import calibration_examples
from diswot.export._templates import render
from diswot.networks.costs import costs_of
from diswot.runs.folder import read_json, write_json
from diswot.tasks import Measure, Task, source_of
from search_spaces import TensorSpec


def describe(
    forms: Forms,
    written: Mapping[str, Form],
    left_out: Mapping[str, str],
    metrics: Mapping[str, Any],
    reference: Reference | None,
    task: Task,
) -> None:
    """Write `config.json`, `predict.py` and `README.md`.

    Args:
        forms: the exported network and its folder.
        written: the written formats by name.
        left_out: reasons why other formats were not written.
        metrics: further entries of `config.json`.
        reference: metric of the network on the test split; `None` without data.
        task: the task.
    """
    packaging = forms.packaging
    costs = costs_of(forms.network, packaging.signature)
    config: dict[str, Any] = {
        "architecture": forms.architecture,
        "params": costs.params,
        "macs": costs.macs,
        "task": task.name,
        "inputs": [_input(spec) for spec in packaging.signature.inputs],
        **({"shorter": True} if packaging.shorter else {}),
        "outputs": packaging.signature.outputs,
        "output": packaging.output,
        **packaging.config,
        **_measured(reference),
        **_flat(metrics),
        "forms": {name: form.to_json() for name, form in written.items()},
        "left_out": dict(left_out),
        **read_json(forms.folder / "config.json"),
    }
    if "int8" in written and forms.dataset is not None:
        config["calibration_examples"] = calibration_examples(forms.dataset)
    write_json(forms.folder / "config.json", config)
    for name, (content, _) in packaging.files.items():
        (forms.folder / name).write_text(content, "utf-8")
    _write_script(forms, [form.file for form in written.values() if form.threads], config)
    _write_card(forms, config, evaluated=reference is not None, noun=task.noun)


def _input(spec: TensorSpec) -> dict[str, Any]:
    dtype = "float32" if spec.dtype.startswith(("float", "bfloat")) else spec.dtype
    return {"name": spec.name, "shape": list(spec.shape), "dtype": dtype}


def _measured(reference: Reference | None) -> dict[str, Any]:
    """Return the entries of `config.json` on the dataset and the network's test metric."""
    if reference is None:
        return {}
    return {"data": reference.dataset.name, **_flat({"test": reference.measure.to_json()})}


def _flat(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics in the form for `config.json`, with measures as separate entries."""
    results = {
        name: value for name, value in metrics.items() if name not in ("test", "teacher_test")
    }
    if "test" in metrics:
        test = Measure.from_json(metrics["test"])
        results |= {**test.entries("test"), "test_examples": test.n}
        results["metric"] = {
            name: vars(test)[name] for name in ("name", "unit", "higher_is_better")
        }
    if "teacher_test" in metrics:
        teacher = Measure.from_json(metrics["teacher_test"])
        results[f"teacher_test_{teacher.name}"] = teacher.value
    return results


def _write_script(forms: Forms, files: Sequence[str], config: Mapping[str, Any]) -> None:
    used = formats_of(files)
    runners = {item.file: (item.run, item.runtime) for item in used if item.run is not None}
    packages = dict.fromkeys(
        "PyTorch" if item.runtime == "torch" else item.runtime.replace("_", "-") for item in used
    )
    script = render(
        "predict.py.j2",
        forms.packaging,
        config=config,
        files=files,
        needs=" or ".join(packages),
        runners=source_of(*(run for run, _ in runners.values())),
        runner_of={file: (run.__name__, package) for file, (run, package) in runners.items()},
    )
    (forms.folder / "predict.py").write_text(script, "utf-8")


def _write_card(forms: Forms, config: Mapping[str, Any], *, evaluated: bool, noun: str) -> None:
    sizes = {file.name: file.stat().st_size for file in sorted(forms.folder.iterdir())}
    card = render(
        "README.md.j2",
        forms.packaging,
        config=config,
        metric=config.get("metric"),
        evaluated=evaluated,
        noun=noun,
        pipeline_tag=forms.packaging.pipeline_tag,
        predicts=forms.packaging.predicts,
        sizes=sizes,
        singles=[
            f"`{item.file}`" for item in FORMATS.values() if item.alone and item.file in sizes
        ],
        summaries={item.file: item.summary for item in FORMATS.values()},
        added={name: what for name, (_, what) in forms.packaging.files.items()},
    )
    (forms.folder / "README.md").write_text(card, "utf-8")


def counted(folder: Path, form: str) -> int:
    """Return the total size of a format's files in bytes."""
    return sum((folder / name).stat().st_size for name in FORMATS[form].files)
