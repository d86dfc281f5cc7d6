"""Losses with other weights of force and Hessian."""

from pydantic import Field, PositiveFloat

from hessbench.config.base import Section
from hessbench.training.settings import LossConfig


class Weights(Section):
    """The weights of eq. 6; that of the energy is 1."""

    force: PositiveFloat = Field(description="eta_F.")
    hessian: PositiveFloat = Field(description="eta_H.")

    @property
    def text(self) -> str:
        """Both, as tables have them: "0.08 / 0.02"."""
        return f"{self.force:g} / {self.hessian:g}"


def reweighted(loss: LossConfig, weights: Weights) -> LossConfig:
    """The same loss with other weights of force and Hessian, as far as it has these terms."""
    changed = {"force": weights.force, "hessian": weights.hessian}
    terms = (
        term.model_copy(update={"weight": changed.get(term.quantity, term.weight)}) for term in loss.terms
    )
    return loss.model_copy(update={"terms": tuple(terms)})
