"""Students that end with the teacher's classifier."""

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property

from torch import Tensor, nn

from diswot.networks.shared_classifier import SharedClassifier, share_classifier
from diswot.seeding import seed_for, torch_seed
from diswot.students import Origin, build_student, origin_of, set_origin
from diswot.tasks import SplitName
from search_spaces import Architecture, SearchSpace, Signature


@dataclass(frozen=True, eq=False)
class SharedStudents:
    """A source of students with a projector and the frozen classifier of the teacher.

    Attributes:
        space: the search space, which builds the networks.
        signature: shapes of the networks' inputs and outputs.
        classifier: shape of the teacher's classifier.
        weights: tensors of the classifier.
        scored_on: candidates are scored on images of the pool.
    """

    space: SearchSpace
    signature: Signature
    classifier: SharedClassifier
    weights: Mapping[str, Tensor]
    scored_on: SplitName = field(default="train", init=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the classifier's weights."""
        content = hashlib.sha256(repr(self.classifier).encode())
        for name, tensor in sorted(self.weights.items()):
            content.update(name.encode())
            content.update(tensor.contiguous().numpy().tobytes())
        return content.hexdigest()

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture with random weights, to measure its costs."""
        network = self.space.network(arch, self.signature)
        return share_classifier(network, self.classifier, self.signature)

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return a student with the classifier of the teacher, which carries its origin.

        Args:
            arch: an architecture of the space.
            seed: seed of the other weights; by default torch's global generators are used.

        Raises:
            NetworkError: the classifier cannot be used in this network.
        """
        student = build_student(self.space, arch, self.signature, seed=seed)
        origin = origin_of(student) or Origin(self.signature)
        with nullcontext() if seed is None else torch_seed(seed_for(seed, "projector")):
            share_classifier(student, self.classifier, self.signature, weights=self.weights)
        set_origin(student, replace(origin, classifier=self.classifier))
        return student
