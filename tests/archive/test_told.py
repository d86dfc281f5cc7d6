"""README and docs tell what the archived run says."""

from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "words"),
    [("README.md", "{} of the 23 claims are"), ("docs/paper-size.md", "Of the paper's 23 claims {} are")],
)
def test_counts_of_verdicts(name: str, words: str) -> None:
    verdicts = pd.read_csv(ROOT / "archive/full/tables/verdicts.csv")["verdict"].value_counts()
    counts = [verdicts[word] for word in ("reproduced", "direction only", "not reproduced", "undecided")]
    assert sum(counts) == 23
    words += " reproduced, {} in direction only, {} come out opposite, {} cannot be decided"
    assert words.format(*counts) in " ".join((ROOT / name).read_text(encoding="utf-8").split())
