"""Networks of trained students in a run folder."""

from torch import nn

from diswot.networks.shared_classifier import SharedClassifier, share_classifier
from diswot.search._spaces import find_space, parse_architecture
from diswot.students import Origin, build_student, set_origin
from diswot.teachers import load_checkpoint
from diswot.training import SavedStudent
from search_spaces import SearchSpace


def restored_student(saved: SavedStudent, space: str | SearchSpace) -> nn.Module:
    """Build the network of a trained student, with the weights of its best epoch.

    Args:
        saved: the student, such as one of `diswot.training.saved_students`.
        space: its search space.

    Raises:
        DiswotError: the space is unknown, or does not have its architecture.
        CheckpointError: the weights are damaged, or of another network.
        RunFolderError: the weights have changed since the training ended.
    """
    found = find_space(space, saved.signature)
    arch = parse_architecture(found, saved.architecture)
    student = build_student(found, arch, saved.signature)
    if (shared := saved.metrics.get("shared_classifier")) is not None:
        shape = SharedClassifier.from_json(shared)
        student = share_classifier(student, shape, saved.signature)
    load_checkpoint(student, saved.weights)
    set_origin(student, Origin(saved.signature, saved.architecture, metrics=saved.metrics))
    return student
