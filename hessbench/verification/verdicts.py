"""Verdicts: for each claim of the paper its direction, its size, whether it can be tested, and one word.

The rules are those of `hessbench.verification.claims`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hessbench.results.evidence import CONSISTENT, LARGER, SMALLER, Evidence, Finding, Size, number
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.table_files import to_csv
from hessbench.system.files import write_text
from hessbench.verification.claims import STATISTICS, check_complete

REPRODUCED = "reproduced"
DIRECTION_ONLY = "direction only"
NOT_REPRODUCED = "not reproduced"
UNDECIDED = "undecided"
NOT_TESTABLE = "not testable"
VERDICTS = (REPRODUCED, DIRECTION_ONLY, NOT_REPRODUCED, UNDECIDED, NOT_TESTABLE)
OPPOSITE = "opposite"
DIRECTIONS = {True: REPRODUCED, False: OPPOSITE, None: UNDECIDED}
"""What a finding says by itself, by whether it holds."""
COLUMNS = [
    "claim", "section", "quote", "statement", "verdict", "direction", "size", "size_ratio", "size_low",
    "size_high", "testable", "number", "published", "reproduced", "ci_low", "ci_high", "line", "reason",
    "details",
]  # fmt: skip
RULE = (
    "Direction: on which side of no effect the whole 95 % interval lies. Size: the number over the published "
    "one, consistent if the interval holds that. Reproduced: the direction, in a size that does not "
    "contradict the sentence. Direction only: the direction in another size. Not reproduced: the opposite."
)
"""The rules in short, for the head of the table."""


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of a claim.

    Attributes
    ----------
    word
        One of `VERDICTS`.
    direction
        ``reproduced``, ``opposite`` or ``undecided``; empty if it cannot be tested.
    testable
        ``yes``, ``limited`` or ``no``.
    reason
        Why not fully testable or why undecided, in a phrase; empty if nothing stands in the way.
    decisive
        The finding that speaks least for the claim, which the table shows; None without any.
    details
        All numbers, one a line.
    """

    word: str
    direction: str
    testable: str
    reason: str
    decisive: Finding | None
    details: tuple[str, ...] = ()

    @property
    def size(self) -> Size | None:
        """Size of the decisive finding."""
        return self.decisive.size if self.decisive else None


def judge(evidence: Evidence) -> Verdict:
    """Judge a claim by its evidence; the rules stand in `hessbench.verification.claims`.

    The finding shown is, among those that make the direction, the one that makes the size, and among these
    the one that speaks least for the claim, relative to its line.
    """
    findings = evidence.findings
    if not findings:
        return Verdict(NOT_TESTABLE, "", "no", "; ".join(evidence.limits), None, evidence.beside)
    outcomes = [finding.holds for finding in findings]
    if all(outcomes):
        direction = REPRODUCED
        differing = [finding for finding in findings if not finding.agrees_in_size]
        word, concerned = (DIRECTION_ONLY, differing) if differing else (REPRODUCED, findings)
    elif False in outcomes:
        word, direction = NOT_REPRODUCED, OPPOSITE
        concerned = [finding for finding in findings if finding.holds is False]
    else:
        word, direction = UNDECIDED, UNDECIDED
        concerned = [finding for finding in findings if finding.holds is None]
    decisive = min(concerned, key=_margin)
    return Verdict(
        word,
        direction,
        "limited" if evidence.limits else "yes",
        "; ".join(evidence.limits),
        decisive,
        (*map(_detail, findings), *(f"beside it: {text}" for text in evidence.beside)),
    )


