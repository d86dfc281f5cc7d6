import base64
import io
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.interaction import POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_actions import PointerActions
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.support.ui import Select, WebDriverWait

from hessbench.errors import HessbenchError
from hessbench.experiments.stability.run.tables import TRAJECTORY
from hessbench.plotting import history
from hessbench.plotting.redraw import redraw
from hessbench.report.cells import is_number, short
from hessbench.report.content import Content, embed, gather
from hessbench.report.molecules import reaction_paths, trajectories
from hessbench.report.page import render, script_data, write_report
from hessbench.report.provenance import duration, results_tables, stage_times, time_spent
from hessbench.results import reproduce
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_provenance, write_table
from hessbench.training.loss import TARGETS
from hessbench.verification.verdicts import VERDICTS
from tests.report.browser import PHONE, console, opened

VOID = {"meta", "link", "img", "input", "br"}


class Reader(HTMLParser):
    """Collects attributes, and checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def figures(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One figure, and that, small, under the names of all others but one: drawing them would take long."""
    folder = tmp_path_factory.mktemp("figures")
    png, _ = redraw("s2", synthetic, folder)
    with Image.open(png) as picture:
        small, described = picture.resize((300, 200)), PngInfo()
        described.add_itxt("Description", picture.info["Description"])
    for name in set(reproduce.available("figure")) - {"s1", "s2"}:
        small.save(folder / f"figure-{name}.png", pnginfo=described)
    return folder


@pytest.fixture(scope="module")
def content(synthetic: Path, figures: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    tables = tmp_path_factory.mktemp("tables")
    shutil.copy(synthetic / "tables/verdicts.csv", tables)
    for name in ("s1", "ts_search"):
        reproduce.load("table", name).make(results=Results(synthetic / "results"), tables=tables)
    archived = pd.read_csv(synthetic / "tables/verdicts.csv", dtype=str, keep_default_na=False)[1:]
    archived.assign(verdict="direction only", reproduced="123.4").to_csv(tables / "archived.csv", index=False)
    return gather(synthetic, figures, tables, tables / "archived.csv")


@pytest.fixture(scope="module")
def page(content: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "deep" / "index.html"
    write_report(content, path)
    return path


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text())
    assert reader.open == []
    return reader


def test_nothing_comes_from_outside(page: Path) -> None:
    for tag, attributes in read(page).elements:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name)
            if value is not None:
                assert value.startswith(("#", "data:")), (tag, name, value[:80])
    style = re.search(r"<style>(.*?)</style>", page.read_text(), re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_ids_are_unique_and_links_lead_somewhere(page: Path) -> None:
    elements = read(page).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in elements if tag == "a"}
    assert {str(link).removeprefix("#") for link in links} <= set(ids)
    assert all(attributes.get("alt") is not None for tag, attributes in elements if tag == "img")


def test_every_figure_and_table_has_its_place(content: Content, page: Path) -> None:
    text = page.read_text()
    for name in reproduce.available("figure"):
        assert f'id="figure-{name}"' in text
        assert f"<code>hessbench figure {name}</code>" in text
        assert f"reproduce/figure_{name}.py" in text
    for name in reproduce.available("table"):
        assert f"<code>hessbench table {name}</code>" in text
    for claim in content.claims:
        assert claim["verdict"] in VERDICTS
        assert claim["quote"] in text
    for verdict in VERDICTS:
        assert f"{sum(claim['verdict'] == verdict for claim in content.claims)} {verdict}</span>" in text
    assert len(content.claims) == len(read_published().claims)
    assert "rtp 1.0 GFN2-xTB 0123456789ab" in text
    assert "2 x made-up core, 8 GiB" in text


def test_time_spent_is_that_of_trainings_and_experiments(content: Content) -> None:
    """21 ensembles of 3 models, 30 epochs of 2 s; every table carries the same 12.5 s, as of one command."""
    assert content.time.startswith("training 63.0 min (sum over all models of 21 ensembles)")
    assert "experiments 12 s" in content.time


