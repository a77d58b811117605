"""The two similarity losses of DisWOT†.

Source: Dong et al., "DisWOT", CVPR 2023, arXiv 2303.15678, section 3: the metrics of the
search used as losses, (1/c²)‖ΔG‖₂ for c classes and (1/b²)‖ΔA‖₂ for b images. The scorers
`semantic` and `relation` use the same functions.
"""

from torch import Tensor

from diswot.errors import NetworkError
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.similarity import (
    common_resolution,
    relation_distance,
    relation_similarity,
    semantic_distance,
    semantic_similarity,
)


def semantic_loss(student: Activations, teacher: Activations) -> Tensor:
    """Return M_s/c², the distance of two networks' class activation maps; a scalar ≥ 0.

    Args:
        student: outputs of the student for a batch; gradients flow into them.
        teacher: outputs of the teacher for the same batch; no gradient flows into them.
    """
    resolution = common_resolution(student, teacher)
    ours = semantic_similarity(student, resolution)
    theirs = semantic_similarity(teacher, resolution).detach()
    return semantic_distance(ours, theirs) / student.output.shape[1] ** 2


def relation_loss(student: Activations, teacher: Activations) -> Tensor:
    """Return M_r/b², the distance of two networks' image-to-image similarities; a scalar ≥ 0.

    Args:
        student: outputs of the student for a batch; gradients flow into them.
        teacher: outputs of the teacher for the same batch; no gradient flows into them.
    """
    resolution = common_resolution(student, teacher)
    ours = relation_similarity(student, resolution)
    theirs = relation_similarity(teacher, resolution).detach()
    return relation_distance(ours, theirs) / len(student.output) ** 2


@register(
    Card(
        "semantic",
        "similarities between the images' class activation maps, class by class (DisWOT†)",
        "Dong et al., DisWOT, CVPR 2023, section 3",
        weight=1.0,
        weight_source="the paper, which adds both to CE+KL",
        reads=("feature maps", "classifier weights"),
    )
)
class Semantic(Term):
    """The [`semantic_loss`][diswot.losses.semantic_loss] of student and teacher."""

    reads_features = True

    def __init__(self, context: LossContext) -> None:
        super().__init__(context)
        for network in (context.student, context.teacher):
            channels = network.feature_map[0]
            if channels != network.features:
                raise NetworkError(
                    f"the classifier of {network.who} reads {network.features} features but the "
                    f"last feature map has {channels} channels, so class activation maps are "
                    "undefined: leave semantic out of the loss"
                )

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return semantic_loss(student, teacher)


@register(
    Card(
        "relation",
        "similarities between the images' last feature maps (DisWOT†)",
        "Dong et al., DisWOT, CVPR 2023, section 3",
        weight=1.0,
        weight_source="the paper, which adds both to CE+KL",
        reads=("feature maps",),
    )
)
class Relation(Term):
    """The [`relation_loss`][diswot.losses.relation_loss] of student and teacher."""

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return relation_loss(student, teacher)
