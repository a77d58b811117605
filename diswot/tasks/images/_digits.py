"""The digits dataset of scikit-learn, which needs no download."""

from pathlib import Path

import torch
from torch import nn

from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._split import Split, held_out

TRAIN_IMAGES = 300
VAL_IMAGES = 200


def digits(_root: Path | None = None) -> ImageData:
    """Return the 1,797 handwritten digits as 1×16×16 images: 300 train, 200 val, 1,297 test.

    The 8×8 originals are doubled bilinearly, so that networks of three stages keep
    a feature map of 4×4. So few are trained on that students differ in accuracy.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, 1998, as shipped with scikit-learn.
    """
    # Imported here to keep the start of other commands fast.
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    small = torch.from_numpy(pixels).float().view(-1, 1, 8, 8) * (255 / 16)
    double = nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    whole = Split(double.round().to(torch.uint8), torch.from_numpy(labels).long())
    rest, test = held_out(whole, len(whole) - TRAIN_IMAGES - VAL_IMAGES, seed=0)
    train, val = held_out(rest, VAL_IMAGES, seed=0)
    spec, names = image_spec(train.images, 10), tuple("0123456789")
    return ImageData("digits", train, val, test, spec, flips=False, classes=names)
