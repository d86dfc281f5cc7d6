from pathlib import Path

import pytest

from hessbench.system.sources import code_digest, files_digest, folders

FILES = {
    "hessbench/__init__.py": "from hessbench.front import x",
    "hessbench/front.py": "from hessbench.low import y",
    "hessbench/low/__init__.py": "",
    "hessbench/cli/__init__.py": "import hessbench.other",
    "hessbench/cli/train.py": "from hessbench.training.loop import train",
    "hessbench/training/__init__.py": "",
    "hessbench/training/loop.py": "import numpy\nimport hessbench.potential.ani as ani",
    "hessbench/training/settings.py": "def load():\n    from hessbench.data import layout",
    "hessbench/potential/__init__.py": "",
    "hessbench/potential/ani/__init__.py": "from hessbench.front import x",
    "hessbench/potential/ani/kernel.c": "int x;",
    "hessbench/data/__init__.py": "",
    "hessbench/data/layout.py": "",
    "hessbench/other/__init__.py": "",
    "hessbench/experiments/__init__.py": "import hessbench.other",
    "hessbench/experiments/neb/__init__.py": "import hessbench.other",
    "hessbench/experiments/neb/plot.py": "import hessbench.other",
    "hessbench/experiments/neb/run/__init__.py": "",
    "hessbench/experiments/neb/run/bands.py": "import hessbench.data.layout\nimport hessbench.data",
    "reproduce/figure_1.py": "from hessbench.experiments.neb import plot",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_folders_follow_imports_wherever_they_stand(root: Path) -> None:
    training = ["hessbench/data", "hessbench/low", "hessbench/potential/ani", "hessbench/training"]
    assert folders("hessbench.training", root=root) == training
    assert folders("hessbench.cli.train", root=root) == training


def test_what_stands_further_up_is_not_followed(root: Path) -> None:
    assert folders("hessbench.experiments.neb.run", root=root) == [
        "hessbench/data",
        "hessbench/experiments/neb/run",
    ]


def test_a_folder_inside_another_is_not_named_again(root: Path) -> None:
    found = folders("hessbench.potential", "reproduce.figure_1", root=root)
    assert "hessbench/potential" in found
    assert "hessbench/potential/ani" not in found
    assert {"reproduce", "hessbench/experiments/neb", "hessbench/other"} <= set(found)
    assert "hessbench/experiments/neb/run" not in found


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("hessbench/data/layout.py", True),
        ("hessbench/training/added.py", True),
        ("hessbench/potential/ani/kernel.c", True),
        ("hessbench/other/__init__.py", False),
        ("hessbench/cli/train.py", False),
        ("hessbench/training/__pycache__/loop.pyc", False),
        ("hessbench/training/.loop.py.swp", False),
    ],
)
def test_an_edit_changes_the_digest_of_what_depends_on_it(root: Path, name: str, matters: bool) -> None:
    before = code_digest("hessbench.training", root=root)
    assert code_digest("hessbench.training", root=root) == before
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("# edited")
    assert (code_digest("hessbench.training", root=root) != before) == matters


def test_a_removed_file_changes_the_digest(root: Path) -> None:
    before = code_digest("hessbench.training", root=root)
    (root / "hessbench/potential/ani/kernel.c").unlink()
    assert code_digest("hessbench.training", root=root) != before


def test_training_knows_nothing_of_readers_plots_and_the_command_line() -> None:
    found = folders("hessbench.training")
    assert {"hessbench/training", "hessbench/data", "hessbench/units"} <= set(found)
    others = ("hessbench", "hessbench/cli", "hessbench/formats", "hessbench/plotting", "hessbench/results")
    assert not set(others) & set(found)


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("hessbench/training/loop.py", True),
        ("hessbench/training/added.py", True),
        ("hessbench/data/layout.py", True),
        ("hessbench/potential/ani/__init__.py", False),
        ("hessbench/data/__init__.py", False),
    ],
)
def test_a_digest_of_files_is_of_these_alone(root: Path, name: str, matters: bool) -> None:
    places = "hessbench/training", "hessbench/data/layout.py"
    before = files_digest(*places, root=root)
    (root / name).write_text("# edited")
    assert (files_digest(*places, root=root) != before) == matters
