"""The precision in which losses are computed."""

from diswot.precision import at_least_single

__all__ = ["at_least_single"]
