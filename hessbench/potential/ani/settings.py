"""The section `model` of a profile whose kind is `ani`: which ANI model is trained."""

from typing import Literal

from pydantic import Field, PositiveInt

from hessbench.potential.registry import ModelConfig


class ANIConfig(ModelConfig):
    """Elements, network shape and start of an ANI model; null takes what the named shape says."""

    kind: Literal["ani"] = "ani"
    elements: tuple[str, ...] = Field(("H", "C", "N", "O"), description="Elements the model knows.")
    shape: Literal["ani1x", "authors", "gelu"] = Field(
        "gelu",
        description="Networks: ANI-1x (CELU, widths by element), the authors' later code (CELU, 256-64-256), "
        "or GELU 256-192-160 for every element.",
    )
    hidden: tuple[PositiveInt, ...] | dict[str, tuple[PositiveInt, ...]] | None = Field(
        None, description="Hidden widths in place of the shape's own, for all elements or by element."
    )
    activation: Literal["gelu", "celu"] | None = Field(None, description="In place of the shape's own.")
    biases: bool | None = Field(None, description="In place of the shape's own.")
    cutoff: Literal["cosine", "smooth"] = Field("cosine", description="Cutoff function of the AEVs.")
    initialization: Literal["kaiming", "lecun", "torchani"] = Field(
        "kaiming",
        description="Kaiming normal, or LeCun normal (Kaiming with a = 1, as in the authors' later code), "
        "both with zero biases; or torchani's default (torch.nn.Linear's).",
    )
    repulsion: Literal["none", "zbl"] = Field(
        "none",
        description="What keeps atoms apart that come closer than a bond: the networks alone, or besides "
        "them the screened repulsion of Ziegler, Biersack and Littmark, which ends below a triple bond.",
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="Precision of the parameters.")
    features: Literal["raw", "scaled", "standardized"] = Field(
        "scaled",
        description="What the first layer acts on: the features as they are, divided by their spread over "
        "the structures that are trained on, or less their mean there, too (needs biases). Mean and spread "
        "are folded into the saved model.",
    )
