"""Ensembles of other models trained on one TS: those of a profile with them as its own, and their table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.experiments.single_ts.claims import STATISTICS
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.tables import SINGLE_TS, VARIANTS
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_table, write_table
from hessbench.verification.single_ts import write_single_ts_table
from hessbench.verification.verdicts import judge
from tests.made_up import provenance, write_made_up_run

MODEL = {"kind": "ani", "shape": "gelu", "hidden": [12, 8]}
RAW = MODEL | {"features": "raw"}
PROFILE = {"models": 3, "processes": 1, "steps": 4, "model": MODEL, "models_of_variants": 2}


def single_ts(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Path:
    """Run the command with these settings; gives the folder of its results."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("params.yaml").write_text(json.dumps({"profile": "tiny", "single_ts": PROFILE | changes}))
    result = CliRunner().invoke(cli, ["single-ts"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder / "results"


@pytest.mark.slow
def test_a_variant_is_trained_as_by_a_profile_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = single_ts(tmp_path / "with", monkeypatch, variants=[{"energy_unit": 100, "model": RAW}])
    index = read_table(found, VARIANTS)
    assert index["energy_unit"].tolist() == [30, 100]
    assert index["model"].tolist() == ["", "features raw"]
    assert index["models"].tolist() == [3, 2]
    alone = single_ts(tmp_path / "alone", monkeypatch, models=2, energy_unit=100, model=RAW)
    assert read_table(alone, VARIANTS).empty
    assert read_table(found / "single_ts_variants/1", SINGLE_TS).equals(read_table(alone, SINGLE_TS))


@pytest.mark.parametrize(
    "variants",
    [[{"energy_unit": 30}], [{"energy_unit": 100}, {"energy_unit": 100}], [{}], [{"model": MODEL}]],
)
def test_what_is_trained_already_is_refused(variants: list[dict]) -> None:
    with pytest.raises(ValueError, match="two are the same, or one is what the profile trains anyway"):
        SingleTSConfig.model_validate(PROFILE | {"variants": variants})


def energies(slope: float) -> pd.DataFrame:
    """E-F-H follows the reference, the others go on straight, with slopes of this spread."""
    generator = np.random.default_rng(0)
    path = np.linspace(-1.5, 1.5, 61)
    rows = []
    for loss in ("reference", "E", "E-F", "E-F-H"):
        for model in range(1 if loss == "reference" else 40):
            own = generator.normal(0, slope)
            energy = own * path if loss in ("E", "E-F") else -20 * path**2 + generator.normal(0, 0.01)
            rows.append(
                pd.DataFrame(
                    {"loss": loss, "model": model, "structure": range(61), "path_coordinate": path}
                ).assign(energy=energy, reason="")
            )
    return pd.concat(rows, ignore_index=True)


def test_the_table_has_the_numbers_of_the_verdicts(tmp_path: Path) -> None:
    results, made = tmp_path / "results", provenance(notes={"note": "4 steps"})
    write_made_up_run(results)
    index = pd.DataFrame([(0, 30.0, "", 40), (1, 100.0, "features raw", 40)], columns=list(VARIANTS.columns))
    write_table(results, VARIANTS, index, made)
    write_table(results, SINGLE_TS, energies(30), made)
    write_table(results / "single_ts_variants/1", SINGLE_TS, energies(300), made)
    csv, text, _ = write_single_ts_table(results=Results(results), tables=tmp_path / "tables")
    frame = pd.read_csv(csv)
    for variant, own in enumerate((Results(results), Results(results).within("single_ts_variants/1"))):
        rows = frame[frame["variant"] == variant].set_index("number")
        for claim, statistic in STATISTICS.items():
            evidence = statistic(own)
            assert rows.loc[own.published.claims[claim].statement, "text"] == judge(evidence).word
            for finding in evidence.findings:
                found = finding.estimate
                assert rows.loc[finding.label, ["value", "ci_low", "ci_high"]].astype(
                    float
                ).tolist() == pytest.approx([found.value, found.low, found.high], rel=1e-5)
    label = "spread of E-F / E-F-H, +0.25 to +0.6 amu^0.5 Angstrom from the TS"
    of_label = frame[frame["number"] == label].set_index("variant")["value"]
    assert of_label[1] == pytest.approx(10 * of_label[0], rel=1e-3)
    assert "unit 100, features raw" in text.read_text()
    assert "models of E-F-H that put most of them below" in text.read_text()
