"""The report: one chart per target as PNG and SVG, and one self-contained page that says what they show."""

from pipeline.report.inputs import ReportInputs
from pipeline.report.page import write_report

__all__ = ["ReportInputs", "write_report"]
