"""Report: one page that says what a search found, or several of one space: front, figures, families, convergence.

`to_html` writes it, of studies that `search.open_study` gives.
"""

from spinedsl.report.page import to_html

__all__ = ["to_html"]
