"""What a student becomes outside DisWOT."""

from diswot.export._api import Exported, export, wanted_forms
from diswot.export._dry import dry_export
from diswot.export._forms import Form
from diswot.export._reading import read_exported
from diswot.runtimes import onnx_available, require_onnx

__all__ = [
    "Exported",
    "Form",
    "dry_export",
    "export",
    "onnx_available",
    "read_exported",
    "require_onnx",
    "wanted_forms",
]
