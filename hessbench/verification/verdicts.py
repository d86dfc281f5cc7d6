"""Verdicts: each claim of the paper reproduced, not reproduced or undecided, with interval and reason."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hessbench.results.evidence import Finding
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.table_files import to_csv
from hessbench.system.files import write_text
from hessbench.verification.claims import STATISTICS, check_complete

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
UNDECIDED = "undecided"
COLUMNS = ["claim", "statement", "published", "reproduced", "ci_low", "ci_high", "verdict", "reason"]


@dataclass(frozen=True)
class Verdict:
    """What the findings say of a claim; `decisive` is the one that speaks least for it, None without any."""

    verdict: str
    reason: str
    decisive: Finding | None


def judge(findings: list[Finding]) -> Verdict:
    """Judge a claim by its findings.

    Reproduced when all of them hold with their whole intervals, not reproduced when one fails with its whole
    interval, else undecided. The finding shown is, among those that make the verdict, the one that speaks
    least for the claim, relative to its threshold.
    """
    outcomes = [finding.holds for finding in findings]
    if all(outcomes):
        verdict, concerned = REPRODUCED, findings
    elif False in outcomes:
        verdict, concerned = NOT_REPRODUCED, [f for f in findings if f.holds is False]
    else:
        verdict, concerned = UNDECIDED, [f for f in findings if f.holds is None]
    decisive = min(concerned, key=_margin)
    explanation = {
        REPRODUCED: "the whole interval lies on the claimed side",
        NOT_REPRODUCED: "the whole interval lies on the other side",
        UNDECIDED: "the interval crosses the line: too few reactions or models to decide",
    }[verdict]
    if math.isinf(decisive.estimate.low):
        explanation = "a single model or repeat gives no interval"
    others = "; ".join(str(finding) for finding in findings if finding is not decisive)
    reason = f"{decisive}: {explanation}" + (f"; beside it: {others}" if others else "")
    return Verdict(verdict, reason, decisive)


def verdicts(results: Results) -> pd.DataFrame:
    """Judge every claim of published.yaml; columns are `COLUMNS`, percentages where the statement has them.

    A claim whose results are missing is undecided, and the reason names the file and the stage.

    Raises
    ------
    ConfigurationError
        A claim has no statistic.
    HessbenchError
        Results are there but cannot be used.
    """
    check_complete(results.published)
    rows = []
    for identifier, claim in results.published.claims.items():
        try:
            found = judge(STATISTICS[identifier](results))
        except MissingResultsError as error:
            found = Verdict(UNDECIDED, str(error), None)
        number = found.decisive
        rows.append(
            {
                "claim": identifier,
                "statement": claim.statement,
                "published": number.published if number else None,
                "reproduced": number.estimate.value if number else None,
                "ci_low": number.estimate.low if number and math.isfinite(number.estimate.low) else None,
                "ci_high": number.estimate.high if number and math.isfinite(number.estimate.high) else None,
                "verdict": found.verdict,
                "reason": found.reason,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def write_verdicts(frame: pd.DataFrame, results: Results, tables: Path) -> list[Path]:
    """Write tables/verdicts.{csv,md} and give the paths; `results` are what the claims were judged by."""
    csv, markdown = tables / "verdicts.csv", tables / "verdicts.md"
    write_text(csv, to_csv(frame.assign(data=results.data)))
    text = f"**{summary(frame)}**\n\n{readable(frame).to_markdown(index=False)}\n\n{results.footer}\n"
    write_text(markdown, text)
    return [csv, markdown]


def make_verdicts(*, results: Results, tables: Path) -> list[Path]:
    """Judge every claim, write tables/verdicts.{csv,md} and give the paths."""
    return write_verdicts(verdicts(results), results, tables)


def summary(frame: pd.DataFrame) -> str:
    """Count the verdicts, e.g. ``19 claims: 8 reproduced, 2 not reproduced, 9 undecided``."""
    counts = ", ".join(
        f"{(frame['verdict'] == verdict).sum()} {verdict}"
        for verdict in (REPRODUCED, NOT_REPRODUCED, UNDECIDED)
    )
    return f"{len(frame)} claims: {counts}"


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Verdicts as text, for people."""
    return pd.DataFrame(
        {
            "Claim": frame["statement"],
            "Verdict": frame["verdict"],
            "Published": [_number(value) for value in frame["published"]],
            "Here": [
                _number(value) + (f" [{_number(low)}, {_number(high)}]" if pd.notna(low) else "")
                for value, low, high in zip(
                    frame["reproduced"], frame["ci_low"], frame["ci_high"], strict=True
                )
            ],
            "Reason": frame["reason"],
        }
    )


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"


def _margin(finding: Finding) -> float:
    """How far the interval's less favourable end lies on the claim's side, relative to the threshold."""
    threshold = finding.threshold
    end = threshold - finding.estimate.high if finding.below else finding.estimate.low - threshold
    return end / abs(threshold)
