"""README.md of an archive: each claim with value, tolerance and cost; hardware and hours of the run."""

import json
from pathlib import Path

import pandas as pd

from hessbench.archive.layout import LABELS, RESULTS, TABLES, ArchivedModel, archived_models
from hessbench.experiments.registry import all_experiments, claims_of, stage_of
from hessbench.potential.ensembles import PROVENANCE
from hessbench.potential.files import read_notes
from hessbench.report.provenance import duration, results_tables, stage_times, time_spent
from hessbench.results import reproduce
from hessbench.results.reader import Results
from hessbench.results.table_files import read_csv
from hessbench.verification.verdicts import readable, summary

TEXT = ("claim", "statement", "verdict", "direction", "testable", "size", "number")
NUMBERS = ("published", "reproduced", "ci_low", "ci_high", "size_ratio", "size_low", "size_high")


def guide(archive: Path) -> str:
    """Markdown text of the README of an archive, from its results, verdicts and times.

    Raises
    ------
    HessbenchError
        A file is missing or damaged.
    """
    results = Results(archive / RESULTS)
    verdicts = read_csv(
        archive / TABLES / "verdicts.csv",
        "`hessbench table verdicts` writes it",
        text=TEXT,
        numbers=(),
        optional=NUMBERS,
    )
    times = pd.DataFrame(
        stage_times(archive / RESULTS), columns=["stage", "runs", "minutes", "processor_minutes"]
    )
    models = archived_models(archive)
    ensembles = ", ".join(
        f"{sum(item.label == label for item in models)} {label}"
        for label in dict.fromkeys(m.label for m in models)
    )
    percents = ", ".join(str(percent) for percent in sorted({model.percent for model in models}))
    return f"""# Archive of a run of hessbench, profile {results.run.profile}

Models trained at {percents} % of the data ({ensembles}), the results that all figures, tables and verdicts
are made from, and these themselves, with settings (params.yaml), pipeline (dvc.yaml, dvc.lock), packages
(requirements.lock) and the checksums of the data ({LABELS}; the labels are not here, `hessbench generate`
makes them). ro-crate-metadata.json describes it all (RO-Crate, profile Workflow Run Crate); SHA256SUMS is for
`sha256sum --check`. Not here: predictions for single structures, and models of smaller shares of the data.
Their errors are in results/errors; `hessbench archive verify` computes those of the models here anew.

{summary(verdicts)}.

## Claims

The value is what the run found, with its 95 % interval: another run, of other seeds and reactions, is
expected inside it. Figures, tables and verdicts are the same byte by byte when they are made from the results
here, in minutes. "Computing it anew" is the time by the clock of the stages that give the value; training and
evaluation come before all of them. Times are of the last start of a stage: what one that was interrupted had
done before is not in them.

{_claims(verdicts, times).to_markdown(index=False, disable_numparse=True)}

## Hardware and hours

Run on {results.run.hardware or "a machine that was not recorded"}; models trained on {_trained_on(models)}.
Time spent: {time_spent(results, results_tables(results))}.

{_hours(times).to_markdown(index=False, disable_numparse=True)}

{results.footer}
"""


def _claims(verdicts: pd.DataFrame, times: pd.DataFrame) -> pd.DataFrame:
    """A row a claim."""
    shown = readable(verdicts)
    stages = {claim: stage_of(name).name for name in all_experiments() for claim in claims_of(name)}
    figures: dict[str, list[str]] = {}
    for name in reproduce.available("figure"):
        for claim in reproduce.load("figure", name).CLAIMS:
            figures.setdefault(claim, []).append(reproduce.designation(name))
    minutes = times.set_index("stage")["minutes"]
    return pd.DataFrame(
        {
            "claim": shown["Claim"],
            "verdict": shown["Verdict"],
            "what": verdicts["number"],
            "value [interval]": shown["Here"],
            "paper": shown["Published"],
            "figures": [", ".join(figures.get(claim, ["–"])) for claim in verdicts["claim"]],
            "computing it anew": [
                f"`dvc repro {stages[claim]}`, " + _time(minutes.get(stages[claim]))
                for claim in verdicts["claim"]
            ],
        }
    )


def _hours(times: pd.DataFrame) -> pd.DataFrame:
    """A row a stage, and their sum."""
    total = {"stage": "all", "runs": times["runs"].sum()} | times[
        ["minutes", "processor_minutes"]
    ].sum().to_dict()
    rows = pd.concat([times, pd.DataFrame([total])], ignore_index=True)
    return pd.DataFrame(
        {
            "stage": rows["stage"],
            "runs": rows["runs"].astype(int).astype(str),
            "hours by the clock": (rows["minutes"] / 60).map("{:.3f}".format),
            "processor hours": (rows["processor_minutes"] / 60).map("{:.3f}".format),
        }
    )


def _trained_on(models: list[ArchivedModel]) -> str:
    """Processors or GPUs on which the models were trained."""
    found: dict[str, None] = {}
    for model in models:
        device = read_notes(model.path).get("device", "cpu")
        if device == "cpu":
            content = json.loads((model.path.parent / PROVENANCE).read_text(encoding="utf-8"))
            device = content["hardware"]["processor"]
        found[device] = None
    return ", ".join(found)


def _time(minutes: float | None) -> str:
    return "time not recorded" if minutes is None else duration(60 * minutes)
