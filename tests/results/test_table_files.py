import pandas as pd
import pytest

from hessbench.errors import HessbenchError
from hessbench.results.table_files import escape, markdown, read_csv, same_cells, to_csv

ODD = ["None", "NA", "null", "nan", "N/A", "1e5", "007", 'a "b", c', "#N/A", "-", " padded "]


def read(path, **columns):
    return read_csv(path, "`hessbench table 2` writes it", **({"text": (), "numbers": ()} | columns))


def test_special_characters_are_escaped():
    assert escape("50 % of A_1 & B") == r"50 \% of A\_1 \& B"
    assert escape("kcal Å⁻¹") == r"kcal \AA{}$^{-1}$"
    assert escape(r"x^2 ~ {\a} $5") == (r"x\textasciicircum{}2 \textasciitilde{} \{\textbackslash{}a\} \$5")


def test_what_looks_missing_or_like_a_number_survives(tmp_path):
    path = tmp_path / "table.csv"
    values = [1.5, None, *range(len(ODD) - 2)]
    path.write_text(to_csv(pd.DataFrame({"name": ODD, "value": values, "count": 3})))
    frame = read(path, text=["name"], numbers=["count"], optional=["value"])
    assert frame["name"].tolist() == ODD
    assert frame["value"].isna().tolist() == [False, True, *[False] * (len(ODD) - 2)]
    assert frame["count"].tolist() == [3.0] * len(ODD)
    text = markdown("Title", frame[["name"]].assign(count="1,000"), "Foot")
    assert all(f"| {name.strip()} " in text for name in ODD)


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("name,count\na,1\n", encoding="utf-8-sig")
    assert read(path, text=["name"], numbers=["count"])["count"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist; `hessbench table 2` writes it"),
        ("", "is empty; `hessbench table 2` writes it"),
        ("name,count\na,1\nb\n", "row 2 has 1 cells of 2"),
        ("name,count\na,1,2,3\n", "row 1 has 4 cells of 2"),
        ("name,number\na,1\n", "column count is missing; `hessbench table 2`"),
        ("name,count\na,1\nb,nan\n", "column count: not a number in row 2"),
        ("name,count\na,1\nb,\n", "column count: not a number in row 2"),
        ("name,count\na,inf\n", "column count: not a number in row 1"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, words):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HessbenchError, match=r"table\.csv") as caught:
        read(path, text=["name"], numbers=["count"])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("name,value\nNA,1.00001\n", True),
        ("name,value\nNA,1.01\n", False),
        ("name,value\n,1\n", False),
        ("name,value\nNA,\n", False),
        ("name,value\n", False),
        ("name,value,data\nNA,1,x\n", False),
    ],
)
def test_tables_are_compared_cell_by_cell(other, same):
    assert same_cells("name,value\nNA,1\n", other) == same
