"""Write the report as one HTML file: style, script, data and pictures inside, nothing from the net."""

import json
from importlib import resources
from pathlib import Path

import jinja2

from hessbench.chemistry.bonds import BONDED
from hessbench.report import molecules
from hessbench.report.cells import is_number, short
from hessbench.report.content import Content
from hessbench.system.files import write_text


def text_of(name: str) -> str:
    """Content of a file of this package."""
    return resources.files("hessbench.report").joinpath(name).read_text(encoding="utf-8")


def environment() -> jinja2.Environment:
    """What templates of pages are rendered with: all text escaped, nothing undefined passed over."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(text_of),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["short"] = short
    made.filters["is_number"] = is_number
    made.tests["contains"] = lambda items, item: item in items
    return made


def render(content: Content) -> str:
    """HTML of the report."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            content=content,
            style=text_of("style.css"),
            script=text_of("viewer.js"),
            movies=script_data({"paths": content.paths, "trajectories": content.trajectories}),
            elements=script_data({"table": molecules.elements(), "bond_ratio": BONDED}),
        )
    )


def script_data(data: object) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def write_report(content: Content, path: Path) -> None:
    """Write the report whole or not at all."""
    write_text(path, render(content))
