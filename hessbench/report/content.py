"""What the report shows, gathered from a run's files; what is not there is named with the reason."""

import base64
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.style
import pandas as pd
from PIL import Image, UnidentifiedImageError

from hessbench import __version__
from hessbench.errors import HessbenchError
from hessbench.plotting import history
from hessbench.plotting.redraw import STYLE
from hessbench.plotting.source import Source
from hessbench.report import artefacts, molecules
from hessbench.report.provenance import results_tables, time_spent

PIXELS = 1500
"""Width of the embedded figures: sharp on a screen, a tenth of the bytes of those in figures/."""
VERDICT_COLUMNS = ("claim", "statement", "published", "reproduced", "ci_low", "ci_high", "verdict", "reason")


@dataclass(frozen=True)
class Artefact:
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
    identity: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Content:
    """All that stands in the report."""

    profile: str
    data: dict[str, str]
    versions: dict[str, str]
    hessbench: str
    hardware: str
    time: str
    tables: list[dict[str, Any]]
    claims: list[dict[str, str]]
    claims_missing: str
    figures: list[Artefact]
    paper_tables: list[Artefact]
    curves: str
    curves_missing: str
    paths: list[molecules.Movie]
    paths_missing: str
    trajectories: list[molecules.Movie]
    trajectories_missing: str


def gather(root: Path, figures: Path, tables: Path) -> Content:
    """Gather what a run gave.

    Parameters
    ----------
    root
        Folder that holds results/ and models/.
    figures, tables
        Folders of the drawn figures and written tables.

    Raises
    ------
    HessbenchError
        There is no results/run.json, so nothing was run.
    """
    source = Source(root)
    run = source.run
    results = results_tables(source)
    claims, claims_missing = _claims(tables / "verdicts.csv")
    curves, curves_missing = _curves(source)
    paths, paths_missing = molecules.movies_or_reason(molecules.reaction_paths, source)
    movies, movies_missing = molecules.movies_or_reason(molecules.trajectories, source)
    return Content(
        profile=run.profile,
        data=dict(run.data),
        versions=dict(run.versions),
        hessbench=__version__,
        hardware=run.hardware or "not recorded",
        time=time_spent(source, results),
        tables=results,
        claims=claims,
        claims_missing=claims_missing,
        figures=[_figure(name, source, figures) for name in artefacts.available("figure")],
        paper_tables=[*(_table(name, tables) for name in artefacts.available("table")), _ensembles(tables)],
        curves=curves,
        curves_missing=curves_missing,
        paths=paths,
        paths_missing=paths_missing,
        trajectories=movies,
        trajectories_missing=movies_missing,
    )


def _claims(path: Path) -> tuple[list[dict[str, str]], str]:
    frame, missing = _csv(path, "hessbench check")
    if frame is None:
        return [], missing
    absent = [column for column in VERDICT_COLUMNS if column not in frame]
    if absent:
        return [], f"{path}, column {absent[0]}: missing; `hessbench check` writes the file anew."
    claims = []
    for row in frame.to_dict("records"):
        claim = {str(key): str(value) for key, value in row.items()}
        claim["interval"] = (
            f"[{short(claim['ci_low'])}, {short(claim['ci_high'])}]"
            if claim["ci_low"] and claim["ci_high"]
            else ""
        )
        claims.append(claim)
    return claims, ""


