"""Words of settings that YAML 1.1 takes for something else are refused with their line."""

from pathlib import Path

import pytest

from hessbench.config.base import Section, read_yaml, validate
from hessbench.errors import ConfigurationError


class Values(Section):
    text: str = ""
    whole: int = 0
    number: float | None = 0.0
    flag: bool = False
    numbers: tuple[float, ...] = ()


def read(path: Path, text: str) -> Values:
    path.write_text(f"# settings\n{text}\n", encoding="utf-8")
    return validate(Values, read_yaml(path), source=path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *((f"{key}: {word}", f"line 2: {word} counts as a truth value; write true or false, or '{word}'")
          for key in ("text", "whole", "number", "flag") for word in ("yes", "no", "On", "off")),
        ("no: 1", "line 2: no counts as a truth value"),
        ("numbers: [1, yes]", "line 2: yes counts as a truth value"),
        ("whole: 010", "line 2: 010 counts as 8; write the number in full"),
        ("number: -010", "line 2: -010 counts as -8"),
        ("number: 1:30", "line 2: 1:30 counts as 90"),
        ("number: 1:30.5", "line 2: 1:30.5 counts as minutes"),
        ("whole: true", "whole is a truth value where a number"),
        ("number: true", "number is a truth value where a number"),
        ("numbers: [1, true]", "numbers is a truth value where a number"),
        ("text: 1.10", r"text: .*valid string \(found 1.1\); put it in quotes"),
        ("number: .inf", "number: .*finite"),
        ("number: .nan", "number: .*finite"),
    ],
)  # fmt: skip
def test_a_word_that_counts_as_something_else_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read(tmp_path / "params.yaml", text)


def test_what_is_meant_as_it_stands_is_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    assert read(path, "text: 'yes'").text == "yes"
    assert read(path, "text: '010'").text == "010"
    assert read(path, "flag: true").flag is True
    assert read(path, "number: 1e3").number == 1000.0
    assert read(path, "number: 0.5").number == 0.5
    assert read(path, "number: 00.5").number == 0.5
    assert read(path, "whole: 0").whole == 0
    assert read(path, "whole: 1_000").whole == 1000
    assert read(path, "number: null").number is None
    assert read(path, "numbers: [0, 1.5]").numbers == (0.0, 1.5)
