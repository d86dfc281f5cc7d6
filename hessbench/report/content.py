"""What the report shows, gathered from a run's files; what is not there is named with the reason."""

import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.style
from PIL import Image

from hessbench import __version__
from hessbench.errors import DataError, HessbenchError
from hessbench.plotting import history
from hessbench.plotting.redraw import STYLE
from hessbench.report import molecules
from hessbench.report.cells import is_number, read_cells, short
from hessbench.report.claims import read_claims
from hessbench.report.provenance import results_tables, stage_times, time_spent
from hessbench.results import reproduce
from hessbench.results.reader import Results
from hessbench.results.run import Run
from hessbench.system.reading import reading


@dataclass(frozen=True)
class Item:
    """A figure or a table: either its content, or why there is none."""

    kind: str
    name: str
    title: str
    about: str
    module: str
    stages: tuple[str, ...]
    command: str
    claims: tuple[str, ...] = ()
    image: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    missing: str = ""

    @property
    def called(self) -> str:
        """Its number, or its name."""
        return reproduce.designation(self.name)


@dataclass(frozen=True)
class Content:
    """All that stands in the report."""

    profile: str
    data: dict[str, str]
    versions: dict[str, str]
    hessbench: str
    hardware: str
    time: str
    stages: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    claims: list[dict[str, str]]
    claims_missing: str
    paper_size: dict[str, dict[str, str]]
    figures: list[Item]
    paper_tables: list[Item]
    curves: str
    curves_missing: str
    paths: list[molecules.Movie]
    paths_missing: str
    trajectories: list[molecules.Movie]
    trajectories_missing: str


def gather(root: Path, figures: Path, tables: Path, paper_size: Path | None = None) -> Content:
    """Gather what a run gave.

    Parameters
    ----------
    root
        Folder that holds results/ and models/.
    figures, tables
        Folders of the drawn figures and written tables.
    paper_size
        Table of the verdicts of an archived run at the paper's size, to stand beside those of this run.

    Raises
    ------
    HessbenchError
        There is no results/run.json, so nothing was run; `paper_size` is missing or damaged.
    """
    results = Results(root / "results")
    run = results.run
    made = results_tables(results)
    claims, claims_missing = read_claims(tables / "verdicts.csv", "hessbench check")
    archived, archived_missing = (
        read_claims(paper_size, "hessbench archive redraw") if paper_size else ([], "")
    )
    if archived_missing:
        raise HessbenchError(archived_missing)
    curves, curves_missing = _curves(results)
    paths, paths_missing = molecules.movies_or_reason(molecules.reaction_paths, results)
    movies, movies_missing = molecules.movies_or_reason(molecules.trajectories, results)
    return Content(
        profile=run.profile,
        data=run.sets,
        versions=dict(run.versions),
        hessbench=__version__,
        hardware=run.hardware or "not recorded",
        time=time_spent(results, made),
        stages=stage_times(results.folder),
        tables=made,
        claims=claims,
        claims_missing=claims_missing,
        paper_size={claim["claim"]: claim for claim in archived},
        figures=_figures(results, figures),
        paper_tables=[
            *_tables(tables),
            _ensembles(tables),
            *_of_variants(tables),
        ],
        curves=curves,
        curves_missing=curves_missing,
        paths=paths,
        paths_missing=paths_missing,
        trajectories=movies,
        trajectories_missing=movies_missing,
    )


def _figures(results: Results, figures: Path) -> list[Item]:
    names = reproduce.available("figure")
    with ThreadPoolExecutor() as pool:  # most of it is Pillow's, which lets threads run side by side
        return list(pool.map(lambda name: _figure(name, results, figures), names))


def _figure(name: str, results: Results, figures: Path) -> Item:
    module = reproduce.load("figure", name)
    path = figures / f"figure-{name}.png"
    image, footer, missing = "", "", ""
    try:
        with (
            reading(path, "is no image", f"`hessbench figure {name}` draws it anew"),
            Image.open(path) as picture,
        ):
            picture.load()
            footer = str(picture.info.get("Description", ""))
            image = embed(picture)
    except DataError as error:
        missing = str(error) if path.exists() else _why_not_drawn(name, results)
    if image and not _is_of(footer, results.run):
        image, missing = (
            "",
            (
                f"{path} was drawn from other results ({footer or 'it does not say which'}); "
                f"`hessbench figure {name}` draws it from these."
            ),
        )
    return Item(
        kind="figure",
        name=name,
        title=module.TITLE,
        about=reproduce.summary(module),
        module=f"reproduce/figure_{name}.py",
        stages=module.STAGES,
        command=f"hessbench figure {name}",
        claims=module.CLAIMS,
        image=image,
        missing=missing,
    )


