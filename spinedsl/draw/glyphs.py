"""How wide text is, without a font at hand: enough to keep labels apart whichever common font draws them.

The tables hold, for each printable ASCII character, the widest advance in thousandths of an em among DejaVu Sans,
Liberation Sans (the metrics of Arial and Helvetica), Source Sans and Lato. Names, numbers and our own words need
little more.
"""

from __future__ import annotations

# Arial and the generic name are not enough: a painter without a font of that name may draw nothing at all.
FONTS = (
    "'Source Sans Pro', 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Noto Sans', 'DejaVu Sans', sans-serif"
)
ELLIPSIS = "…"
TIMES = "\N{MULTIPLICATION SIGN}"
WIDEST = 1000  # of a character that the tables do not have
_REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 373 636 636 636 636 636 636 636 636 636 636 337 "
    "337 838 838 838 556 1015 684 686 722 770 667 611 778 756 307 500 681 557 920 756 798 667 798 722 667 611 732 "
    "684 1019 685 667 685 390 375 390 838 556 542 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 "
    "635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 387 696 696 696 696 696 696 696 696 696 696 400 "
    "400 838 838 838 611 1000 774 762 734 830 683 683 821 837 372 556 775 637 995 837 850 733 850 770 720 682 812 "
    "774 1103 771 724 725 457 390 457 838 556 549 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 "
    "716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"
)
REGULAR, BOLD = (tuple(map(int, table.split())) for table in (_REGULAR, _BOLD))


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels that `text` takes at most at font size `size`."""
    table = BOLD if bold else REGULAR
    return sum(table[ord(c) - 32] if " " <= c <= "~" else WIDEST for c in text) * size / 1000


def shortened(text: str, size: float, room: float, *, bold: bool = False, end: bool = False) -> str:
    """The text, or its beginning and an ellipsis, no wider than `room` pixels; or an ellipsis and its `end`."""
    if text_width(text, size, bold=bold) <= room:
        return text
    while text and text_width(text + ELLIPSIS, size, bold=bold) > room:
        text = text[1:] if end else text[:-1]
    return ELLIPSIS + text if end else text + ELLIPSIS
