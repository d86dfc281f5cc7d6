"""results/run.json: what it holds, and what changes it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.data.layout import write_reactions
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.ensembles import ensembles, errors_of
from hessbench.profiles.provenance import run_of, stages
from hessbench.profiles.schema import PARAMS, load_profile
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.run import read_run
from tests.training.synthetic import METADATA, reactions

PROFILE = """
profile: tiny
data: {source: embedded}
split: {training_percents: [40, 80]}
model: {kind: ani, hidden: [4]}
training:
  seeds: 1
  epochs: 1
  batch_size: 4
  losses:
    e: {terms: [{quantity: energy, weight: 1}]}
    ef: {terms: [{quantity: energy, weight: 1}, {quantity: force, weight: 0.08}]}
  optimizer: {kind: adam, learning_rate: 0.001}
evaluation: {processes: 1}
single_ts: {model: {kind: ani, hidden: [4]}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small active data, their split and a profile."""
    monkeypatch.chdir(tmp_path)
    for seed, (name, count) in enumerate({"rtp": 8, "irc": 3, "nms": 2}.items()):
        Path("data/active").mkdir(parents=True, exist_ok=True)
        write_reactions(f"data/active/{name}.h5", reactions(count, 3, seed), METADATA)
    PARAMS.write_text(PROFILE)
    call("split")
    return tmp_path


def call(*arguments: str) -> None:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def edit(old: str, new: str) -> None:
    text = PARAMS.read_text()
    assert old in text
    PARAMS.write_text(text.replace(old, new))
    call("provenance")


def test_a_run_names_its_data_settings_and_code(project: Path) -> None:
    call("provenance")
    run = read_run(Path("results"))
    assert run == run_of(load_profile(PARAMS), Path("results"))
    assert run.profile == "tiny"
    assert set(run.data) == {"rtp", "irc", "nms", "single-ts"}
    assert {"split", "stability.molecules", "neb.geometries", "embedded:rtp.h5"} <= set(run.files)
    assert set(run.code) == {stage.name for stage in stages()}
    assert {"training.losses.e", "training.losses.ef", "split.training_percents.40"} <= set(run.settings)
    assert "training.losses.efh" not in run.settings
    assert run.versions["hessbench"]
    before = Path("results/run.json").read_bytes()
    call("provenance")
    assert Path("results/run.json").read_bytes() == before


def test_without_data_the_file_is_named(project: Path) -> None:
    Path("data/active/irc.h5").unlink()
    with pytest.raises(HessbenchError, match=r"irc\.h5"):
        run_of(load_profile(PARAMS), Path("results"))


@pytest.mark.slow
def test_results_belong_to_the_run_as_long_as_what_they_are_made_from_stays(project: Path) -> None:
    for loss in ("e", "ef"):
        call("train", "--loss", loss, "--percent", "80")
        call("evaluate", "--loss", loss, "--percent", "80")
    call("provenance")
    both = {("e", 80), ("ef", 80)}

    def found() -> tuple[set, set]:
        results = Results()
        return set(ensembles(results)), set(results.ensembles())

    assert found() == (both, both)
    edit("profile: tiny", "profile: renamed")
    assert found() == (both, both)
    assert "Profile renamed." in Results().footer
    edit("[40, 80]", "[20, 40, 80]")  # nested: the larger sets stay
    call("split")
    call("provenance")
    assert found() == (both, both)
    edit("processes: 1", "processes: 2")  # decides about no number
    assert found() == (both, both)
    edit("force, weight: 0.08", "force, weight: 0.16")
    assert found() == ({("e", 80)}, {("e", 80)})
    with pytest.raises(MissingResultsError, match=r"other settings \(training\.losses\.ef\) than this run"):
        errors_of(Results(), "ef", 80, "irc", "energy")
    edit("force, weight: 0.16", "force, weight: 0.08")
    edit("epochs: 1", "epochs: 2")
    assert found() == (set(), set())
    edit("epochs: 2", "epochs: 1")
    edit("    e: {terms: [{quantity: energy, weight: 1}]}\n", "")
    assert found() == ({("ef", 80)}, {("ef", 80)})
    edit("[20, 40, 80]", "[20, 40]")
    assert found() == (set(), set())


def test_models_of_other_data_are_not_evaluated(project: Path) -> None:
    call("train", "--loss", "e", "--percent", "80")
    shutil.rmtree("results")
    write_reactions("data/active/rtp.h5", reactions(8, 3, 9), METADATA)
    call("split")
    result = CliRunner().invoke(cli, ["evaluate", "--loss", "e", "--percent", "80"])
    assert "made from different data (rtp: " in str(result.exception)
    assert not Path("results/errors").exists()
