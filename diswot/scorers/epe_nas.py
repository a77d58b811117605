"""EPE-NAS: correlation of input gradients between images of the same class."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.jacov import OFFSET, gradient_correlations

MANY = 100
"""Number of classes above which the scores of classes are compared with each other."""


@register(
    Card(
        "epe_nas",
        "correlations between the input gradients of images of one class",
        "Lopes et al., EPE-NAS, ICANN 2021, section 3",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
        reads=("real inputs",),
    )
)
def epe_nas(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_c |s_c|, where s_c = Σ ln(|Σ_c| + k) over the entries of Σ_c and k = 10⁻⁵.

    Source: Lopes et al., EPE-NAS, ICANN 2021, section 3. Σ_c are the correlations between the
    input gradients of the images of class c. For more than 100 classes, s_c is divided by the
    number of images of class c, and the score is Σ_i Σ_j |s_i − s_j| divided by the number of
    classes in the batch.

    Raises:
        NetworkError: the logits do not depend on an image, or equally on all of its pixels.
    """
    logarithms = (student.once(gradient_correlations).abs() + OFFSET).log()
    classes = [student.targets == label for label in set(student.targets.tolist())]
    # Sum the entries of each class that is in the batch.
    sums = torch.stack([logarithms[members][:, members].sum() for members in classes])
    if student.output.shape[1] <= MANY:
        return sums.abs().sum()
    # Many classes: differences of the means of classes, instead of their sums.
    means = sums / torch.stack([members.sum() for members in classes])
    return (means[:, None] - means).abs().sum() / len(classes)
