"""Networks for images of about 32×32 pixels, with any number of channels and classes."""

from diswot.tasks.images.teachers.networks.bottleneck_resnet import BottleneckResNet
from diswot.tasks.images.teachers.networks.mobilenet_v2 import MobileNetV2
from diswot.tasks.images.teachers.networks.shufflenet_v1 import ShuffleNetV1
from diswot.tasks.images.teachers.networks.shufflenet_v2 import ShuffleNetV2
from diswot.tasks.images.teachers.networks.vgg import VGG
from diswot.tasks.images.teachers.networks.wide_resnet import WideResNet

__all__ = [
    "VGG",
    "BottleneckResNet",
    "MobileNetV2",
    "ShuffleNetV1",
    "ShuffleNetV2",
    "WideResNet",
]
