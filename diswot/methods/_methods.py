"""Find methods by name: built-in ones, and those of installed packages."""

from diswot.methods._run_method import RunMethod
from diswot.options import DEFAULT_METHOD
from diswot.registry import Registry, instance_of

METHODS: Registry[RunMethod] = Registry(
    "method",
    "diswot.methods",
    {
        "distillation": "diswot.methods._run_method:Distilled",
        "supernet": "diswot.methods.supernet:SupernetRun",
        "web-images": "diswot.methods.web_images:WebImagesRun",
        "data-free": "diswot.methods.data_free:DataFreeRun",
        "federated": "diswot.methods.federated:FederatedRun",
    },
    adopt=instance_of(RunMethod, "method", "diswot.methods"),
)
"""Methods by name, imported on first use."""


def find_method(name: str | None = None) -> RunMethod:
    """Find a method by name.

    Args:
        name: a built-in name, the name of an entry point in the group `diswot.methods`, or
            `package.module:Class`; by default `distillation`.

    Raises:
        UnknownNameError: no method has this name.
        OptionError: the object with this name is not a method.
        PluginError: the package that offers it cannot be imported.

    Examples:
        >>> find_method("supernet").summary
        'students cut out of supernets that learn the relations of the teacher, without labels'
    """
    return METHODS.named(name or DEFAULT_METHOD)
