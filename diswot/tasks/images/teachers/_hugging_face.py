"""Teachers from Hugging Face transformers: image classifiers of a folder, or of the Hub."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import DiswotError, TeacherError, first_line
from diswot.seeding import torch_seed
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._hf_config import check_config, check_size
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._processor import view_of
from diswot.teachers import folder_or_id, imported, library_teacher

_SAFE = {"trust_remote_code": False, "attn_implementation": "eager"}
"""No code of a repository's own, nor kernels that its configuration names."""


def hugging_face(place: str, images: ImageSpec, *, pretrained: bool = True) -> ImageTeacher:
    """Return an image classifier, shown images as its processor shows them.

    Mean, standard deviation, size and crop are those of `preprocessor_config.json`;
    without one, images are normalized as the data's are, and resized to the
    configuration's `image_size` where it has one.

    Args:
        place: a folder that `save_pretrained` wrote, or an id of the Hub.
        images: what the data's images are.
        pretrained: whether its weights are wanted, or are given with it.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is no image classifier, or cannot be loaded.
        NetworkError: it does not fit the data.
    """
    who = f"teacher hf:{place}"
    transformers, source, local = find_hugging_face(place)
    with _quiet(transformers):
        try:
            given = {"trust_remote_code": False, "local_files_only": local}
            values, _ = transformers.PretrainedConfig.get_config_dict(source, **given)
            check_config(values, num_classes=images.num_classes, who=who)
            config = transformers.AutoConfig.from_pretrained(source, **given)
            fresh = partial(_fresh, config)
            folder = Path(source)
            check_size(fresh, folder if pretrained and folder.is_dir() else None, who=who)
            with torch_seed(0):
                network = _trained(transformers, source, local) if pretrained else fresh()
            view = view_of(source, config, images, local=local)
        except TeacherError as error:
            raise error if who in str(error) else TeacherError(f"{who}: {error}") from error
        except DiswotError:
            raise
        except Exception as error:  # downloads, configurations and weights raise anything
            raise TeacherError(
                f"{who} cannot be loaded ({type(error).__name__}: {first_line(error)}): give a "
                "folder that save_pretrained wrote, with its weights, or an id of the Hub"
            ) from error
    found = library_teacher(
        f"hf:{place}",
        network,
        fresh=fresh,
        shown=partial(AsTrained, images=images, **view.settings),
        signature=images.signature,
        notes=view.notes,
    )
    return ImageTeacher.of(found, names=_names(config))


def find_hugging_face(place: str) -> tuple[Any, str, bool]:
    """Return transformers, what it loads for a place, and whether from this machine alone.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: the place is neither a folder, nor in the cache, nor can be reached.
    """
    who = f"teacher hf:{place}"
    transformers = imported("transformers", extra="hf", who=who)
    return transformers, *folder_or_id(place, who)


def _trained(transformers: Any, source: str, local: bool) -> nn.Module:
    network, loading = transformers.AutoModelForImageClassification.from_pretrained(
        source, output_loading_info=True, local_files_only=local, **_SAFE
    )
    if missing := sorted(loading["missing_keys"]):
        raise TeacherError(
            f"{source} has no weights for {missing[0]}, so it is no trained classifier: "
            "fine-tune it on the data first"
        )
    return one_headed(network.float())


def _fresh(config: Any) -> nn.Module:
    transformers: Any = importlib.import_module("transformers")
    network = transformers.AutoModelForImageClassification.from_config(config, **_SAFE)
    return one_headed(network.float())


def _names(config: Any) -> list[str]:
    """Names of the classes in their order."""
    labels = config.id2label or {}  # some configurations have none
    return [str(labels.get(number, f"LABEL_{number}")) for number in range(config.num_labels)]


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep the library's warnings and bars off standard error: what matters is said here."""
    logs = transformers.utils.logging, importlib.import_module("huggingface_hub").logging
    before = [log.get_verbosity() for log in logs]
    bars = logs[0].is_progress_bar_enabled()
    for log in logs:
        log.set_verbosity_error()
    logs[0].disable_progress_bar()
    try:
        yield
    finally:
        for log, verbosity in zip(logs, before, strict=True):
            log.set_verbosity(verbosity)
        if bars:
            logs[0].enable_progress_bar()


class JointHead(nn.Module):
    """A distilled transformer whose two heads, of which it gives the mean, are one layer.

    Source: Touvron et al., "Training data-efficient image transformers & distillation
    through attention", ICML 2021, section 4 (late fusion of the two classifiers).

    Args:
        body: its output's `last_hidden_state` begins with the class and distillation tokens.
        heads: the linear layer of each.
    """

    def __init__(self, body: nn.Module, heads: tuple[nn.Linear, nn.Linear]) -> None:
        super().__init__()
        self.body = body
        width = sum(head.in_features for head in heads)
        self.classifier = nn.Linear(width, heads[0].out_features)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.cat([head.weight / 2 for head in heads], dim=1))
            self.classifier.bias.copy_((heads[0].bias + heads[1].bias) / 2)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, N)."""
        logits: Tensor = self.classifier(self.body(images).last_hidden_state[:, :2].flatten(1))
        return logits


def one_headed(network: nn.Module) -> nn.Module:
    """Return a network that computes the same with one classifier."""
    heads = [getattr(network, f"{name}_classifier", None) for name in ("cls", "distillation")]
    if isinstance(heads[0], nn.Linear) and isinstance(heads[1], nn.Linear):
        body = getattr(network, str(network.base_model_prefix))
        return JointHead(body, (heads[0], heads[1]))
    return network
