"""Random crops and flips on batches of tensors."""

from torch import nn

from diswot.data import ImageData


def augmentation(data: ImageData) -> nn.Module:
    """Return the recipe's augmentation of uint8 or float batches (B, C, H, W) scaled to floats.

    Crops from an image padded by an eighth of its size (4 pixels of 32), and flips
    where a mirrored image keeps its class. Drawn from torch's global generator.
    """
    # imported here: commands that train nothing need not wait for it
    from kornia.augmentation import RandomCrop, RandomHorizontalFlip

    _, height, width = data.shape
    padding = max(1, height // 8)
    steps: list[nn.Module] = [RandomCrop((height, width), padding=padding)]
    if data.flips:
        steps.append(RandomHorizontalFlip())
    return nn.Sequential(*steps)
