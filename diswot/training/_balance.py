"""Class weights of the cross-entropy, and balanced sampling."""

from dataclasses import dataclass, replace

from torch import Tensor

from diswot.errors import OptionError
from diswot.tasks import Batch, Dataset, class_labels, class_weights
from diswot.training._recipe import Recipe


@dataclass(frozen=True, eq=False)
class Balance:
    """How a training balances classes.

    Attributes:
        weights: weights of the classes in the cross-entropy (classes,); `None` for equal ones.
        frequencies: how often each training example is drawn, relative to others (n,); `None`
            for every example once per epoch.
    """

    weights: Tensor | None = None
    frequencies: Tensor | None = None

    def weighted(self, batch: Batch) -> Batch:
        """Return a batch with class probabilities (B, N) times the weights of the classes.

        The cross-entropy with them is that of `torch.nn.functional.cross_entropy` with `weight`
        for class probabilities.

        Args:
            batch: training examples with class probabilities as targets.
        """
        if self.weights is None:
            return batch
        return replace(batch, targets=batch.targets * self.weights.to(batch.targets))


def balance_of(data: Dataset, recipe: Recipe, *, examples: int) -> Balance:
    """Return how a recipe balances the classes of a dataset.

    Args:
        data: the dataset.
        recipe: settings of the training.
        examples: number of examples per epoch.

    Raises:
        OptionError: examples do not have one class each, or are not those of the dataset.
    """
    if recipe.class_weights is None and recipe.sampling is None:
        return Balance()
    labels = class_labels(data, "train").cpu()
    weights = class_weights(labels, data.signature.outputs)
    if recipe.sampling is not None and len(labels) != examples:
        raise OptionError(
            "balanced sampling needs the training examples of the data, which this method does "
            "not use: leave --sampling out"
        )
    return Balance(
        None if recipe.class_weights is None else weights,
        None if recipe.sampling is None else weights[labels],
    )