def test_times_of_a_matrix_are_added_up(tmp_path: Path) -> None:
    assert stage_times(tmp_path) == []
    (tmp_path / "stage-times.csv").write_text(
        "stage,seconds,processor_seconds,ended\n"
        "train@e-80,60.0,120.0,2026-01-01T00:00:00+00:00\n"
        "train@ef-80,90.0,150.0,2026-01-01T00:01:30+00:00\n"
        "neb,30.0,45.0,2026-01-01T00:02:00+00:00\n"
    )
    assert stage_times(tmp_path) == [
        {"stage": "train", "runs": 2, "minutes": 2.5, "processor_minutes": 4.5},
        {"stage": "neb", "runs": 1, "minutes": 0.5, "processor_minutes": 0.75},
    ]


def test_a_history_without_times_is_named(synthetic: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(synthetic, root)
    path = root / "models/80/efh/history.csv"
    path.write_text(path.read_text().replace("training_seconds", "s"))
    results = Results(root / "results")
    spent = time_spent(results, results_tables(results))
    assert "80/efh/history.csv, column training_seconds" in spent
    assert "20 ensembles" in spent


def test_learning_curves_have_the_columns_that_training_writes() -> None:
    assert {quantity: target.column for quantity, target in TARGETS.items()} == history.COLUMNS


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (119.0, "119 s"), (120.0, "2.0 min"), (7200.0, "2.0 h")]
)
def test_times_are_shown_in_a_unit_that_suits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_what_is_not_there_is_said_in_its_place(content: Content) -> None:
    figures = {figure.name: figure for figure in content.figures}
    assert figures["s2"].image.startswith("data:image/webp;base64,")
    assert not figures["s2"].missing
    assert "has not been drawn" in figures["s1"].missing
    tables = {table.name: table for table in content.paper_tables}
    assert not tables["s1"].missing
    assert "table-2.csv: does not exist" in tables["2"].missing


@pytest.mark.slow
def test_a_table_that_a_profile_need_not_have_is_left_out_where_it_is_not(
    content: Content, synthetic: Path, tmp_path: Path
) -> None:
    assert any(table.name == "ts_search" and not table.missing for table in content.paper_tables)
    bare = gather(synthetic, tmp_path / "figures", tmp_path / "tables")
    assert {table.name for table in content.paper_tables} - {table.name for table in bare.paper_tables} == {
        "ts_search"
    }
    assert "hessbench table ts_search" not in render(bare)


