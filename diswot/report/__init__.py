"""A run as one page, and its plots as files."""

from diswot.report._api import Report, write_report

__all__ = ["Report", "write_report"]
