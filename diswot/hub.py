"""Load exported students from the Hugging Face Hub without executing code from them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from huggingface_hub import PyTorchModelHubMixin, hf_hub_download
from torch import Tensor, nn

from diswot.errors import CheckpointError, DiswotError, ExportError
from diswot.networks.meta import build_on_meta
from diswot.networks.output import output_of
from diswot.search import SPACES, find_space
from diswot.teachers import load_checkpoint
from search_spaces import Signature, TensorSpec

WEIGHTS = "weights.safetensors"


class HubStudent(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="diswot",
    tags=["knowledge-distillation", "diswot"],
):
    """An exported student of a built-in search space, from the Hub or from a folder.

    `HubStudent.from_pretrained("OWNER/NAME")` reads `config.json` and `weights.safetensors`. The
    network is built by the search space that has this architecture. Students of other networks
    are loaded with their `student.py`.

    Args:
        architecture: its name in a built-in search space.
        inputs: name, shape and type of each input, as in `config.json`.
        outputs: number of outputs.
        space: name of the space; by default the first one that has this architecture.

    Raises:
        ExportError: no built-in space has this architecture.

    Examples:
        >>> images = {"name": "images", "shape": [1, 16, 16], "dtype": "float32"}
        >>> student = HubStudent(architecture="1-1-1", inputs=[images], outputs=10)
        >>> sum(parameter.numel() for parameter in student.parameters())
        77754
    """

    def __init__(
        self,
        *,
        architecture: str,
        inputs: Sequence[Any],
        outputs: int,
        space: str | None = None,
    ) -> None:
        super().__init__()
        signature = _signature(inputs, outputs)
        self.space = space or next(_spaces_with(architecture, signature), None)
        if self.space is None:
            raise _unknown(architecture)
        built_in = find_space(self.space, signature)
        self.network = built_in.network(built_in.from_string(architecture), signature)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map preprocessed inputs, such as images (B, C, H, W), to outputs (B, outputs)."""
        return output_of(self.network(*inputs))

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        architecture: Any = None,
        inputs: Any = (),
        outputs: Any = 0,
        space: str | None = None,
        map_location: str = "cpu",
        strict: bool = True,  # noqa: ARG003  (loading is always strict)
        **where: Any,
    ) -> Self:
        """Build the network from the values of `config.json`, and load the weights."""
        if not isinstance(architecture, str) or not isinstance(outputs, int):
            raise ExportError(f"{model_id} has no config.json of a student that DisWOT exported")
        folder = Path(model_id)
        path = folder / WEIGHTS if folder.is_dir() else hf_hub_download(model_id, WEIGHTS, **where)
        signature = _signature(inputs, outputs)
        failure: DiswotError = _unknown(architecture)
        for name in [space] if space else _spaces_with(architecture, signature):
            student = cls(architecture=architecture, inputs=inputs, outputs=outputs, space=name)
            try:
                load_checkpoint(student.network, path)
            except CheckpointError as error:
                failure = error
            else:
                return student.to(map_location).eval()
        raise failure

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write the weights; the mixin writes `config.json`."""
        from safetensors.torch import save_file

        state = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(state, save_directory / WEIGHTS)


def _unknown(architecture: str) -> ExportError:
    return ExportError(
        f"no built-in search space has the architecture {architecture!r}: load the student with "
        "its student.py, or another format"
    )


def _signature(inputs: Sequence[Any], outputs: int) -> Signature:
    """Return the signature that `config.json` describes.

    Raises:
        ExportError: the entries have another form.
    """
    try:
        specs = (TensorSpec(item["name"], tuple(item["shape"]), item["dtype"]) for item in inputs)
        return Signature(tuple(specs), outputs)
    except (KeyError, TypeError, ValueError) as error:
        described = json.dumps(inputs, default=str)[:80]
        raise ExportError(f"config.json does not describe inputs, but has {described}") from error


def _spaces_with(architecture: str, signature: Signature) -> Iterator[str]:
    """Yield the names of the built-in spaces with an architecture that takes such inputs."""
    for name in SPACES:
        try:
            space = find_space(name, signature)
            arch = space.from_string(architecture)
            build_on_meta(lambda: space.network(arch, signature))  # noqa: B023  (called at once)
        except (DiswotError, ValueError, IndexError, TypeError):
            continue
        yield name
