"""The architectures that can be trained: which there are, and how a profile and a model file find theirs.

An architecture is a package of this folder with a constant `ARCHITECTURE` in its `__init__`; its name is the
`kind` of the section `model` of a profile. Nothing else names it.
"""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from hessbench.config.base import Section
from hessbench.errors import DataError
from hessbench.potential.diagram import AtomicNetworks
from hessbench.potential.files import read_header

if TYPE_CHECKING:
    from hessbench.potential.interface import TrainablePotential


class ModelConfig(Section):
    """The section `model` of a profile: `kind` says which architecture, whose settings the rest are.

    Validating this class gives an object of the architecture's own subclass.
    """

    kind: str = Field(description="The architecture: a package of hessbench/potential.")

    @classmethod
    def variant(cls, content: Any) -> type[Section]:
        """Settings class of the architecture that plain data name; this class if they name none."""
        kind = content.get("kind") if isinstance(content, Mapping) else None
        known = architectures() if cls is ModelConfig else {}
        return known[kind].settings if kind in known else cls

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_kind(cls, content: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls is not ModelConfig or isinstance(content, ModelConfig):
            return handler(content)
        settings = cls.variant(content)
        if settings is cls:
            problem = f"name the architecture; there are {', '.join(architectures())}"
            kind = content.get("kind") if isinstance(content, Mapping) else content
            detail = InitErrorDetails(
                type=PydanticCustomError("architecture", problem),
                loc=("kind",),
                input=kind,
            )
            raise ValidationError.from_exception_data(cls.__name__, [detail])
        return cast(Self, settings.model_validate(content))


class ArchitectureModule(Protocol):
    """What an architecture's module defines."""

    def build(self, settings: Any, seed: int) -> "TrainablePotential":
        """Make an untrained potential; the seed alone decides its initial parameters."""
        ...

    def load(self, path: Path) -> "TrainablePotential":
        """Read a model file of the architecture's format.

        Raises
        ------
        DataError
            The file's tensors do not fit its description.
        """
        ...


@dataclass(frozen=True)
class Architecture:
    """A kind of potential that can be trained.

    Attributes
    ----------
    format
        Of its model files, with a version.
    settings
        Of the section `model` of a profile; its `kind` allows one value, the name of the package.
    module
        Name of the module that defines what `ArchitectureModule` says; imported when it is needed.
    diagram
        Name of the module whose function `diagram` says what Figure S3 draws of a model, from the header of
        its file; it does without torch.
    packages
        Third-party packages on whose versions a trained model depends, beside torch and numpy.
    """

    format: str
    settings: type[ModelConfig]
    module: str
    diagram: str
    packages: tuple[str, ...] = ()

    @property
    def code(self) -> ArchitectureModule:
        """The module."""
        return cast(ArchitectureModule, importlib.import_module(self.module))


@cache
def architectures() -> dict[str, Architecture]:
    """All architectures by the `kind` of a profile's section `model`."""
    folder = __name__.rpartition(".")[0]
    return {
        item.name: importlib.import_module(f"{folder}.{item.name}").ARCHITECTURE
        for item in pkgutil.iter_modules(sys.modules[folder].__path__)
        if item.ispkg
    }


def build(settings: ModelConfig, seed: int) -> "TrainablePotential":
    """Make the untrained potential that a profile asks for; the seed alone decides its parameters."""
    return architectures()[settings.kind].code.build(settings, seed)


def load(path: Path) -> "TrainablePotential":
    """Read a trained potential from a model file, whichever architecture wrote it.

    Raises
    ------
    DataError
        The file is missing or damaged, or no architecture here reads its format.
    """
    return _of_format(path, read_header(path)).code.load(path)


def diagram(header: Mapping[str, Any]) -> AtomicNetworks:
    """Say what Figure S3 draws of a model, from the header of its file.

    Raises
    ------
    DataError
        No architecture here reads the file's format.
    """
    module: Any = importlib.import_module(_of_format("model file", header).diagram)
    return cast(AtomicNetworks, module.diagram(header))


def _of_format(path: Path | str, header: Mapping[str, Any]) -> Architecture:
    known = {item.format: item for item in architectures().values()}
    if header["format"] not in known:
        raise DataError(path, f"has format {header['format']!r}, this version reads {', '.join(known)}.")
    return known[header["format"]]
