"""Write a table for programs (CSV), people (Markdown) and papers (LaTeX, booktabs)."""

from pathlib import Path

import pandas as pd

from hessbench.results.error_tables import to_csv
from hessbench.system.files import write_text

LATEX = {
    "⁻¹": "$^{-1}$",
    "⁻²": "$^{-2}$",
    "Å": r"\AA{}",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "²": "$^2$",
    "Σ": r"$\Sigma$",
    "ω": r"$\omega$",
    "∂": r"$\partial$",
    "ᵢ": "$_i$",
    "ⱼ": "$_j$",
    "ₖ": "$_k$",
    "ₗ": "$_l$",
    "–": "--",
    "−": "$-$",
}
"""What LaTeX needs in place of a character."""
NUMBER = r"(≥ )?[+−]?[\d,]*(\.\d+)?"
"""Cells of a column that is set flush right."""


def write_table_files(
    name: str,
    title: str,
    footer: str,
    data: str,
    *,
    frame: pd.DataFrame,
    readable: pd.DataFrame,
    tables: Path,
) -> list[Path]:
    """Write tables/<name>.{csv,md,tex} and give the paths.

    Parameters
    ----------
    name
        Name of the table, "table-s1".
    title, footer
        What it shows, and where that comes from.
    data
        Identity of the data, for the last column of the CSV file.
    frame
        For the CSV file, one number a cell.
    readable
        For Markdown and LaTeX, text.
    tables
        The folder to write to.
    """
    csv, markdown, latex = (tables / f"{name}.{suffix}" for suffix in ("csv", "md", "tex"))
    write_text(csv, to_csv(frame.assign(data=data)))
    cells = readable.astype(str)
    right = [bool(cells[column].str.fullmatch(NUMBER).all()) for column in cells]
    # numbers as they are written: tabulate would write large ones with an exponent
    pipes = cells.to_markdown(
        index=False, disable_numparse=True, colalign=["right" if number else "left" for number in right]
    )
    write_text(markdown, f"**{title}**\n\n{pipes}\n\n{footer}\n")
    cells.columns = [escape(column) for column in readable.columns]
    text = cells.map(escape).to_latex(
        index=False,
        escape=False,
        column_format="".join("r" if number else "l" for number in right),
        position="htbp",
        caption=escape(f"{title}. {footer}"),
        label=f"tab:{name}",
    )
    write_text(latex, text)
    return [csv, markdown, latex]


def escape(text: str) -> str:
    """Text as LaTeX."""
    text = "".join({"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}.get(c, c) for c in text)
    for character in "&%#_":
        text = text.replace(character, f"\\{character}")
    for character, code in LATEX.items():
        text = text.replace(character, code)
    return text
