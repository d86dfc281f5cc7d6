import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from hessbench.cli import main
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.ensembles import errors_of, rmse_of_models
from hessbench.experiments.errors.statistics import rmse
from hessbench.experiments.surface.run.tables import SURFACE
from hessbench.plotting.redraw import redraw
from hessbench.report.provenance import results_tables
from hessbench.results import reproduce
from hessbench.results.published import read_published
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.store.tables import CHECKSUM_KEY
from tests.experiments.synthetic import DATA
from tests.made_up import PERCENTS, write_made_up_run

FIGURES = reproduce.available("figure")
OF_THE_PAPER = [*map(str, range(1, 7)), *(f"s{k}" for k in range(1, 18))]
WITH_A_UNIT = re.compile(
    r"\b(barrier|coordinate|distance|energy|force|frequency|hessian|irc|temperature|time|wavenumber)\b", re.I
)
"""Quantities of an axis, in the singular: "Force RMSE" has a unit, "Cosine of forces" none."""
UNIT = re.compile(r"kcal mol⁻¹|cm⁻¹|Å|\((K|ps|s)\)")


def drawn(name: str, root: Path) -> Figure:
    return reproduce.load("figure", name).draw(Results(root / "results"))


def words(figure: Figure) -> str:
    return " ".join(item.get_text() for item in figure.findobj(Text))


def copy_of(root: Path, target: Path) -> Path:
    shutil.copytree(root, target, dirs_exist_ok=True)
    return target