def _csv(path: Path, command: str) -> tuple[pd.DataFrame | None, str]:
    """Cells of a CSV file as text, or why there is none."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False), ""
    except FileNotFoundError:
        return None, f"{path} does not exist; `{command}` writes it."
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        return None, f"{path} is no CSV table ({error}); `{command}` writes it anew."


def _figure(name: str, source: Source, figures: Path) -> Artefact:
    module = artefacts.load("figure", name)
    path = figures / f"figure-{name}.png"
    image, identity, missing = "", "", ""
    try:
        with Image.open(path) as picture:
            picture.load()
            identity = picture.info.get("Description", "")
            image = embed(picture)
    except FileNotFoundError:
        missing = _why_not_drawn(name, source)
    except (UnidentifiedImageError, OSError) as error:
        missing = f"{path} is no image ({error}); `hessbench figure {name}` draws it anew."
    if image and f"profile {source.run.profile} " not in identity:
        image, missing = (
            "",
            (
                f"{path} was drawn from other results ({identity or 'it does not say which'}); "
                f"`hessbench figure {name}` draws it from these."
            ),
        )
    return Artefact(
        kind="figure",
        name=name,
        title=module.TITLE,
        about=artefacts.summary(module),
        module=f"reproduce/figure_{name}.py",
        stages=module.STAGES,
        command=f"hessbench figure {name}",
        claims=module.CLAIMS,
        image=image,
        identity=identity,
        missing=missing,
    )


def _why_not_drawn(name: str, source: Source) -> str:
    """Why a figure is not there: its results are not, or nobody drew it yet."""
    try:
        with matplotlib.style.context(STYLE):
            artefacts.load("figure", name).draw(Source(source.results.parent))
    except HessbenchError as error:
        return str(error)
    return f"Its results are there, but it has not been drawn; `hessbench figure {name}` does."


def _table(name: str, tables: Path) -> Artefact:
    module = artefacts.load("table", name)
    title = re.sub(r"^Table \w+\. ", "", module.TITLE)
    content = _cells(tables / f"table-{name}.md", f"hessbench table {name}")
    return Artefact(
        kind="table",
        name=name,
        title=title,
        about=artefacts.summary(module),
        module=f"reproduce/table_{name}.py",
        stages=getattr(module, "STAGES", ("evaluate",)),
        **content,
    )


def _ensembles(tables: Path) -> Artefact:
    """The table of all errors, which the paper does not have."""
    return Artefact(
        kind="table",
        name="ensembles",
        title="Errors of every ensemble on every test set",
        about="All losses, amounts of data and models brought by users, with mean absolute errors.",
        module="hessbench/results/error_tables.py",
        stages=("evaluate",),
        **_cells(tables / "ensembles.md", "hessbench table ensembles"),
    )


def _cells(path: Path, command: str) -> dict[str, Any]:
    """Header and rows of a table's Markdown file, and what stands below it."""
    try:
        title, *parts = path.read_text(encoding="utf-8").strip().split("\n\n")
    except FileNotFoundError:
        return {"command": command, "missing": f"{path} does not exist; `{command}` writes it."}
    lines = [line for line in (parts or [""])[0].splitlines() if line.startswith("|")]
    if len(lines) < 3 or not title.startswith("**"):
        return {"command": command, "missing": f"{path} holds no table; `{command}` writes it anew."}
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {"command": command, "header": header, "rows": rows, "note": "\n\n".join(parts[1:])}


def _curves(source: Source) -> tuple[str, str]:
    try:
        curves = history.read(source.models)
    except HessbenchError as error:
        return "", str(error)
    buffer = io.BytesIO()
    with matplotlib.style.context(STYLE):
        history.draw(curves).savefig(buffer, format="png", metadata={"Software": None})
    with Image.open(buffer) as picture:
        return embed(picture), ""


def embed(picture: Image.Image) -> str:
    """Data URI of an image, at most `PIXELS` wide; lossless, as rare colours carry meaning."""
    small = picture.convert("RGB")
    if small.width > PIXELS:
        small = small.resize((PIXELS, round(small.height * PIXELS / small.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="WEBP", lossless=True, quality=60, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def is_number(text: str) -> bool:
    """Whether a cell holds a number, perhaps with its spread, or an interval."""
    return re.match(r"[\[≥+−-]? ?\d", text) is not None


def short(text: str) -> str:
    """A number in four significant digits, other text as it is."""
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.4g}"
    except ValueError:
        return text
