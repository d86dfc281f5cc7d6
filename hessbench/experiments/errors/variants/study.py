"""What every experiment that trains variants begins and ends with: settings, data, provenance."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
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
class Study(Generic[C]):
    """An experiment that trains variants, as params.yaml states it.

    Attributes
    ----------
    stage
        The stage of the pipeline; its name is that of the experiment's section.
    config
        The experiment's section.
    model, training
        The profile's own, from which the variants differ.
    began
        When, in s of `time.perf_counter`.
    """

    stage: Stage
    config: C
    model: ModelConfig
    training: TrainingConfig
    began: float = field(default_factory=time.perf_counter)

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints and of what is finished."""
        return CHECKPOINTS / self.stage.name

    @property
    def seeds(self) -> range:
        """Seeds of the models of each variant."""
        first = self.training.first_seed
        return range(first, first + self.config.seeds)

    def data(self, results: Path, sets: Sequence[str] = SETS) -> "StudyData":
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
            A file is missing or damaged, or the split is of other data.
        """
        tested = {name: TestSet.read(active_file(name)) for name in sets}
        whole = tested["rtp"]
        split = read_split(results / SPLIT, whole.data)
        tested["rtp"] = TestSet(whole.data, whole.level, whole.structures.select(split.test))
        inputs = self.stage.inputs(
            {name: item.data for name, item in tested.items()},
            {self.stage.name: self.config, "model": self.model, "training": self.training},
            {"split": split.digest},
        )
        return StudyData(whole.structures, split, tested, inputs)

    def provenance(self, data: "StudyData") -> Provenance:
        """Provenance of the experiment's table, when all is done."""
        return made_here(
            data.inputs,
            level=data.level,
            models=self.config.seeds,
            seconds=time.perf_counter() - self.began,
            notes={"percent": data.percent},
        )


@dataclass(frozen=True)
class StudyData:
    """Data that variants are trained and tested on.

    Attributes
    ----------
    structures, split
        All stationary points, and how they are shared out.
    tested
        Test sets by name.
    inputs
        What the experiment's results are made from.
    """

    structures: Structures
    split: Split
    tested: dict[str, TestSet]
    inputs: Inputs

    @property
    def percent(self) -> int:
        """The largest training set size, in percent of all structures: all variants have it."""
        return max(self.split.sizes)

    @property
    def level(self) -> str:
        """Level of theory of the test sets; all, if they differ."""
        return "; ".join(sorted({item.level for item in self.tested.values()}))

    def share(self) -> Share:
        """The largest training part, the validation part and the test sets."""
        training, validation = self.split.training_at(self.percent), self.split.validation
        return Share(
            self.structures.select(training),
            self.structures.select(validation),
            (self.split.data, training, validation),
            self.tested,
            load_section(EvaluationConfig, "evaluation").batch_size,
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
