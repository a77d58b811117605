"""Copy networks, including those that keep activations as attributes."""

import copy
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from diswot.errors import NetworkError, first_line

_Network = TypeVar("_Network", bound=nn.Module)


class _DetachedResults(TorchFunctionMode):
    """A context in which `deepcopy` copies non-leaf tensors detached, instead of failing."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is Tensor.__deepcopy__:
            tensor, memo = args
            if not tensor.is_leaf:
                return memo.setdefault(id(tensor), tensor.detach().clone())
        return func(*args, **(kwargs or {}))


def copied(network: _Network) -> _Network:
    """Return a deep copy of a network.

    Modules may keep activations as attributes, for example for Grad-CAM; the copy has their
    values without the autograd graph.

    Raises:
        NetworkError: the network has an object that cannot be copied, such as a lock or an open
            file.

    Examples:
        >>> import torch
        >>> network = nn.Linear(3, 2)
        >>> network.seen = network(torch.ones(1, 3))
        >>> copied(network).seen.equal(network.seen)
        True
    """
    try:
        with _DetachedResults():
            return copy.deepcopy(network)
    except Exception as error:  # attributes of modules can be anything
        raise NetworkError(
            f"the network {type(network).__name__} cannot be copied "
            f"({type(error).__name__}: {first_line(error)}): keep nothing in its modules but "
            "weights, buffers, modules and plain values"
        ) from error