def test_an_experiment_that_was_not_run_is_named(synthetic: Path, figures: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(synthetic, root)
    shutil.copytree(figures, tmp_path / "figures")
    for name in ("4", "5", "s3"):  # the reason that there is none is that it cannot be drawn
        (tmp_path / f"figures/figure-{name}.png").unlink()
    for name in ("spectra", "neb_geometry", "stability_trajectory"):
        (root / f"results/{name}.parquet").unlink()
    shutil.rmtree(root / "models")
    content = gather(root, tmp_path / "figures", tmp_path / "tables")
    figures = {figure.name: figure.missing for figure in content.figures}
    assert "spectra.parquet does not exist" in figures["5"]
    assert "neb_geometry.parquet does not exist" in figures["4"]
    assert "models" in figures["s3"]
    assert content.paths == content.trajectories == []
    text = render(content)
    for reason in (content.paths_missing, content.curves_missing, content.claims_missing):
        assert reason
        assert reason in text.replace("&#39;", "'").replace("&gt;", ">")


@pytest.mark.slow
def test_a_figure_of_another_run_is_not_shown(synthetic: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    png, _ = redraw("s2", synthetic, figures)
    root = tmp_path / "run"
    shutil.copytree(synthetic / "results", root / "results")
    run = root / "results/run.json"
    run.write_text(run.read_text().replace("synthetic", "desktop"))
    content = gather(root, figures, tmp_path)
    assert "drawn from other results" in {figure.name: figure.missing for figure in content.figures}["s2"]
    run.write_text(run.read_text().replace("desktop", "synthetic").replace("rtp 1.0", "rtp 2.0"))
    content = gather(root, figures, tmp_path)
    assert "drawn from other results" in {figure.name: figure.missing for figure in content.figures}["s2"]
    png.write_bytes(b"no image")
    content = gather(root, figures, tmp_path)
    assert "is no image" in {figure.name: figure.missing for figure in content.figures}["s2"]


def test_verdicts_at_the_papers_size_lead_and_stand_beside_those_of_the_run(
    content: Content, synthetic: Path, tmp_path: Path
) -> None:
    text = render(content)
    header = text[: text.index("</header>")]
    assert header.index("At the paper's size") < header.index("This run")
    assert f"{len(content.claims) - 1} direction only</span>" in header
    assert f"of {len(content.claims) - 1} claims" in header
    assert text.count("123.4") == len(content.claims) - 1
    assert "At the paper's size" not in render(replace(content, paper_size={}))
    with pytest.raises(HessbenchError, match=r"absent\.csv: does not exist"):
        gather(synthetic, tmp_path, synthetic / "tables", tmp_path / "absent.csv")


def test_without_a_run_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(HessbenchError, match=r"run\.json"):
        gather(tmp_path, tmp_path, tmp_path)


def test_movies_keep_distances(synthetic: Path) -> None:
    movies = reaction_paths(Results(synthetic / "results"))
    assert movies[0]["title"].endswith("reference")
    assert {len(movie["frames"]) for movie in movies} == {58}
    assert {len(frame) for movie in movies for frame in movie["frames"]} == {24}
    assert json.loads(script_data(movies)) == movies


def test_the_trajectory_that_lasted_longest_comes_first_and_says_how_it_ended(
    synthetic: Path, tmp_path: Path
) -> None:
    root = tmp_path / "run"
    shutil.copytree(synthetic / "results", root / "results")
    path = root / "results/stability_trajectory.parquet"
    table = pd.read_parquet(path)
    short_one = table[table["frame"] < 2].assign(loss="E")
    write_table(root / "results", TRAJECTORY, pd.concat([short_one, table]), read_provenance(path))
    movies = trajectories(Results(root / "results"))
    assert [len(movie["frames"]) for movie in movies] == [40, 2]
    runs = pd.read_parquet(root / "results/stability.parquet").set_index(["molecule", "loss", "seed"])
    assert movies[0]["title"].startswith("ethanol, E-F-H, model 0: ")
    words = {"failed": "broken", "censored": "whole at the highest temperature"}
    for movie, loss in zip(movies, ("E-F-H", "E"), strict=True):
        ended = runs.loc[("ethanol", loss, 0), "status"]
        assert movie["title"].endswith(words[ended])


def test_data_cannot_end_its_script_element() -> None:
    assert "</script>" not in script_data({"title": "</script><script>alert(1)</script>"})


def test_embedded_pictures_are_the_original() -> None:
    picture = Image.effect_noise((2100, 300), 60).convert("RGB")
    picture.putpixel((5, 5), (230, 159, 0))
    with Image.open(io.BytesIO(base64.b64decode(embed(picture).partition(",")[2]))) as same:
        assert same.convert("RGB").tobytes() == picture.tobytes()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.76 ± 0.63", True),
        ("[4.07, 8.21]", True),
        ("≥ 1500", True),
        ("−12", True),
        ("E-F", False),
        ("", False),
    ],
)
def test_cells_with_numbers_are_known(text: str, number: int) -> None:
    assert is_number(text) == number


def test_a_table_is_that_of_its_csv_file(content: Content, page: Path) -> None:
    table = next(table for table in content.paper_tables if table.name == "s1")
    assert table.header[:4] == ["molecule", "loss", "rate k per ps", "temperature k"]
    assert "data" not in table.header
    assert len(table.rows) == 41  # three losses and the reference for ten molecules, and one at another rate
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "1.012e+06" not in page.read_text()
    assert {"1012000", "aspirin", "E-F-H"} <= {cell for row in table.rows for cell in row}
    assert table.note == "Data: rtp 1.0 GFN2-xTB 0123456789ab."
    assert table.note in page.read_text()


@pytest.mark.parametrize(
    ("text", "shown"), [("0.37612", "0.3761"), ("12", "12"), ("35087", "35087"), ("E-F", "E-F"), ("", "")]
)
def test_numbers_are_shown_short(text: str, shown: str) -> None:
    assert short(text) == shown


