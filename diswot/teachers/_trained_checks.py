"""What is checked of a teacher with weights before anything is scored or trained."""

from torch import nn

from diswot.progress import Progress, silent
from diswot.tasks.images import ImageData
from diswot.teachers._order_check import OrderCheck, checked_order
from diswot.teachers._own_view import compare_views
from diswot.teachers._teacher import Teacher


def check_trained(
    teacher: Teacher,
    network: nn.Module,
    data: ImageData,
    *,
    device: str = "cpu",
    force: bool = False,
    progress: Progress = silent,
) -> OrderCheck | None:
    """Check the order of a teacher's outputs, and what it loses in the students' images.

    Args:
        teacher: what it is.
        network: it, with its weights.
        data: what its images and labels are.
        device: where to compute.
        force: whether to take it in an order that is worse than another.
        progress: receives what was found.

    Returns:
        What its answers tell about the order; `None` of a teacher that was trained here.

    Raises:
        TeacherError: another order of the classes is better by more than chance.
    """
    if teacher.order is None:
        return None
    check = checked_order(teacher, network, data, device=device, force=force, progress=progress)
    compare_views(teacher.name, network, data, device=device, progress=progress)
    return check
