"""Contract checks for your own search spaces, scorers, losses, methods and tasks.

Each check raises an `AssertionError` that names the broken rule, and returns nothing if all rules
hold. Use them in the tests of a package that extends DisWOT.
"""

from diswot.testing._loss import check_loss
from diswot.testing._method import check_method
from diswot.testing._scorer import check_scorer
from diswot.testing._space import check_space
from diswot.testing._task import check_task

__all__ = ["check_loss", "check_method", "check_scorer", "check_space", "check_task"]
