"""Table S1: temperature and simulated time that each molecule reaches before a model breaks it.

Means over the runs, in which those that reached the cap unbroken count with it: then "≥". All runs are
censored at one temperature, so that this is the mean survival temperature of Kaplan and Meier, restricted to
the cap. A failed optimization counts as 0, as in the paper. The reference is the molecules' own level of
theory in the same test. Rows of one molecule at other rates follow, if the run has them.
"""

from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.stability import plot as stability
from hessbench.experiments.stability.run.tables import RATES, STABILITY
from hessbench.plotting.style import in_order, published_key
from hessbench.results.reader import Results
from hessbench.results.table_files import number_cells, write_table_files

TITLE = "Table S1. Temperature and simulated time before failure in heated dynamics"
STAGES = ("stability",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-s1.{csv,md,tex} from results/stability.parquet.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    table = stability.read(results)
    provenance = results.provenance(STABILITY)
    rows = []
    rates = stability.read(results, RATES)
    losses = [*in_order(table["loss"]), REFERENCE]
    groups = [
        (molecule, loss, table[(table["molecule"] == molecule) & (table["loss"] == loss)])
        for molecule in sorted(table["molecule"].unique())
        for loss in losses
    ] + [
        (molecule, loss, rates[(rates["rate_k_per_ps"] == rate) & (rates["loss"] == loss)])
        for molecule in rates["molecule"].unique()
        for rate in sorted(rates["rate_k_per_ps"].unique(), reverse=True)
        for loss in in_order(rates["loss"])
    ]
    for molecule, loss, runs in groups:
        if not runs.empty:
            key = published_key(loss)
            paper = stability.published_failure(results.published.stability, molecule, key) if key else None
            mean = runs["temperature_k"].mean()
            rows.append(
                {
                    "molecule": molecule,
                    "loss": loss,
                    "rate_k_per_ps": runs["rate_k_per_ps"].iloc[0],
                    "temperature_k": mean,
                    "temperature_low_k": runs["temperature_k"].min(),
                    "temperature_high_k": runs["temperature_k"].max(),
                    "time_fs": runs["time_fs"].mean(),
                    "censored": int((runs["status"] == "censored").sum()),
                    "optimization_failed": int((runs["status"] == "optimization failed").sum()),
                    "close_contacts": int((runs["status"] == "close contact").sum()),
                    "runs": len(runs),
                    "published_temperature_k": paper.temperature if paper else None,
                    "published_time_fs": paper.time if paper else None,
                    "difference_k": mean - paper.temperature if paper else None,
                }
            )
    frame = pd.DataFrame(rows)
    bound = frame["censored"].gt(0).map({True: "≥ ", False: ""})
    readable = pd.DataFrame(
        {
            "Molecule": frame["molecule"].str.replace("_", " ").str.capitalize(),
            "Loss": frame["loss"],
            "K/ps": frame["rate_k_per_ps"].map("{:.3g}".format),
            "Temperature (K)": bound + frame["temperature_k"].map("{:.0f}".format),
            "Lowest – highest": [
                f"{low:.0f} – {high:.0f}"
                for low, high in zip(frame["temperature_low_k"], frame["temperature_high_k"], strict=True)
            ],
            "Time (fs)": bound + frame["time_fs"].map("{:,.0f}".format),
            "Cap reached": frame["censored"],
            "Optimization failed": frame["optimization_failed"],
            "Atoms collided": frame["close_contacts"],
            "Runs": frame["runs"],
            "Paper (K)": number_cells(frame["published_temperature_k"], "{:.0f}"),
            "Paper (fs)": number_cells(frame["published_time_fs"], "{:,.0f}"),
            "Difference (K)": number_cells(frame["difference_k"], "{:+.0f}"),
        }
    )
    note = provenance.notes.get("note")  # such as the rate of heating
    cap = table.loc[table["loss"] != REFERENCE, "cap_k"].max()
    footer = (
        f"Heated to {cap:g} K at most{f', {note}' if note else ''}. "
        f"Profile {results.run.profile}. Data: {provenance.data}."
    )
    return write_table_files(
        "table-s1", TITLE, footer, provenance.data, frame=frame, readable=readable, tables=tables
    )
