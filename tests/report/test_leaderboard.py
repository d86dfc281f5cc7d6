"""Scores of stored predictions, and the leaderboard in a real browser."""

from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from hessbench.calculators.brought import Brought
from hessbench.calculators.card import Card
from hessbench.calculators.user_file import load_calculator
from hessbench.config.inputs import Inputs
from hessbench.data.structures import concatenate
from hessbench.errors import DataError
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.report.leaderboard import boards, write_leaderboard
from hessbench.report.score import read_scores, score_predictions, write_score
from tests.calculators.test_check import SPRINGS, springs, variant
from tests.report.browser import console, opened

NAMES = ("H2O", "CH4", "NH3", "CH3OH")
CARD = Card(
    name="<b>Soft</b> springs",
    version="1",
    authors=("A",),
    licence="MIT",
    level="springs",
    training_data="none",
)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Predictions of springs that are 4 % too soft, and fail for ammonia; with sets and errors."""
    folder = tmp_path_factory.mktemp("scored")
    data = concatenate([springs(name, 1, folder) for name in NAMES])
    sets = {"rtp": TestSet("data 1 springs abc", "springs", data)}
    softer = "self.results = {key: 0.96 * value for key, value in self.results.items()}"
    fails = "if 7 in self.atoms.numbers: raise ValueError('no nitrogen')"
    path = folder / "soft.py"
    path.write_text(SPRINGS + variant(f"{fails}\n        {softer}"))
    model = Brought("soft", partial(load_calculator, path), "springs", CARD)
    errors = evaluate_user_model(model, 80, data, sets, 1, folder, Inputs())
    return folder / "predictions/soft-80.h5", sets, errors


def test_scores_are_the_errors_of_the_run_without_the_model(scored):
    path, sets, errors = scored
    score = score_predictions(path, sets)
    found = score.sets["rtp"]
    assert (found.structures, found.failed, score.card) == (6, 2, CARD)
    expected = summarize(errors).set_index("quantity")["rmse"]
    for quantity, number in found.errors.items():
        assert number.value == pytest.approx(expected[quantity], rel=1e-9)
        assert number.low <= number.value <= number.high
    structures = sets["rtp"].structures
    kept = structures.select(np.array([0, 1, 2, 3, 6, 7]))
    # everything is 0.96 of the reference: errors of 4 % of the reference's own size
    size = np.sqrt((kept.forces.astype(float) ** 2).mean())
    assert found.errors["force"].value == pytest.approx(0.04 * size, rel=1e-3)
    assert found.curvature["lowest_overlap"].value == pytest.approx(1.0, abs=1e-3)
    assert found.curvature["imaginary_right"].value == 1.0
    assert score == score_predictions(path, sets)


def test_predictions_that_were_changed_or_are_of_other_data_are_refused(scored, tmp_path):
    path, sets, _ = scored
    other = {"rtp": TestSet("data 2 springs abc", "springs", sets["rtp"].structures)}
    with pytest.raises(DataError, match="rtp predictions are of data 1 springs abc, here are data 2"):
        score_predictions(path, other)
    changed = tmp_path / "changed.h5"
    changed.write_bytes(path.read_bytes())
    with h5py.File(changed, "r+") as file:
        file["rtp/seed-0/energies"][0] += 1e-9
    with pytest.raises(DataError, match="not what its checksum says"):
        score_predictions(changed, sets)


def test_scores_survive_their_file_and_others_are_refused(scored, tmp_path):
    path, sets, _ = scored
    score = score_predictions(path, sets)
    written = write_score(score, tmp_path)
    assert read_scores(tmp_path) == [score]
    written.write_text(written.read_text().replace('"percent": 80', '"percent": "many"'))
    with pytest.raises(DataError, match="percent: "):
        read_scores(tmp_path)


@pytest.fixture(scope="module")
def page(scored, tmp_path_factory) -> Path:
    path, sets, _ = scored
    first = score_predictions(path, sets)
    item = first.sets["rtp"]
    worse = item.errors | {"force": item.errors["force"].model_copy(update={"value": 1e4})}
    energy = worse["energy"].model_copy(update={"value": 1e-3})
    other = first.model_copy(
        update={
            "name": "other",
            "card": None,
            "level": "GFN1-xTB",
            "sets": {"rtp": item.model_copy(update={"errors": worse | {"energy": energy}, "curvature": {}})},
        }
    )
    target = tmp_path_factory.mktemp("page") / "leaderboard.html"
    assert len(boards([first, other])) == 1
    write_leaderboard([other, first], target)
    return target


def names(chrome) -> list[str]:
    return [item.text.split("\n")[0] for item in chrome.find_elements(By.CSS_SELECTOR, "tbody th")]


def test_the_page_sorts_by_mouse_and_keyboard_and_says_so(page):
    with opened(page) as chrome:
        assert names(chrome) == ["<b>Soft</b> springs", "other ‡"]  # by forces; text of cards is no markup
        mark = chrome.find_element(By.CSS_SELECTOR, "abbr").get_attribute("title")
        assert "of GFN1-xTB, the data of springs" in mark
        buttons = chrome.find_elements(By.CSS_SELECTOR, "thead button")
        buttons[2].click()  # energies
        assert names(chrome)[0] == "other ‡"
        buttons[3].send_keys(Keys.ENTER)  # forces
        assert names(chrome)[1] == "other ‡"
        chrome.switch_to.active_element.send_keys(Keys.SPACE)
        assert names(chrome)[0] == "other ‡"
        heading = buttons[3].find_element(By.XPATH, "..")
        assert heading.get_attribute("aria-sort") == "descending"
        assert "descending" in chrome.find_element(By.ID, "said").get_attribute("textContent")
        zero_point = next(item for item in buttons if "zero-point" in item.text)
        for _ in range(2):  # what is not there is last, whichever way
            zero_point.click()
            assert names(chrome)[1] == "other ‡"
        assert console(chrome) == []


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_the_page_is_no_wider_than_its_screen(page, dark):
    with opened(page, phone=True, dark=dark) as chrome:
        width, screen = chrome.execute_script("return [document.body.scrollWidth, innerWidth]")
        assert width <= screen
        chrome.find_elements(By.CSS_SELECTOR, "thead button")[2].click()
        assert names(chrome)[0] == "other ‡"
        assert console(chrome) == []
