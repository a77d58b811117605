"""Report of a run: an HTML page and plots as files."""

from diswot.report._api import Report, write_report

__all__ = ["Report", "write_report"]
