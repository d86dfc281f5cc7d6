"""An archive is made and verified after damage: what differs is named. `make verify` verifies a whole one."""

import shutil
from pathlib import Path

import pytest
import torch

from hessbench.archive.create import create, sizes
from hessbench.archive.layout import archived_models, write_checksums
from hessbench.archive.redraw import check_tables
from hessbench.archive.rerun_errors import check_errors
from hessbench.archive.rerun_heating import check_heating
from hessbench.archive.rerun_path import check_band, check_spectrum
from hessbench.archive.verify import check_files
from hessbench.cli import main
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.spectra.run.tables import SPECTRA
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.experiments.weights.run.tables import WEIGHTS
from hessbench.potential import load
from hessbench.potential.files import read_notes
from hessbench.results.store.tables import Table, read_provenance, read_table, write_table
from tests.archive.made_up_run import KIND, write_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    write_run(root)
    create(root, root / "archive/synthetic", 2)
    return root / "archive/synthetic"


@pytest.fixture
def archive(archived: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(archived, tmp_path / "archive"))


def test_content(archived: Path) -> None:
    assert set(sizes(archived)) == {
        "descriptions", "models", "results", "figures", "tables", "report", "labels",
    }  # fmt: skip
    assert [(model.loss, model.percent) for model in archived_models(archived)] == [
        (loss, 80) for loss in ("e", "ef", "efh") for _ in range(3)
    ]
    assert (archived / "models/20/efh/history.csv").exists()
    readme = (archived / "README.md").read_text(encoding="utf-8")
    assert "3 E, 3 E-F, 3 E-F-H" in readme
    assert "made-up core" in readme


def test_what_is_no_sum_of_errors_is_archived_as_it_is(archived: Path) -> None:
    """Weights of a loss are compared with the paper's, and stand on an axis."""
    run = archived.parents[1] / "results"
    rows = read_table(archived / "results", WEIGHTS)
    assert rows["force_weight"].tolist() == read_table(run, WEIGHTS)["force_weight"].tolist()


def test_another_folder_is_not_replaced(archived: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(HessbenchError, match="exists and is no archive"):
        create(archived.parents[1], tmp_path, 1)


def test_a_weight_a_row_and_a_figure_are_named(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_weight(archive)
    change_row(archive, ERRORS, "squared", part="e-20")
    shutil.copy(archive / "figures/figure-4.png", archive / "figures/figure-3.png")
    with pytest.raises(SystemExit) as caught:
        main(["archive", "verify", str(archive)])
    assert caught.value.code == 1
    output = capsys.readouterr()
    for named in (
        "models/80/efh/seed-1.safetensors: expected",
        "results/errors/efh-80.parquet, seed 1, ",
        "tables/ensembles.csv, row",
        "figures/figure-3.png: expected",
    ):
        assert f"differs: {named}" in output.err
    assert "not as archived: files, errors of the models, figures, tables and verdicts" in output.out


def test_a_forger_who_makes_the_checksums_anew_is_found_by_what_the_models_predict(archive: Path) -> None:
    change_weight(archive)
    write_checksums(archive)
    assert not check_files(archive).differences
    differences = check_errors(archive, 1).differences
    assert {item.file for item in differences} == {"results/errors/efh-80.parquet"}
    assert all(item.place.startswith("seed 1, ") for item in differences)


@pytest.mark.parametrize(
    ("table", "column", "check", "where", "place"),
    [
        (SUMMARY, "status", check_band, {"loss": "E-F-H", "kind": KIND}, "E-F-H, seed 0, status"),
        (SPECTRA, "frequency_cm1", check_spectrum, {"loss": "E-F-H"}, "E-F-H, seed 0, image 0, mode 0"),
        (
            STABILITY,
            "time_fs",
            check_heating,
            {"loss": "E", "molecule": "ethanol"},
            "E, seed 0, replica 0, time",
        ),
    ],
)
def test_an_altered_row_of_an_experiment(
    archive: Path, table: Table, column: str, check, where: dict, place: str
) -> None:
    assert not check(archive).differences
    change_row(archive, table, column, seed=0, **where)
    (difference,) = check(archive).differences
    assert difference.file == f"results/{table.name}.parquet"
    assert place in difference.place


def test_an_altered_row_of_errors_is_named_by_the_tables_that_show_it(archive: Path) -> None:
    change_row(archive, ERRORS, "squared", part="ef-2")
    assert "tables/ensembles.csv" in {item.file for item in check_tables(archive).differences}


def change_weight(archive: Path) -> None:
    """Change the largest weight of one model's last layer, and seal the file anew."""
    path = archive / "models/80/efh/seed-1.safetensors"
    model = load(path)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.view(-1)[0] += 0.5
            break
    model.save(path, read_notes(path))


def change_row(archive: Path, table: Table, column: str, part: str | None = None, **where: object) -> None:
    """Change a value of a table, and seal the file anew."""
    results = archive / "results"
    frame = read_table(results, table, part=part)
    chosen = frame
    for name, value in where.items():
        chosen = chosen[chosen[name] == value]
    index = chosen.index[0]
    value = frame.loc[index, column]
    frame.loc[index, column] = f"not {value}" if isinstance(value, str) else 1.5 * value + 10
    write_table(results, table, frame, read_provenance(table.path(results, part)), part)
