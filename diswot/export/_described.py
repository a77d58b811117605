"""`config.json`, the card and the sample script of an exported student."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from diswot.export._evaluation import Reference
from diswot.export._forms import WEIGHTS, Form, Forms
from diswot.export._int8 import calibration_images
from diswot.export._preprocessing import preprocessing, write_script
from diswot.export._templates import render
from diswot.networks.copies import copied
from diswot.networks.costs import Costs, measure_costs
from diswot.runs.folder import read_json, write_json
from diswot.tasks import Measure
from diswot.tasks.images import ImageData


def describe(
    forms: Forms,
    written: Mapping[str, Form],
    left_out: Mapping[str, str],
    metrics: Mapping[str, Any],
    reference: Reference | None,
) -> None:
    """Write `config.json`, `predict.py` and `README.md` of the forms that were written."""
    costs = _costs(forms)
    config: dict[str, Any] = {
        "architecture": forms.architecture,
        "params": costs.params,
        "macs": costs.macs,
        **asdict(forms.images),
        **_measured(forms.data, reference),
        **_flat(metrics),
        "preprocessing": preprocessing(forms.images, forms.data),
        "output": "a tensor (n, num_classes), the network's output alone",
        "forms": {name: form.to_json() for name, form in written.items()},
        "left_out": dict(left_out),
        **read_json(forms.folder / "config.json"),
    }
    if "int8" in written and forms.data is not None:
        config["calibration_images"] = calibration_images(forms.data)
    write_json(forms.folder / "config.json", config)
    script = write_script([form.file for form in written.values()], config["preprocessing"])
    (forms.folder / "predict.py").write_text(script, "utf-8")
    sizes = {file.name: file.stat().st_size for file in sorted(forms.folder.iterdir())}
    card = render("README.md.j2", config=config, sizes=sizes)
    (forms.folder / "README.md").write_text(card, "utf-8")


def _measured(data: ImageData | None, reference: Reference | None) -> dict[str, Any]:
    """Return what the data and their test split say of the network."""
    if data is None or reference is None:
        return {}
    return {
        "data": data.name,
        "classes": data.classes,
        **_flat({"test": reference.accuracy.to_json()}),
    }


def _flat(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics with measures by the names that they have in `config.json`."""
    found = {name: value for name, value in metrics.items() if name not in ("test", "teacher_test")}
    if "test" in metrics:
        test = Measure.from_json(metrics["test"])
        found["test_accuracy"], found["test_images"] = test.value, test.n
        found["test_accuracy_95"] = [test.low, test.high]
    if "teacher_test" in metrics:
        found["teacher_test_accuracy"] = Measure.from_json(metrics["teacher_test"]).value
    return found


def counted(folder: Path, file: str) -> int:
    """Return the bytes of a form: its file, and the weights that the source reads."""
    files = [file, WEIGHTS] if file.endswith(".py") else [file]
    return sum((folder / name).stat().st_size for name in files)


def _costs(forms: Forms) -> Costs:
    """Count parameters and multiply-adds, by shapes alone or by running on one image."""
    try:
        return measure_costs(lambda: copied(forms.network).to("meta"), forms.images.signature)
    except Exception:  # noqa: BLE001  (it may hold tensors that do not move with it)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            forms.network(forms.batch[:1])
        params = sum(parameter.numel() for parameter in forms.network.parameters())
        return Costs(params, counter.get_total_flops() // 2)
