"""The hooks before a commit are those of `make lint`, and they fetch nothing."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_hooks_are_the_programs_of_make_lint_in_the_projects_environment() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    run = {hook["entry"].replace(" --force-exclude", "").removeprefix(".venv/bin/") for hook in hooks}
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    lines = [line.strip().removeprefix("$(BIN)/").removesuffix(" .") for line in lint.splitlines()[1:]]
    assert run == set(lines)
