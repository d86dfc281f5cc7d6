"""What made-up results are made from: a run of a profile, and provenance that belongs to it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS
from hessbench.results.run import Run, write_run
from hessbench.results.store.provenance import Provenance

DATA = {name: f"made-up-{name} 1.0 none 0123456789ab" for name in ("rtp", "irc", "nms")}
PERCENTS = (2, 5, 10, 20, 40, 60, 80)
CODE = {"train": "0", "evaluate": "0"}


def write_made_up_run(
    results: Path,
    profile: str = "ci",
    data: Mapping[str, str] = DATA,
    losses: Iterable[str] = LABELS,
    percents: Iterable[int] = PERCENTS,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Write results/run.json of a profile with these losses and percents."""
    trained = {f"training.losses.{loss}": "0" for loss in losses}
    trained |= {f"split.training_percents.{percent}": "0" for percent in percents}
    run = Run(
        profile=profile,
        data=dict(data),
        settings=trained | dict(settings or {}),
        code=CODE,
        versions={"hessbench": "0.1.0", "torch": "2.13.0"},
        hardware="2 x made-up core, 8 GiB",
    )
    write_run(results, run)


def trained(loss: str, percent: int, data: Mapping[str, str] = DATA) -> Inputs:
    """What an ensemble, or its errors, is made from in a run of `write_made_up_run`."""
    settings = {f"training.losses.{loss}": "0", f"split.training_percents.{percent}": "0"}
    return Inputs(data, settings=settings, code=CODE)


def provenance(inputs: Inputs | None = None, **more: object) -> Provenance:
    """Provenance of a table; by default it depends on the data alone."""
    values = {"level": "none", "profile": "ci", "versions": {"hessbench": "0.1.0"}} | more
    return Provenance(Inputs(DATA) if inputs is None else inputs, **values)  # type: ignore[arg-type]
