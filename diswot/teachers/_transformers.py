"""Load networks with Hugging Face transformers, without running code of a repository."""

import importlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from diswot.errors import DiswotError, TeacherError, first_line
from diswot.seeding import torch_seed
from diswot.teachers._hf_config import check_config, check_size
from diswot.teachers._hub import folder_or_id
from diswot.teachers._libraries import imported

Adapt: TypeAlias = Callable[[nn.Module], nn.Module]

_SAFE = {"trust_remote_code": False, "attn_implementation": "eager"}
"""Do not run code of a repository, nor attention kernels that its configuration names."""


@dataclass(frozen=True)
class Pretrained:
    """A classifier loaded with transformers.

    Attributes:
        network: the network, with trained weights if requested.
        fresh: makes the network with random weights.
        config: its configuration.
        names: names of the classes in the order of outputs; `LABEL_0`, … if it has none.
    """

    network: nn.Module
    fresh: Callable[[], nn.Module]
    config: Any
    names: tuple[str, ...]


@dataclass(frozen=True)
class TransformersSource:
    """A folder or Hub repository that transformers loads from.

    Attributes:
        who: name of the teacher in messages.
        path: a folder, or an id of the Hub.
        local: whether only local files are used.
    """

    who: str
    path: str
    local: bool

    def classifier(
        self, head: str, *, classes: int, pretrained: bool = True, adapt: Adapt | None = None
    ) -> Pretrained:
        """Load a classifier, after checking its configuration against the data.

        Args:
            head: the class of transformers that loads it, such as
                `AutoModelForImageClassification`.
            classes: number of classes of the data.
            pretrained: whether to load the trained weights.
            adapt: applied to the network afterwards, for example to wrap it.

        Raises:
            NetworkError: it has another number of classes.
            TeacherError: it has no trained classifier, or an implausible configuration.
        """
        transformers: Any = importlib.import_module("transformers")
        given = {"trust_remote_code": False, "local_files_only": self.local}
        values, _ = transformers.PretrainedConfig.get_config_dict(self.path, **given)
        check_config(values, classes=classes, who=self.who)
        config = transformers.AutoConfig.from_pretrained(self.path, **given)
        fresh = partial(_fresh, head, config, adapt)
        folder = Path(self.path)
        check_size(fresh, folder if pretrained and folder.is_dir() else None, who=self.who)
        with torch_seed(0):
            network = self._trained(head, adapt) if pretrained else fresh()
        return Pretrained(network, fresh, config, _names(config))

    def _trained(self, head: str, adapt: Adapt | None) -> nn.Module:
        transformers: Any = importlib.import_module("transformers")
        network, loading = getattr(transformers, head).from_pretrained(
            self.path, output_loading_info=True, local_files_only=self.local, **_SAFE
        )
        if missing := sorted(loading["missing_keys"]):
            raise TeacherError(
                f"{self.path} has no weights for {missing[0]}, so it is not a trained classifier: "
                "fine-tune it on the data first"
            )
        return _adapted(network, adapt)


@contextmanager
def transformers_source(place: str) -> Iterator[TransformersSource]:
    """Yield the source for `hf:place`; exceptions inside the block become one-line errors.

    Args:
        place: a folder that `save_pretrained` wrote, or an id of the Hub.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is neither a folder nor in the cache and the Hub cannot be reached, or
            loading fails.
    """
    who = f"teacher hf:{place}"
    path, local = find_transformers(place)
    with _quiet():
        try:
            yield TransformersSource(who, path, local)
        except TeacherError as error:
            raise error if who in str(error) else TeacherError(f"{who}: {error}") from error
        except DiswotError:
            raise
        except Exception as error:  # downloads, configurations and weights raise anything
            if broken := _broken_torchvision(error):
                raise TeacherError(
                    f"{who} cannot be loaded, since the installed torchvision does not work "
                    f"({broken}): install the one made for torch {torch.__version__}, or remove it "
                    "(pip uninstall torchvision); it is not needed here"
                ) from error
            raise TeacherError(
                f"{who} cannot be loaded ({type(error).__name__}: {first_line(error)}): give a "
                "folder that save_pretrained wrote, with its weights, or an id of the Hub"
            ) from error


def _broken_torchvision(error: BaseException) -> str | None:
    """Return what torchvision raised when transformers imported it; `None` if that is not why."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and cause not in causes:
        causes.append(cause)
    for item in reversed(causes):
        frames = traceback.extract_tb(item.__traceback__)
        within = any("torchvision" in Path(frame.filename).parts for frame in frames)
        if within or "torchvision" in first_line(item):
            return f"{type(item).__name__}: {first_line(item)}"
    return None


def find_transformers(place: str) -> tuple[str, bool]:
    """Resolve `hf:place` to a folder or Hub id.

    Returns:
        The folder or id, and whether only local files are used.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is neither a folder nor in the cache, and the Hub cannot be reached.
    """
    who = f"teacher hf:{place}"
    imported("transformers", extra="hf", who=who)
    return folder_or_id(place, who)


def _fresh(head: str, config: Any, adapt: Adapt | None) -> nn.Module:
    transformers: Any = importlib.import_module("transformers")
    return _adapted(getattr(transformers, head).from_config(config, **_SAFE), adapt)


def _adapted(network: Any, adapt: Adapt | None) -> nn.Module:
    whole: nn.Module = network.float()
    return whole if adapt is None else adapt(whole)


def _names(config: Any) -> tuple[str, ...]:
    """Return the names of the classes in the order of outputs."""
    labels = config.id2label or {}  # some configurations have none
    return tuple(str(labels.get(number, f"LABEL_{number}")) for number in range(config.num_labels))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings and progress bars of transformers inside the block."""
    transformers: Any = importlib.import_module("transformers")
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
