"""Tables of outcomes."""

from collections import Counter
from collections.abc import Mapping, Sequence


def table(what: str, number: str, outcomes: Sequence[str], counts: Mapping[str, Counter]) -> str:
    """Count outcomes in Markdown, with the sums.

    Parameters
    ----------
    what, number
        Head the first two columns: what is counted, and how many there are of it.
    outcomes
        In the order of the columns.
    counts
        Of each outcome, by what is counted.
    """
    total: Counter = sum(counts.values(), Counter())
    rows = [[what, number, *outcomes]]
    for name, found in [*counts.items(), ("all", total)]:
        rows.append([name, str(found.total()), *(str(found[outcome]) for outcome in outcomes)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
