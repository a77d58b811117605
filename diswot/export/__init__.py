"""What a student becomes outside DisWOT."""

from diswot.export._api import Exported, export
from diswot.export._int8 import Quantised
from diswot.runtimes import onnx_available, require_onnx

__all__ = ["Exported", "Quantised", "export", "onnx_available", "require_onnx"]
