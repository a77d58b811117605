"""Variants of the paper's semantic equation, for comparison with the implemented one."""

from collections.abc import Callable

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.similarity import common_resolution, localization_maps
from diswot.scorers import Card, register

SOURCE = "DisWOT, CVPR 2023, section 3, read otherwise"


@register(Card("semantic_by_class", "semantic with one N×N matrix, a row a class", SOURCE))
def semantic_by_class(student: Activations, teacher: Activations) -> Tensor:
    """Return −M_s, a scalar, with G as one row per class: class-by-class (N×N) matrices."""
    return _distance(student, teacher, lambda maps: maps.transpose(0, 1).flatten(1))


@register(Card("semantic_by_image", "semantic with one B×B matrix over all classes", SOURCE))
def semantic_by_image(student: Activations, teacher: Activations) -> Tensor:
    """Return −M_s, a scalar, with G as one row per image, classes concatenated: B×B matrices."""
    return _distance(student, teacher, lambda maps: maps.flatten(1))


def _distance(
    student: Activations, teacher: Activations, rows: Callable[[Tensor], Tensor]
) -> Tensor:
    resolution = common_resolution(student, teacher)
    grams = []
    for activations in (student, teacher):
        gram = rows(localization_maps(activations, resolution))
        gram = gram @ gram.T
        grams.append(gram / torch.linalg.matrix_norm(gram))
    distance: Tensor = torch.linalg.matrix_norm(grams[0] - grams[1])
    return -distance
