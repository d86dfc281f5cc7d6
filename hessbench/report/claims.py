"""Verdicts that the report shows: those of this run, and those of an archived one at the paper's size."""

from pathlib import Path

from hessbench.report.cells import read_cells, short

VERDICT_COLUMNS = (
    "claim", "section", "quote", "statement", "verdict", "direction", "size", "size_ratio", "testable",
    "published", "reproduced", "ci_low", "ci_high", "reason", "details",
)  # fmt: skip


def read_claims(path: Path, command: str) -> tuple[list[dict[str, str]], str]:
    """Rows of a table of verdicts, intervals as text, or why there are none; `command` writes it."""
    frame, missing = read_cells(path, command)
    if frame is None:
        return [], missing
    absent = [column for column in VERDICT_COLUMNS if column not in frame]
    if absent:
        return [], f"{path}, column {absent[0]}: missing; `{command}` writes the file anew."
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
