"""A profile: all settings of a run, one file in reproduce/profiles/; params.yaml is the active one."""

from pathlib import Path
from typing import Any

from pydantic import Field, SerializeAsAny, create_model

from hessbench.cluster.settings import ClusterConfig
from hessbench.config.base import PARAMS, Section, read_yaml, validate
from hessbench.config.device import Device
from hessbench.data.settings import SplitConfig
from hessbench.datasets.settings import DataConfig
from hessbench.errors import ConfigurationError
from hessbench.experiments.registry import all_experiments, settings_of
from hessbench.generate.settings import GenerateConfig
from hessbench.potential.registry import ModelConfig
from hessbench.system.clone import require_clone
from hessbench.system.files import write_text
from hessbench.training.settings import TrainingConfig

PROFILES = Path("reproduce/profiles")


class Profile(Section):
    """Settings of a run that belong to no experiment; `SCHEMA` has those of the experiments, too."""

    profile: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$",  # files are named after it
        description="name of the profile this file is, or was made from",
    )
    data: DataConfig
    generate: GenerateConfig = GenerateConfig()
    split: SplitConfig
    model: SerializeAsAny[ModelConfig]
    training: TrainingConfig
    cluster: ClusterConfig | None = None
    device: Device = "auto"


def _experiment_sections() -> dict[str, Any]:
    """Fields of the profile that experiments bring: optional where all of their settings have defaults."""
    fields: dict[str, Any] = {}
    for name, experiment in all_experiments().items():
        settings = settings_of(name)
        if settings is not None and experiment.section is not None:
            required = any(field.is_required() for field in settings.model_fields.values())
            fields[experiment.section] = (settings, ... if required else settings())
    return fields


SCHEMA: type[Profile] = create_model("Profile", __base__=Profile, **_experiment_sections())
"""The whole schema."""


def load_profile(path: Path) -> Profile:
    """Read and validate a whole profile.

    Raises
    ------
    ConfigurationError
        Unknown or wrong keys, each with its path and what was expected.
    """
    return validate(SCHEMA, read_yaml(path), source=path)


def available() -> list[str]:
    """Names of the profiles.

    Raises
    ------
    ConfigurationError
        This is not the root of a clone.
    """
    require_clone("`hessbench profile`")
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def activate(name: str, *, force: bool = False) -> str:
    """Write a profile to params.yaml; an edited params.yaml is kept unless forced.

    Returns
    -------
    str
        What was done, for the user.

    Raises
    ------
    ConfigurationError
        No such profile, an invalid one, or params.yaml carries edits that would be lost.
    """
    names, source = available(), PROFILES / f"{name}.yaml"
    if name not in names:
        raise ConfigurationError(f"no profile {name!r} in {PROFILES}; there are {', '.join(names)}.")
    load_profile(source)
    text = source.read_text(encoding="utf-8")
    if PARAMS.exists() and PARAMS.read_text(encoding="utf-8") != text:
        pristine = {(PROFILES / f"{other}.yaml").read_text(encoding="utf-8") for other in names}
        if PARAMS.read_text(encoding="utf-8") not in pristine and not force:
            raise ConfigurationError(
                f"{PARAMS} carries edits that activating profile {name!r} would lose; "
                f"save it as {PROFILES}/<new name>.yaml, or add --force."
            )
    elif PARAMS.exists():
        return f"profile {name} is active"
    write_text(PARAMS, text)
    return f"profile {name} is now active (params.yaml)"
