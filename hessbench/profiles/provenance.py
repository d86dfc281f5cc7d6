"""What a run of the active profile is made from: the content of results/run.json."""

from itertools import product
from pathlib import Path

from hessbench.config.base import Section
from hessbench.config.inputs import Stage, file_digest, file_of, setting_digest
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.experiments.registry import all_experiments, stage_of
from hessbench.profiles.schema import Profile
from hessbench.results.run import Run
from hessbench.system.machine import hardware_line, versions
from hessbench.system.sources import code_digest
from hessbench.training.stage import STAGE as TRAIN


def stages() -> list[Stage]:
    """Stages that make results: training, and one for each experiment."""
    return [TRAIN, *(stage_of(name) for name in all_experiments())]


def run_of(profile: Profile, results: Path) -> Run:
    """What results must be made from to belong to a run of a profile on the active data as they are now.

    Parameters
    ----------
    profile
        The whole profile.
    results
        Folder of the results, with the split of the data.

    Raises
    ------
    HessbenchError
        The active data or their split are missing, or a file that a setting names.
    """
    sections = {name: value for name, value in profile if isinstance(value, Section)}
    data = {name: _data_in(active_file(name)) for name in SETS}
    files = {"split": read_split(results / SPLIT, data["rtp"]).digest}
    settings, code = {}, {}
    items = list(product(profile.training.losses, profile.split.training_percents))
    for stage in stages():
        for name, path in stage.data.items():
            file = file_of(sections, path)
            if file is not None:
                data[name] = _data_in(file)
        files |= {file: file_digest(sections, file) for file in stage.files}
        for template in stage.settings:
            for path in {template.format(loss=loss, percent=percent) for loss, percent in items}:
                settings[path] = setting_digest(sections, path)
        code[stage.name] = code_digest(stage.package)
    return Run(
        profile=profile.profile,
        data=data,
        files=files,
        settings=dict(sorted(settings.items())),
        code=code,
        versions=versions(),
        hardware=hardware_line(),
    )


def _data_in(path: Path) -> str:
    with ReactionFile(path) as file:
        return file.identifier
