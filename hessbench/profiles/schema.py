"""A profile: all settings of a run, one file in reproduce/profiles/; params.yaml is the active one."""

from pathlib import Path

from pydantic import Field, SerializeAsAny

from hessbench.config.base import Section, read_yaml, validate
from hessbench.data.settings import SplitConfig
from hessbench.datasets.settings import DataConfig
from hessbench.errors import ConfigurationError
from hessbench.experiments.epoch_cost.run.settings import EpochCostConfig
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.spectra.run.settings import SpectraConfig
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.generate.settings import GenerateConfig
from hessbench.potential.registry import ModelConfig
from hessbench.system.files import write_text
from hessbench.training.settings import TrainingConfig

PARAMS = Path("params.yaml")
PROFILES = Path("reproduce/profiles")


class Profile(Section):
    """All settings of a run."""

    profile: str = Field(description="name of the profile this file is, or was made from")
    data: DataConfig
    generate: GenerateConfig = GenerateConfig()
    split: SplitConfig
    model: SerializeAsAny[ModelConfig]
    training: TrainingConfig
    evaluation: EvaluationConfig
    single_ts: SingleTSConfig
    stability: StabilityConfig = StabilityConfig()
    neb: NebConfig = NebConfig()
    spectra: SpectraConfig = SpectraConfig()
    epoch_cost: EpochCostConfig = EpochCostConfig()


def load_profile(path: Path) -> Profile:
    """Read and validate a whole profile.

    Raises
    ------
    ConfigurationError
        Unknown or wrong keys, each with its path and what was expected.
    """
    return validate(Profile, read_yaml(path), source=path)


def available() -> list[str]:
    """Names of the profiles that come with the package."""
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
    source = PROFILES / f"{name}.yaml"
    if not source.exists():
        raise ConfigurationError(f"no profile {name!r} in {PROFILES}; there are {', '.join(available())}.")
    load_profile(source)
    text = source.read_text()
    if PARAMS.exists() and PARAMS.read_text() != text:
        pristine = {(PROFILES / f"{other}.yaml").read_text() for other in available()}
        if PARAMS.read_text() not in pristine and not force:
            raise ConfigurationError(
                f"{PARAMS} carries edits that activating profile {name!r} would lose; "
                f"save it as {PROFILES}/<new name>.yaml, or add --force."
            )
    elif PARAMS.exists():
        return f"profile {name} is active"
    write_text(PARAMS, text)
    return f"profile {name} is now active (params.yaml)"