def pixels(chrome: Chrome) -> str:
    return chrome.execute_script("return document.querySelector('.scene').toDataURL()")


def style(chrome: Chrome, name: str) -> str:
    return chrome.execute_script(f"return getComputedStyle(document.body).{name}")


def overflow(chrome: Chrome) -> int:
    """Pixels by which the page is wider than the window."""
    return chrome.execute_script("return document.documentElement.scrollWidth - innerWidth")


def fingers(chrome: Chrome, *paths: list[tuple[int, int]]) -> None:
    """Move fingers over the molecule side by side; places are from its middle."""
    scene = chrome.find_element("css selector", ".scene")
    chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", scene)
    builder = ActionBuilder(chrome, mouse=PointerInput(POINTER_TOUCH, "finger 0"), duration=20)
    hands = [builder.pointer_action]
    for k in range(1, len(paths)):
        hands.append(PointerActions(builder.add_pointer_input(POINTER_TOUCH, f"finger {k}"), duration=20))
    for hand, path in zip(hands, paths, strict=True):
        hand.move_to(scene, *path[0]).pointer_down()
        for x, y in path[1:]:
            hand.move_to(scene, x, y)
        hand.pointer_up()
    builder.perform()


def test_the_page_works_with_the_keyboard(page: Path) -> None:
    with opened(page) as chrome:
        assert chrome.execute_script("return document.documentElement.dataset.ready") == "true"
        scene = chrome.find_element("css selector", ".scene")
        start = pixels(chrome)
        scene.send_keys(Keys.ARROW_LEFT)
        assert chrome.switch_to.active_element == scene
        turned = pixels(chrome)
        assert turned != start
        scene.send_keys("+")
        assert pixels(chrome) != turned
        scene.send_keys("0")
        assert pixels(chrome) == start
        slider = chrome.find_element("css selector", ".viewer input")
        slider.send_keys(Keys.ARROW_RIGHT * 30)
        caption = chrome.find_element("css selector", ".caption").text
        assert re.fullmatch(r"image 30: -?\d+\.\d kcal/mol", caption)
        chrome.find_element("css selector", ".zoom").send_keys(Keys.ENTER)
        dialog = chrome.find_element("id", "large")
        assert dialog.is_displayed()
        chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert not dialog.is_displayed()
        assert style(chrome, "backgroundColor") == "rgb(255, 255, 255)"
        assert overflow(chrome) <= 0
        assert console(chrome) == []


def test_a_movie_plays_and_another_can_be_chosen(page: Path) -> None:
    with opened(page) as chrome:
        button = chrome.find_element("css selector", ".play")
        caption = chrome.find_element("css selector", ".caption")
        first = caption.text
        button.send_keys(Keys.ENTER)
        WebDriverWait(chrome, 20).until(lambda _: caption.text != first)
        button.send_keys(Keys.ENTER)
        assert button.text == "Play"
        start = pixels(chrome)
        Select(chrome.find_element("css selector", ".viewer select")).select_by_index(1)
        assert pixels(chrome) != start
        assert console(chrome) == []


def test_the_page_works_on_a_phone_in_the_dark(page: Path) -> None:
    with opened(page, phone=True, dark=True) as chrome:
        assert chrome.execute_script("return innerWidth") == PHONE["width"]
        assert overflow(chrome) <= 0
        assert style(chrome, "backgroundColor") == "rgb(20, 23, 26)"
        start = pixels(chrome)
        fingers(chrome, [(-60, 0), (0, 20), (60, 40)])
        turned = pixels(chrome)
        assert turned != start
        fingers(chrome, [(-20, 0), (-60, 0)], [(20, 0), (60, 0)])
        assert pixels(chrome) != turned
        assert console(chrome) == []


def test_a_broken_script_would_be_noticed(page: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text(page.read_text().replace('"use strict";', '"use strict"; undefinedFunction();'))
    with opened(path) as chrome:
        assert any("undefinedFunction" in line for line in console(chrome))


def test_a_table_without_rows_is_shown(content: Content) -> None:
    empty = [replace(item, rows=[]) for item in content.paper_tables]
    assert "<thead>" in render(replace(content, paper_tables=empty))