def verdicts(results: Results, claims: Iterable[str] | None = None) -> pd.DataFrame:
    """Judge all claims of published.yaml, or some; columns are `COLUMNS`, percentages as in the statement.

    A claim whose results are missing is not testable, and the reason names the file and the stage.

    Raises
    ------
    ConfigurationError
        A claim has no statistic.
    HessbenchError
        Results are there but cannot be used.
    """
    check_complete(results.published)
    rows = []
    for identifier in results.published.claims if claims is None else claims:
        claim = results.published.claims[identifier]
        try:
            found = judge(STATISTICS[identifier](results))
        except MissingResultsError as error:
            found = judge(Evidence([], (str(error),)))
        rows.append(
            {
                "claim": identifier,
                "section": claim.section,
                "quote": claim.quote,
                "statement": claim.statement,
                "verdict": found.word,
                "direction": found.direction,
                "testable": found.testable,
                "reason": found.reason,
                "details": "\n".join(found.details),
            }
            | _numbers(found)
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(found: Verdict) -> dict[str, object]:
    """Cells of the decisive finding."""
    finding, size = found.decisive, found.size
    if finding is None:
        return {"number": "", "size": ""}
    cells: dict[str, object] = {
        "number": finding.label,
        "published": finding.published,
        "reproduced": finding.estimate.value,
        "line": finding.line,
        "size": size.word if size else "",
    }
    if _has_interval(finding):
        cells |= {"ci_low": finding.estimate.low, "ci_high": finding.estimate.high}
    if size:
        cells |= {"size_ratio": size.ratio.value, "size_low": size.ratio.low, "size_high": size.ratio.high}
    return cells


def write_verdicts(frame: pd.DataFrame, results: Results, tables: Path) -> list[Path]:
    """Write tables/verdicts.{csv,md} and give the paths; `results` are what the claims were judged by."""
    csv, markdown = tables / "verdicts.csv", tables / "verdicts.md"
    write_text(csv, to_csv(frame.assign(data=results.data)))
    table = readable(frame).to_markdown(index=False, disable_numparse=True)
    head = f"**{summary(frame)}**\n\n{RULE}\n\n{table}\n"
    text = f"{head}\n## Claim by claim\n\n{_claims(frame)}{results.footer}\n"
    write_text(markdown, text)
    return [csv, markdown]


def make_verdicts(*, results: Results, tables: Path) -> list[Path]:
    """Judge every claim, write tables/verdicts.{csv,md} and give the paths."""
    return write_verdicts(verdicts(results), results, tables)


def summary(frame: pd.DataFrame) -> str:
    """Count the verdicts, e.g. ``23 claims: 8 reproduced, 5 direction only, 2 not reproduced, ...``."""
    counts = ", ".join(f"{(frame['verdict'] == verdict).sum()} {verdict}" for verdict in VERDICTS)
    return f"{len(frame)} claims: {counts}"


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Verdicts as text, for people: one short line a claim."""
    return pd.DataFrame(
        {
            "Claim": frame["statement"],
            "Verdict": frame["verdict"],
            "Direction": frame["direction"],
            "Size": _sizes(frame),
            "Testable": frame["testable"],
            "Here": _with_interval(frame, "reproduced", "ci_low", "ci_high"),
            "Published": [_number(value) for value in frame["published"]],
        }
    )


def _claims(frame: pd.DataFrame) -> str:
    """A section for each claim: the sentence, what keeps it from being tested, all numbers."""
    text = ""
    for row in frame.to_dict("records"):
        text += f"### {row['statement']}\n\n> {row['quote']}\n> (section {row['section']})\n\n"
        reason = row["reason"].rstrip(".")
        joint = {"yes": "", "limited": "; the test is limited: ", "no": ": "}[row["testable"]]
        text += f"**{row['verdict']}**{joint}{reason}.\n\n"
        text += "".join(f"- {line}\n" for line in row["details"].splitlines())
        text += "\n" if row["details"] else ""
    return text


def _detail(finding: Finding) -> str:
    """A finding with what it says by itself."""
    text = f"{finding}: {DIRECTIONS[finding.holds]}"
    if not _has_interval(finding):
        text += " (a single model or repeat gives no interval)"
    size = finding.size
    return text + (f", {size.word} ({number(size.ratio)} of the published)" if size else "")


def _has_interval(finding: Finding) -> bool:
    return finding.estimate.low > float("-inf")


def _sizes(frame: pd.DataFrame) -> list[str]:
    ratios = _with_interval(frame, "size_ratio", "size_low", "size_high")
    return [
        f"{word}: {ratio}" if word in (CONSISTENT, SMALLER, LARGER) else ""
        for word, ratio in zip(frame["size"], ratios, strict=True)
    ]


def _with_interval(frame: pd.DataFrame, value: str, low: str, high: str) -> list[str]:
    return [
        _number(a) + (f" [{_number(b)}, {_number(c)}]" if pd.notna(b) else "")
        for a, b, c in frame[[value, low, high]].astype(float).itertuples(index=False)
    ]


def _number(value: float) -> str:
    if pd.isna(value):
        return ""
    text = f"{value:.3g}"
    return f"{float(text):.0f}" if "e+" in text else text


def _margin(finding: Finding) -> float:
    """How far the interval's less favourable end lies on the claim's side, in units of the number's scale."""
    line = finding.line
    end = line - finding.estimate.high if finding.below else finding.estimate.low - line
    return end / (abs(line) or 1.0)
