"""What every experiment that trains variants begins and ends with: settings, data, provenance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from hessbench.config.base import load_section
from hessbench.config.inputs import Inputs, Stage
from hessbench.data.locations import SETS, SPLIT, active_file
from hessbench.data.split import Split, read_split
from hessbench.data.structures import Structures
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.variants.settings import StudyConfig
from hessbench.experiments.errors.variants.trained import Share
from hessbench.potential.ensembles import CHECKPOINTS
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.provenance import Provenance, made_here
from hessbench.training.settings import TrainingConfig

C = TypeVar("C", bound=StudyConfig)


@dataclass(frozen=True)
class StudyData:
    """Data that variants are trained and tested on.

    Attributes
    ----------
    split
        How the stationary points are shared out.
    training, validation
        The largest training part, which all variants have, and the validation part.
    tested
        Test sets by name.
    batch_size
        Structures predicted at once.
    """

    split: Split
    training: Structures
    validation: Structures
    tested: dict[str, TestSet]
    batch_size: int

    @property
    def percent(self) -> int:
        """The training set size, in percent of all structures."""
        return max(self.split.sizes)

    @property
    def level(self) -> str:
        """Level of theory of the test sets; all, if they differ."""
        return "; ".join(sorted({item.level for item in self.tested.values()}))

    def only(self, *sets: str) -> "StudyData":
        """The same with fewer test sets."""
        return replace(self, tested={name: self.tested[name] for name in sets})

    def share(self) -> Share:
        """What models are trained on, watched on and tested on."""
        indices = self.split.training_at(self.percent), self.split.validation
        return Share(
            self.training, self.validation, (self.split.data, *indices), self.tested, self.batch_size
        )


def read_data(results: Path, sets: Sequence[str] = SETS) -> StudyData:
    """Read the active data and their split.

    Parameters
    ----------
    results
        Folder of the results.
    sets
        Names of the test sets; "rtp" is among them.

    Raises
    ------
    HessbenchError
        A file is missing or damaged, the split is of other data, or the section `evaluation` is wrong.
    """
    batch_size = load_section(EvaluationConfig, "evaluation").batch_size
    tested = {name: TestSet.read(active_file(name)) for name in sets}
    whole = tested["rtp"]
    split = read_split(results / SPLIT, whole.data)
    parts = split.training_at(max(split.sizes)), split.validation, split.test
    training, validation, test = (whole.structures.select(indices) for indices in parts)
    tested["rtp"] = replace(whole, structures=test)
    return StudyData(split, training, validation, tested, batch_size)


@dataclass(frozen=True)
class Study(Generic[C]):
    """An experiment that trains variants, as params.yaml states it.

    Attributes
    ----------
    stage
        What its results are made from; its name is that of the experiment's section.
    config
        The experiment's section.
    model, training
        The profile's own, from which the variants differ.
    """

    stage: Stage
    config: C
    model: ModelConfig
    training: TrainingConfig

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints and of what is finished."""
        return CHECKPOINTS / self.stage.name

    @property
    def seeds(self) -> range:
        """Seeds of the models of each variant."""
        first = self.training.first_seed
        return range(first, first + self.config.seeds)

    def inputs(self, data: StudyData) -> Inputs:
        """What the experiment's results are made from."""
        return self.stage.inputs(
            {name: item.data for name, item in data.tested.items()},
            {self.stage.name: self.config, "model": self.model, "training": self.training},
            {"split": data.split.digest},
        )

    def provenance(self, data: StudyData, inputs: Inputs, seconds: float) -> Provenance:
        """Provenance of the experiment's table.

        Parameters
        ----------
        data, inputs
            What it is made from; `inputs` are those of this study and of other results that it reads.
        seconds
            How long the training and the tests took, by the clock.
        """
        return made_here(
            inputs,
            level=data.level,
            models=self.config.seeds,
            seconds=seconds,
            notes={"percent": data.percent},
        )


def begin(stage: Stage, section: type[C]) -> Study[C]:
    """Read the settings of an experiment from params.yaml.

    Raises
    ------
    ConfigurationError
        A section is missing or not valid.
    """
    return Study(
        stage,
        load_section(section, stage.name),
        load_section(ModelConfig, "model"),
        load_section(TrainingConfig, "training"),
    )
