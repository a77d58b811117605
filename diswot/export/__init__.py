"""What a student becomes outside DisWOT."""

from diswot.export._api import Exported, export
from diswot.export._onnx import onnx_available, require_onnx

__all__ = ["Exported", "export", "onnx_available", "require_onnx"]
