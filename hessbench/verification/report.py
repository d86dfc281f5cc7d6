"""The gate's report: what differs from the pinned values, how far it is from the paper, the verdicts."""

from typing import Literal

import pandas as pd

from hessbench.verification import verdicts
from hessbench.verification.comparison import EXTRA, MISSING, WITHIN

Format = Literal["text", "markdown"]


def gate_report(
    comparison: pd.DataFrame, tables: pd.DataFrame, claims: pd.DataFrame, footer: str, form: Format
) -> str:
    """Write the report of `hessbench check`.

    Parameters
    ----------
    comparison
        From `comparison.compare`.
    tables
        From `hessbench.experiments.errors.tables.read_tables`: found beside published.
    claims
        From `verdicts.verdicts`.
    footer
        Profile and data of the run.
    form
        ``markdown`` for a pull request or job summary, ``text`` for a terminal.
    """
    differing = comparison[comparison["status"] != WITHIN]
    sections = [_heading("Pinned values", form) + gate_summary(comparison)]
    if not differing.empty:
        sections.append(_table(_differences(differing), form))
    sections.append(_heading("Published values", form) + _table(_beside_published(tables), form))
    shown = verdicts.readable(claims)
    sections.append(_heading(f"Claims: {verdicts.summary(claims)}", form) + _table(shown, form))
    return "\n\n".join([*sections, footer]) + "\n"


def gate_summary(comparison: pd.DataFrame) -> str:
    """One line: how many values are within tolerance, and how many are not, by kind."""
    differing = comparison[comparison["status"] != WITHIN]
    within = f"{len(comparison) - len(differing)} of {len(comparison)} values within tolerance"
    kinds = ", ".join(
        f"{count} {kind}" for kind, count in differing["status"].value_counts(sort=False).items()
    )
    return f"{within}; {kinds}." if kinds else f"{within}."


def paired_report(
    table: pd.DataFrame, flipped: list[str], notes: list[str], names: tuple[str, str], form: Format
) -> str:
    """Write the report of `hessbench check --against`.

    Parameters
    ----------
    table
        From `paired.compare_runs`.
    flipped
        A sentence for each claim whose verdict changed, or why none is compared.
    notes
        What was not compared.
    names
        Of the runs, before and now.
    form
        See `gate_report`.
    """
    shown = pd.DataFrame(
        {
            "Loss": table["loss"],
            "%": table["percent"],
            "Value": table["value"],
            "Before": [f"{value:.4g}" for value in table["before"]],
            "Now": [f"{value:.4g}" for value in table["now"]],
            "Change": [_change(value) for value in table["ratio"]],
            "95 % interval": [
                "" if pd.isna(low) else f"{_change(low)} to {_change(high)}"
                for low, high in zip(table["low"], table["high"], strict=True)
            ],
            "": table["status"],
        }
    )
    before, now = names
    kinds = table["status"].value_counts(sort=False).items()
    counts = ", ".join(f"{count} {status}" for status, count in kinds)
    sections = [
        _heading(f"{now} against {before}", form)
        + f"{len(table)} values of the same models and structures: {counts}.",
        _table(shown, form),
        _heading("Verdicts", form) + "\n".join(f"- {line}" for line in flipped),
    ]
    if (table["models"] == 1).any():
        notes = [*notes, "where there is one model, the intervals say nothing of other seeds"]
    if notes:
        sections.append(_heading("Notes", form) + "\n".join(f"- {line}" for line in notes))
    return "\n\n".join(sections) + "\n"


def _change(ratio: float) -> str:
    return "" if pd.isna(ratio) else f"{100 * (ratio - 1):+.2f} %"


def _differences(differing: pd.DataFrame) -> pd.DataFrame:
    def number(row: pd.Series, column: str) -> str:
        return "" if row["status"] in (MISSING, EXTRA) and pd.isna(row[column]) else f"{row[column]:.5g}"

    rows = [row for _, row in differing.iterrows()]
    return pd.DataFrame(
        {
            "Table": differing["table"].tolist(),
            "Loss": differing["loss"].tolist(),
            "Quantity": (differing["quantity"] + " (" + differing["unit"] + ")").tolist(),
            "Status": differing["status"].tolist(),
            "Found": [number(row, "found") for row in rows],
            "Pinned": [number(row, "pinned") for row in rows],
            "Deviation": [number(row, "deviation") for row in rows],
            "Tolerance": [number(row, "tolerance") for row in rows],
        }
    )


def _beside_published(tables: pd.DataFrame) -> pd.DataFrame:
    tables = tables.dropna(subset=["published"])
    return pd.DataFrame(
        {
            "Table": tables["table"],
            "Loss": tables["loss"],
            "Quantity": tables["quantity"] + " (" + tables["unit"] + ")",
            "RMSE": [f"{value:.2f}" for value in tables["rmse"]],
            "Published": [f"{value:.2f}" for value in tables["published"]],
            "Ratio": [f"{value:.2f}" for value in tables["rmse"] / tables["published"]],
        }
    )


def _heading(text: str, form: Format) -> str:
    return f"### {text}\n\n" if form == "markdown" else f"{text}\n{'-' * len(text)}\n"


def _table(frame: pd.DataFrame, form: Format) -> str:
    kind = "pipe" if form == "markdown" else "simple"
    text: str = frame.to_markdown(index=False, tablefmt=kind, disable_numparse=True)
    return text
