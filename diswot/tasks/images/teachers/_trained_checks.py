"""Checks of a trained teacher before scoring and training."""

from torch import nn

from diswot.errors import TeacherError
from diswot.progress import Progress, message, silent
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._order_check import OrderCheck, check_order
from diswot.tasks.images.teachers._own_view import compare_views
from diswot.tasks.images.teachers._predictions import Predictions
from diswot.teachers import Teacher


def check_trained(
    teacher: Teacher,
    network: nn.Module,
    data: LabeledImages,
    *,
    device: str = "cpu",
    force: bool = False,
    progress: Progress = silent,
) -> OrderCheck | None:
    """Check the class order of a teacher's outputs, and its accuracy on students' images.

    Args:
        teacher: the teacher, with its class order.
        network: the teacher's network with its weights.
        data: data with images and labels.
        device: device such as `cpu` or `cuda:0`.
        force: whether to accept a class order that is worse than another one.
        progress: called with the results, and with a warning if no named order explains the
            predictions.

    Returns:
        The comparison of class orders; `None` for a teacher that was trained on these classes
        here.

    Raises:
        TeacherError: another class order is significantly better, and the user gave none.
    """
    order = teacher.order if isinstance(teacher, ImageTeacher) else None
    if order is None:
        return None
    predictions = Predictions(network, data, device=device)
    check = check_order(order, predictions)
    if check.better is not None and not (force or order.named):
        raise TeacherError(
            f"teacher {teacher.name} has {check.better}, or --teacher-classes data to keep "
            "the order of the data's classes"
        )
    problem = check.better or check.reassigned
    if problem is not None:
        progress(message("teacher", f"warning: {teacher.name} has {problem}"))
    compare_views(teacher.name, predictions, progress=progress)
    return check