def change(path: Path, function) -> None:
    """Rewrite a table as a careless program would, with its metadata but without our checks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {key: value for key, value in pq.read_schema(path).metadata.items() if key != CHECKSUM_KEY}
    table = pa.Table.from_pandas(function(pd.read_parquet(path)), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_all_figures_are_there_those_of_the_paper_first() -> None:
    first, others = FIGURES[: len(OF_THE_PAPER)], FIGURES[len(OF_THE_PAPER) :]
    assert first == OF_THE_PAPER
    assert others == sorted(others)
    assert {"1", "2", "3", "4", "s1"} <= set(reproduce.available("table"))


@pytest.mark.parametrize("name", FIGURES)
def test_every_module_says_what_it_shows(name: str) -> None:
    module = reproduce.load("figure", name)
    assert module.__doc__.startswith(f"Figure {reproduce.designation(name)}: ")
    assert len(reproduce.summary(module)) > 40
    assert module.TITLE
    assert module.STAGES
    assert set(module.CLAIMS) <= set(read_published().claims)


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_is_labelled_quantities_with_their_units(name: str, synthetic: Path) -> None:
    figure = drawn(name, synthetic)
    for axes in figure.axes:
        if axes.axison and axes.get_label() != "<colorbar>" and axes.lines + axes.patches + axes.collections:
            beside, below = axes.get_shared_y_axes(), axes.get_shared_x_axes()
            named = any(other.get_xlabel() for other in below.get_siblings(axes))
            assert named or any(label.get_text() for label in axes.get_xticklabels()), name
            assert any(other.get_ylabel() for other in beside.get_siblings(axes)), name
        for axis in (axes.xaxis, axes.yaxis):
            label = axis.get_label_text()
            if WITH_A_UNIT.search(label):
                ticks = [tick.get_text() for tick in axis.get_ticklabels()]
                assert any(map(UNIT.search, [label, *ticks])), label


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("1", "s6")]


@pytest.mark.parametrize("name", ["s2", *SLOW])
def test_equal_results_give_equal_files(name: str, synthetic: Path, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in redraw(name, synthetic, tmp_path / "a")]
    second = [path.read_bytes() for path in redraw(name, synthetic, tmp_path / "b")]
    assert first == second
    assert re.search(rb"CreationDate|ModDate", first[1]) is None


def test_files_say_whose_results_they_show(synthetic: Path, tmp_path: Path) -> None:
    png, pdf = redraw("s2", synthetic, tmp_path)
    with Image.open(png) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert "profile synthetic" in picture.info["Description"]
        assert "rtp 1.0 GFN2-xTB 0123456789ab" in picture.info["Description"]
    assert pdf.read_bytes().startswith(b"%PDF")


def test_published_values_are_marked_where_they_belong(synthetic: Path) -> None:
    published = read_published()
    energy, force, hessian = drawn("6", synthetic).axes[:3]
    for axes, quantity in ((energy, "energy"), (force, "force"), (hessian, "hessian")):
        marks = {
            (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
            for line in axes.lines
            if line.get_marker() == "D" and len(line.get_xdata()) == 1
        }
        assert marks == {(80.0, published.cell("nms", loss, quantity).rmse) for loss in ("e", "ef", "efh")}


def test_errors_stand_at_their_weights(synthetic: Path) -> None:
    models = pd.read_parquet(synthetic / "results/weights.parquet")
    panels = drawn("weights", synthetic).axes
    assert len(panels) == 9
    place = (models["set"] == "nms") & (models["quantity"] == "force")
    for loss in ("E-F", "E-F-H"):
        mean = models[place & (models["loss"] == loss)].groupby("force_weight")["rmse"].mean()
        curves = [bars.lines[0] for bars in panels[5].containers if bars.get_label() == loss]
        np.testing.assert_allclose(curves[0].get_xdata(orig=False), mean.index)
        np.testing.assert_allclose(curves[0].get_ydata(orig=False), mean)
    marked = {float(line.get_xdata()[0]) for line in panels[5].lines if line.get_color() == "0.5"}
    assert marked == {0.08, 1.0}
    ticks = [label.get_text() for label in panels[8].get_xticklabels()]
    assert ticks == ["0.08\n0.02", "0.28\n0.14", "1\n1"]


def test_failed_and_censored_runs_are_told_apart(synthetic: Path) -> None:
    figure = drawn("3", synthetic)
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert any(label.startswith("≥ ") for label in labels)
    runs = pd.read_parquet(synthetic / "results/stability.parquet")
    reference = runs["loss"] == "reference"
    lines = figure.axes[0].lines
    assert sum(line.get_color() == "black" and len(line.get_xdata()) == 2 for line in lines) == 10
    runs = runs[~reference]
    for status, marker in (
        ("optimization failed", "x"),
        ("censored", "^"),
        ("failed", "o"),
        ("close contact", "s"),
    ):
        assert sum(line.get_marker() == marker for line in lines) == (runs["status"] == status).sum()


def test_bands_that_failed_are_counted_in_the_figure(synthetic: Path) -> None:
    text = words(drawn("4", synthetic))
    assert "E: 0 of 3 converged (3 exploded)" in text
    assert "E-F-H: 3 of 3 converged" in text
    assert "paper 63.63" in text


def test_a_reference_band_that_failed_is_said_to_have(synthetic: Path, tmp_path: Path) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    change(
        root / "results/neb_summary.parquet",
        lambda frame: frame.assign(
            status=frame["status"].where(frame["loss"] != "reference", "not converged")
        ),
    )
    assert "reference band: not converged" in words(drawn("4", root))


def test_molecules_without_an_element_count_as_zero(synthetic: Path) -> None:
    counts = pd.read_parquet(synthetic / "results/composition.parquet")
    elements = counts[counts["kind"] == "element"]
    without = elements["structure"].nunique() - (elements["name"] == "N").sum()
    assert without > 0
    nitrogen = next(axes for axes in drawn("s1", synthetic).axes if axes.get_xlabel().startswith("N atoms"))
    assert nitrogen.patches[0].get_height() == without


def test_rmse_agrees_with_the_tables(synthetic: Path) -> None:
    results = Results(synthetic / "results")
    found = rmse_of_models(results)
    for loss, label in (("e", "E"), ("efh", "E-F-H")):
        rows = found[(found["loss"] == label) & (found["percent"] == 20)]
        rows = rows[(rows["set"] == "nms") & (rows["quantity"] == "force")].sort_values("seed")
        np.testing.assert_allclose(rows["rmse"], rmse(errors_of(results, loss, 20, "nms", "force")))


def test_a_broken_result_fails_its_figure_only(
    synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    change(root / "results/stability.parquet", lambda frame: frame.rename(columns={"time_fs": "time"}))
    figures = tmp_path / "figures"
    with pytest.raises(SystemExit) as end:
        main(["figure", "3", "s2", "--root", str(root), "--figures", str(figures)])
    assert end.value.code == 2
    errors = capsys.readouterr().err
    assert "stability.parquet, column time_fs" in errors
    assert "Traceback" not in errors
    assert sorted(path.name for path in figures.iterdir()) == ["figure-s2.pdf", "figure-s2.png"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda frame: frame.assign(cap_k=[None, *frame["cap_k"][1:]], reason=""),
            "stability.parquet, column",
        ),
        (None, "stability.parquet does not exist"),
        (lambda frame: frame.assign(status="sleeping"), "stability.parquet, column status"),
    ],
)
def test_what_is_broken_is_named(synthetic: Path, tmp_path: Path, function, message: str) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    path = root / "results/stability.parquet"
    if function is None:
        path.unlink()
    else:
        change(path, function)
    with pytest.raises(HessbenchError) as caught:
        redraw("3", root, tmp_path / "figures")
    assert message in str(caught.value)
    assert not list((tmp_path / "figures").glob("*"))


def test_a_missing_errors_table_is_named(synthetic: Path, tmp_path: Path) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    (root / "results/errors/ef-20.parquet").unlink()
    with pytest.raises(MissingResultsError, match=r"ef-20\.parquet"):
        rmse_of_models(Results(root / "results"))
    assert set(rmse_of_models(Results(root / "results"), largest=True)["percent"]) == {80}


def test_percents_that_left_the_profile_are_not_drawn(synthetic: Path, tmp_path: Path) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    (root / "results/errors/ef-20.parquet").unlink()
    write_made_up_run(root / "results", "synthetic", DATA, percents=set(PERCENTS) - {20})
    results = Results(root / "results")
    assert set(rmse_of_models(results)["percent"]) == set(PERCENTS) - {20}
    named = {Path(str(table["path"])).name for table in results_tables(results)}
    assert "e-80.parquet" in named
    assert "e-20.parquet" not in named


def test_results_of_other_data_are_not_drawn(synthetic: Path, tmp_path: Path) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    write_made_up_run(root / "results", "synthetic", DATA | {"single-ts": "another 1"})
    with pytest.raises(MissingResultsError, match=r"surface\.parquet was made from other data \(single-ts: "):
        Results(root / "results").table(SURFACE)
    with pytest.raises(MissingResultsError, match=r"single_ts\.parquet was made from other data"):
        drawn("2", root)


def test_the_name_of_the_profile_is_that_of_the_run(synthetic: Path, tmp_path: Path) -> None:
    root = copy_of(synthetic, tmp_path / "run")
    write_made_up_run(root / "results", "renamed", DATA)
    png, _ = redraw("s2", root, tmp_path)
    with Image.open(png) as picture:
        assert " · profile renamed · " in picture.info["Description"]


def test_unknown_figures_are_refused_before_anything_is_drawn(
    synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["figure", "s2", "7", "--root", str(synthetic), "--figures", str(tmp_path / "figures")])
    assert end.value.code == 2
    assert "There is no figure 7" in capsys.readouterr().err
    assert not (tmp_path / "figures").exists()


def test_drawing_does_not_import_torch(synthetic: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hessbench.results import reproduce\n"
        "from hessbench.plotting.redraw import redraw; import hessbench.cli.figure\n"
        "for name in reproduce.available('figure'): reproduce.load('figure', name)\n"
        f"redraw('s3', Path({str(synthetic)!r}), Path({str(tmp_path)!r}))\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_all_figures_are_drawn(synthetic: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        main(["figure", "all", "--root", str(synthetic), "--figures", str(tmp_path)])
    assert end.value.code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"figure-{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")}


GUIDE = Path("docs/reproduction-guide.md").read_text()


def test_the_guide_names_no_figure_that_is_not_there() -> None:
    assert sorted(re.findall(r"reproduce/figure_(\w+)\.py\)", GUIDE)) == sorted(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_the_guide_says_what_the_modules_say(name: str) -> None:
    module = reproduce.load("figure", name)
    begin = f"| {reproduce.designation(name)} | {module.TITLE} |"
    row = next(line for line in GUIDE.splitlines() if line.startswith(begin))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert f"figure_{name}.py" in cells[2]
    assert cells[3] == ", ".join(module.STAGES)
    assert cells[5] == (", ".join(f"`{claim}`" for claim in module.CLAIMS) or "–")


def test_the_guide_names_every_stage() -> None:
    table = GUIDE[GUIDE.index("## Stages") : GUIDE.index("## How to read the figures")]
    named = re.findall(r"^\| (\w+) \|", table, re.M)
    stages = list(yaml.safe_load(Path("dvc.yaml").read_text())["stages"])
    assert sorted(named[1:]) == sorted(stages)
    assert {stage for name in FIGURES for stage in reproduce.load("figure", name).STAGES} <= set(stages)
