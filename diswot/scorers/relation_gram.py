"""The relation term of the snippet in DisWOT's README: −Σ(G_T − G_S)²/B².

G is the Gram matrix of the last feature map, with rows normalized to length one. This equals
the similarity-preserving loss of Tung and Mori, ICCV 2019, equation 4, negated.
"""

from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.kd_losses import sp

relation_gram = register(
    Card(
        "relation_gram",
        "agreement with the teacher's row-normalized image-to-image similarities",
        "DisWOT, README snippet",
        reads=("feature maps",),
    )
)(sp)
