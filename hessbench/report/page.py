"""Write the report as one HTML file: style, script, data and pictures inside, nothing from the net."""

import json
from importlib import resources
from pathlib import Path

import jinja2

from hessbench.chemistry.bonds import BONDED
from hessbench.report import molecules
from hessbench.report.content import Content, is_number, short
from hessbench.system.files import write_text


def render(content: Content) -> str:
    """HTML of the report."""
    folder = resources.files("hessbench.report")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.filters["is_number"] = is_number
    environment.tests["contains"] = lambda items, item: item in items
    return environment.get_template("page.html.j2").render(
        content=content,
        style=folder.joinpath("style.css").read_text(encoding="utf-8"),
        script=folder.joinpath("viewer.js").read_text(encoding="utf-8"),
        movies=script_data({"paths": content.paths, "trajectories": content.trajectories}),
        elements=script_data({"table": molecules.elements(), "bond_ratio": BONDED}),
    )


def script_data(data: object) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def write_report(content: Content, path: Path) -> None:
    """Write the report whole or not at all."""
    write_text(path, render(content))
