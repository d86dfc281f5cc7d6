"""Table single-ts: the claims about the single TS for models of other energy units and features.

What each claim comes out as for the ensembles of the profile and for those of its variants, by the statistics
and lines of the verdicts, with the counts of models beside them. The unit multiplies the energies of the
models, kcal/mol: the larger, the rougher a fresh model.
"""

from pathlib import Path

import pandas as pd

from hessbench.experiments.single_ts.claims import STATISTICS
from hessbench.experiments.single_ts.run.tables import VARIANTS
from hessbench.results.evidence import number
from hessbench.results.reader import Results
from hessbench.results.table_files import write_table_files
from hessbench.verification.verdicts import DIRECTIONS, judge

NAME = "table-single-ts"
TITLE = "Table single-ts. Claims about the single TS, by unit and features of the models"


def evidence_by_variant(results: Results) -> pd.DataFrame:
    """Every number that speaks for or beside the claims about the single TS, for each variant.

    Returns
    -------
    DataFrame
        Columns variant (0 is the profile's own), energy_unit, model, models, claim, number (what it is),
        value, ci_low, ci_high, line, direction; and `text`, the number with its interval. Numbers beside
        those that decide have a text alone; so has the first row of a claim, its verdict.

    Raises
    ------
    HessbenchError
        Results are missing or broken.
    """
    rows = []
    for variant in results.table(VARIANTS).to_dict("records"):
        place = f"{VARIANTS.name}/{variant['variant']}"
        own = results.within(place) if variant["variant"] else results
        for claim, statistic in STATISTICS.items():
            evidence, key = statistic(own), variant | {"claim": claim}
            statement = results.published.claims[claim].statement
            rows.append(key | {"number": statement, "text": judge(evidence).word})
            for finding in evidence.findings:
                found = finding.estimate
                values = {"value": found.value, "ci_low": found.low, "ci_high": found.high}
                direction = DIRECTIONS[finding.holds]
                cells = {
                    "line": finding.line,
                    "direction": direction,
                    "text": f"{number(found)}: {direction}",
                }
                rows.append(key | {"number": finding.label} | values | cells)
            for text in evidence.beside:
                label, _, value = text.partition(": ")
                rows.append(key | {"number": label, "text": value})
    return pd.DataFrame(rows)


def write_single_ts_table(*, results: Results, tables: Path) -> list[Path]:
    """Write tables/table-single-ts.{csv,md,tex} and give the paths; none where there are no variants.

    Raises
    ------
    HessbenchError
        Results are missing or broken.
    """
    provenance = results.provenance(VARIANTS)
    if results.table(VARIANTS).empty:
        return []
    frame = evidence_by_variant(results)
    named = frame["energy_unit"].map("unit {:g}".format) + frame["model"].map(
        lambda text: f", {text}" if text else ""
    )
    wide = frame.assign(column=named).pivot_table(
        index=["claim", "number"], columns="column", values="text", aggfunc="first", sort=False
    )
    counts = ", ".join(f"{count}" for count in frame.drop_duplicates("variant")["models"])
    footer = f"Models of each loss: {counts}. {provenance.notes['note']}. {results.run.footer}"
    return write_table_files(
        NAME,
        TITLE,
        footer,
        provenance.data,
        frame=frame,
        readable=wide[list(dict.fromkeys(named))].reset_index().drop(columns="claim"),
        tables=tables,
    )