def _is_of(footer: str, run: Run) -> bool:
    """Whether a figure's footer, see `footer_of`, speaks of this run: its profile and none but its data."""
    before, found, data = footer.partition(" · data: ")
    for known in sorted(run.data.values(), key=len, reverse=True):
        data = data.replace(known, "")
    rest = data.strip("; ")
    return bool(found) and before.endswith(f" · profile {run.profile}") and (not rest or rest[0] == "·")


def _why_not_drawn(name: str, results: Results) -> str:
    """Why a figure is not there: its results are not, or nobody drew it yet."""
    try:
        with matplotlib.style.context(STYLE):
            reproduce.load("figure", name).draw(Results(results.folder))
    except HessbenchError as error:
        return str(error)
    return f"Its results are there, but it has not been drawn; `hessbench figure {name}` does."


def _tables(tables: Path) -> list[Item]:
    """The tables of reproduce/, but for those that this run does not have and need not have."""
    modules = {name: reproduce.load("table", name) for name in reproduce.available("table")}
    return [
        _table(name, module, tables)
        for name, module in modules.items()
        if not getattr(module, "OPTIONAL", False) or (tables / f"table-{name}.csv").exists()
    ]


def _table(name: str, module: ModuleType, tables: Path) -> Item:
    title = re.sub(r"^Table \w+\. ", "", module.TITLE)
    content = _cells(tables / f"table-{name}.csv", f"hessbench table {name}")
    return Item(
        kind="table",
        name=name,
        title=title,
        about=reproduce.summary(module),
        module=f"reproduce/table_{name}.py",
        stages=getattr(module, "STAGES", ("evaluate",)),
        **content,
    )


def _ensembles(tables: Path) -> Item:
    """The table of all errors, which the paper does not have."""
    return Item(
        kind="table",
        name="ensembles",
        title="Errors of every ensemble on every test set",
        about="All losses, amounts of data and users' models, with mean absolute errors.",
        module="hessbench/experiments/errors/tables.py",
        stages=("evaluate",),
        **_cells(tables / "ensembles.csv", "hessbench table ensembles"),
    )


def _of_variants(tables: Path) -> list[Item]:
    """Tables of other recipes and models, those that are there: they are not made if a profile has none."""
    known = (
        (
            "robustness",
            "Errors and verdicts by the recipe of the training",
            "The claims about Tables 2-4 under the profile's recipe and under others.",
            ("evaluate", "variants"),
        ),
        (
            "single-ts",
            "Claims about the single TS, by unit and features of the models",
            "The claims of section 3.1 for the profile's models and for others.",
            ("single_ts",),
        ),
    )
    return [
        Item(
            kind="table",
            name=name,
            title=title,
            about=about,
            module=f"hessbench/verification/{name.replace('-', '_')}.py",
            stages=stages,
            **_cells(tables / f"table-{name}.csv", f"hessbench table {name}"),
        )
        for name, title, about, stages in known
        if (tables / f"table-{name}.csv").exists()
    ]


def _cells(path: Path, command: str) -> dict[str, Any]:
    """Header and rows of a table's CSV file, and the data that it shows."""
    frame, missing = read_cells(path, command)
    if frame is None:
        return {"command": command, "missing": missing}
    data: list[str] = list(frame.pop("data").unique()) if "data" in frame else []
    for column in frame:
        if all(is_number(cell) for cell in frame[column] if cell):
            frame[column] = frame[column].map(short)
    return {
        "command": command,
        "header": [str(column).replace("_", " ") for column in frame],
        "rows": frame.to_numpy().tolist(),
        "note": f"Data: {'; '.join(data)}.",
    }


def _curves(results: Results) -> tuple[str, str]:
    try:
        curves = history.read(results)
    except HessbenchError as error:
        return "", str(error)
    buffer = io.BytesIO()
    with matplotlib.style.context(STYLE):
        history.draw(curves).savefig(buffer, format="png", metadata={"Software": None})
    with Image.open(buffer) as picture:
        return embed(picture), ""


def embed(picture: Image.Image) -> str:
    """Data URI of an image, pixel by pixel.

    Lossless, as rare colours carry meaning; and of its own size, since the intermediate colours of a smaller
    one take more bytes than its pixels save.
    """
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="WEBP", lossless=True, quality=60, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
