"""What is checked of a teacher with weights before anything is scored or trained."""

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
    """Check the order of a teacher's outputs, and what it loses in the students' images.

    Args:
        teacher: what it is.
        network: it, with its weights.
        data: what its images and labels are.
        device: where to compute.
        force: whether to take it in an order that is worse than another.
        progress: receives what was found, and a warning where no order that has a name
            explains its predictions.

    Returns:
        What its predictions say about the order; `None` of a teacher that was trained on these
        classes here.

    Raises:
        TeacherError: another order of the classes is better by more than chance, and none
            was named.
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
