"""How a loss looks, in every figure the same: colour (Okabe, Ito 2008), marker, line and hatch differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from hessbench.config.loss_labels import PAPER_LABELS, REFERENCE

SINGLE, DOUBLE = 3.4, 7.0
"""Widths in inches of a figure of one and of two columns of the journal."""
PAPER_LEVEL = "paper, ωB97X-D/6-31G(d)"
"""How the published values are called in every legend."""
GREY = "0.45"
ELEMENT_COLORS = {"C": "#606060", "H": "#56B4E9", "N": "#7B68B5", "O": "#A8324A"}
"""Colour of what belongs to an element; none is the colour of a training."""
WARNING = "#B00020"
"""Colour of what failed; always together with a word or a cross."""
UNIT_LABELS = {"energy": "kcal mol⁻¹", "force": "kcal mol⁻¹ Å⁻¹", "hessian": "kcal mol⁻¹ Å⁻²"}
QUANTITY_LABELS = {"energy": "Energy", "force": "Force", "hessian": "Hessian"}
SET_LABELS = {"rtp": "reactants, TSs, products", "irc": "IRC structures", "nms": "NMS structures"}


@dataclass(frozen=True)
class Style:
    """Look of one training."""

    color: str
    marker: str
    line: Any  # a matplotlib line style
    hatch: str


_STYLES = {
    "E": Style("#009E73", "s", (0, (4, 1.5)), "////"),
    "E-F": Style("#D55E00", "^", (0, (5, 1.2, 1, 1.2)), "...."),
    "E-F-H": Style("#0072B2", "o", "-", ""),
    "E-F-HVP": Style("#CC79A7", "D", (0, (1, 1)), "xxxx"),
    REFERENCE: Style("black", "o", "-", ""),
}
_OTHERS = (
    Style("#E69F00", "v", (0, (3, 1, 1, 1, 1, 1)), "\\\\\\\\"),
    Style("#56B4E9", "P", (0, (6, 2)), "++++"),
    Style("#8C6D31", "X", (0, (2, 2)), "----"),
    Style("#7B68B5", "<", (0, (8, 2, 1, 2)), "oo"),
    Style("#A8324A", ">", (0, (3, 3)), "**"),
    Style("#606060", "h", (0, (1, 2)), "OO"),
)


def style_of(loss: str, losses: Iterable[str] = ()) -> Style:
    """Look of a loss; those the project does not know take the free looks in turn, by name."""
    if loss in _STYLES:
        return _STYLES[loss]
    unknown = sorted({loss, *(name for name in losses if name not in _STYLES)})
    return next(islice(cycle(_OTHERS), unknown.index(loss), None))


def in_order(losses: Iterable[str]) -> list[str]:
    """Trainings once each, without the reference: the paper's first, in its order, others by name."""
    found = set(losses) - {REFERENCE}
    known = [name for name in _STYLES if name in found]
    return known + sorted(found - set(known))


def published_key(loss: str) -> str | None:
    """Key of a loss of the paper in published.yaml (E-F is ef), None for others."""
    return loss.replace("-", "").lower() if loss in PAPER_LABELS else None
