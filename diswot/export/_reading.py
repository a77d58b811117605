"""Read an exported folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.export._api import Exported
from diswot.export._formats import FORMATS
from diswot.export._forms import Form
from diswot.export._int8_layers import LayerLoss
from diswot.runs.folder import read_json
from diswot.tasks import Measure


def read_exported(folder: Path, *, noun: str = "example") -> Exported | None:
    """Return the result of an earlier export; `None` if files are missing or damaged.

    Args:
        folder: the exported folder.
        noun: what the task calls one example.
    """
    try:
        config = read_json(folder / "config.json")
        forms = {name: _form(values, config) for name, values in config["forms"].items()}
        files = [file for file in sorted(folder.iterdir()) if file.is_file()]  # no __pycache__
        sizes = {file.name: file.stat().st_size for file in files}
        left_out = {str(name): str(why) for name, why in config["left_out"].items()}
    except (OSError, RunFolderError, AttributeError, KeyError, TypeError, ValueError):
        return None
    if not {file for name in forms for file in FORMATS[name].files} <= sizes.keys():
        return None
    return Exported(folder, tuple(sizes), forms, left_out, sizes, noun)


def _form(values: Mapping[str, Any], config: Mapping[str, Any]) -> Form:
    known = {name: values[name] for name in ("file", "bytes", "milliseconds", "threads")}
    layers = tuple(LayerLoss.from_json(item) for item in values.get("layers", ()))
    measure = _measure(values, config)
    return Form(**known, difference=values["difference"], measure=measure, layers=layers)


def _measure(values: Mapping[str, Any], config: Mapping[str, Any]) -> Measure | None:
    metric = config.get("metric")
    if metric is None or f"test_{metric['name']}" not in values:
        return None
    low, high = values[f"test_{metric['name']}_95"]
    value, count = values[f"test_{metric['name']}"], config["test_examples"]
    return Measure.from_json({**metric, "value": value, "low": low, "high": high, "n": count})
