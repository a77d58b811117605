"""Export students so that they run without DisWOT."""

from diswot.export._api import Exported, export
from diswot.export._dry_export import dry_export
from diswot.export._fine_tuning import Quantization
from diswot.export._formats import FORMATS, Format
from diswot.export._forms import Form
from diswot.export._hub import check_repo, push
from diswot.export._int8_layers import LayerLoss
from diswot.export._predicting import ExportedStudent, predict
from diswot.export._reading import read_exported
from diswot.export._requested_formats import check_fine_tuning, wanted_forms
from diswot.runtimes import onnx_available, require_onnx

__all__ = [
    "FORMATS",
    "Exported",
    "ExportedStudent",
    "Form",
    "Format",
    "LayerLoss",
    "Quantization",
    "check_fine_tuning",
    "check_repo",
    "dry_export",
    "export",
    "onnx_available",
    "predict",
    "push",
    "read_exported",
    "require_onnx",
    "wanted_forms",
]
