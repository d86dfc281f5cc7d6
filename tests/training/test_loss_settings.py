"""Losses in a profile: what is allowed, what they are called, and which place an error names."""

import pytest
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.config import paper
from hessbench.config.base import validate
from hessbench.errors import ConfigurationError
from hessbench.training.settings import PAPER_LOSSES, TrainingConfig, labels_of
from tests.training.synthetic import loss_of, training_config

ENERGY = {"quantity": "energy", "weight": 1}
HESSIAN = {"quantity": "hessian", "weight": 0.02}


def refusal(losses: object) -> str:
    """What is said of these losses."""
    content = training_config().model_dump(mode="json") | {"losses": losses}
    with pytest.raises(ConfigurationError) as caught:
        validate(TrainingConfig, content, source="params.yaml", prefix="training")
    return str(caught.value)


def test_losses_of_the_paper_have_its_weights() -> None:
    weights = {name: [term.weight for term in loss.terms] for name, loss in PAPER_LOSSES.items()}
    eta_f, eta_h = paper.FORCE_WEIGHT, paper.HESSIAN_WEIGHT
    assert weights == {"e": [1], "ef": [1, eta_f], "efh": [1, eta_f, eta_h]}


def test_any_name_is_a_loss_and_labels_follow_it() -> None:
    own = {"heavy-h_2": loss_of(1, 0, 3), "rows": loss_of(1, 0, 1).model_copy(update={"label": "E-H (rows)"})}
    config = training_config(losses={**PAPER_LOSSES, "efhvp": loss_of(), **own})
    labels = ["E", "E-F", "E-F-H", "E-F-HVP", "heavy-h_2", "E-H (rows)"]
    assert list(labels_of(config.losses).values()) == labels


@pytest.mark.parametrize(
    ("losses", "place"),
    [
        ({"E": {"terms": [ENERGY]}}, "training.losses.E: "),
        ({"mine": {"terms": []}}, "training.losses.mine.terms: "),
        ({"mine": {"terms": [ENERGY, {**ENERGY, "quantity": "charge"}]}}, "losses.mine.terms[1].quantity: "),
        ({"mine": {"terms": [{**ENERGY, "weight": 0}]}}, "training.losses.mine.terms[0].weight: "),
        ({"mine": {"terms": [ENERGY, ENERGY]}}, "training.losses.mine.terms: "),
        ({"mine": {"terms": [{**ENERGY, "estimator": "rows"}]}}, "losses.mine.terms[0].estimator: "),
        ({"mine": {"terms": [{**HESSIAN, "estimator": "rows"}]}}, "losses.mine.terms[0].count: "),
        ({"mine": {"terms": [{**HESSIAN, "count": 2}]}}, "losses.mine.terms[0].count: "),
        (
            {"mine": {"terms": [{**HESSIAN, "kind": "exact"}]}},
            "terms[0].kind: unknown key; expected one of qu",
        ),
        (
            {"mine": {"force": 0.08, "terms": [ENERGY]}},
            "mine.force: unknown key; expected one of label",
        ),
        ({"mine": {"label": "", "terms": [ENERGY]}}, "training.losses.mine.label: "),
        ({"mine": {"label": "E-F", "terms": [ENERGY]}}, "mine.label: 'E-F' is the label of another"),
        ({"reference": {"terms": [ENERGY]}}, "reference.label: 'reference' is the label of another"),
        ({"efh": {"label": "mine", "terms": [ENERGY]}}, "efh.label: this loss is E-F-H"),
        ({}, "training.losses: "),
    ],
)
def test_an_error_names_its_place(losses: object, place: str) -> None:
    assert place in refusal(losses)


def test_the_command_line_offers_the_losses_of_params_yaml(tmp_path, monkeypatch) -> None:
    import yaml

    monkeypatch.chdir(tmp_path)
    config = training_config(losses={"e": loss_of(), "mine": loss_of(1, 2)}).model_dump(mode="json")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"training": config}))
    for command in ("train", "evaluate", "correlation"):
        result = CliRunner().invoke(cli, [command, "--loss", "efh", "--percent", "80"])
        assert result.exit_code == 2
        assert "there are e, mine" in result.output
