"""Search spaces: sets of student architectures, and the networks they build.

A space does not depend on teachers, scores or data; it only samples, mutates, names and builds
architectures. Write your own as a [`ChoiceSpace`][search_spaces.ChoiceSpace].
"""

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import OUTPUT, Architecture, SearchSpace, made_for
from search_spaces._encoder import TextEncoder
from search_spaces._gated_convolution import GatedConvolutionNetwork
from search_spaces._macro_blocks import MacroBlock, conv_bn
from search_spaces._modules_101 import NASBench101Architecture
from search_spaces._signature import OPEN_LENGTH, Signature, TensorSpec
from search_spaces._subspaces import UnionSpace, covering, partition
from search_spaces.autoformer import AutoFormerArchitecture, AutoFormerSpace
from search_spaces.flexibert import FlexiBERTArchitecture, FlexiBERTSpace, FlexiLayer
from search_spaces.gated_convolution import GatedConvolutionSpace
from search_spaces.macro import MacroSpace
from search_spaces.mobile import MobileSpace
from search_spaces.nas_bench_101 import NASBench101Space, module_101
from search_spaces.nas_bench_201 import NASBench201Space
from search_spaces.nas_bench_macro import NASBenchMacroSpace
from search_spaces.nats_sss import NATSSizeSpace
from search_spaces.resnet_depth import CifarResNet, ResNetDepthSpace
from search_spaces.text_encoder import TextEncoderSpace
from search_spaces.thin import ThinSpace
from search_spaces.vision_tower import VisionTowerSpace
from search_spaces.vision_transformer import VisionTransformer

__all__ = [
    "OPEN_LENGTH",
    "OUTPUT",
    "Architecture",
    "AutoFormerArchitecture",
    "AutoFormerSpace",
    "Choice",
    "ChoiceSpace",
    "CifarResNet",
    "FlexiBERTArchitecture",
    "FlexiBERTSpace",
    "FlexiLayer",
    "GatedConvolutionNetwork",
    "GatedConvolutionSpace",
    "MacroBlock",
    "MacroSpace",
    "MobileSpace",
    "NASBench101Architecture",
    "NASBench101Space",
    "NASBench201Space",
    "NASBenchMacroSpace",
    "NATSSizeSpace",
    "ResNetDepthSpace",
    "SearchSpace",
    "Signature",
    "TensorSpec",
    "TextEncoder",
    "TextEncoderSpace",
    "ThinSpace",
    "UnionSpace",
    "VisionTowerSpace",
    "VisionTransformer",
    "conv_bn",
    "covering",
    "made_for",
    "module_101",
    "partition",
]
