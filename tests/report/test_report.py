import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from hessbench import artefacts
from hessbench.errors import HessbenchError
from hessbench.plotting import history
from hessbench.plotting.redraw import redraw
from hessbench.plotting.source import Source
from hessbench.report.content import Content, duration, embed, gather, short
from hessbench.report.molecules import reaction_paths
from hessbench.report.page import render, script_data, write_report
from hessbench.training import loop
from tests.report.browser import open_page

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
def content(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    figures, tables = tmp_path_factory.mktemp("figures"), tmp_path_factory.mktemp("tables")
    png, _ = redraw("s2", synthetic, figures)
    for name in set(artefacts.available("figure")) - {"s1", "s2"}:  # drawing all of them would take long
        shutil.copy(png, figures / f"figure-{name}.png")
    shutil.copy(synthetic / "tables/verdicts.csv", tables)
    artefacts.load("table", "s1").make(results=synthetic / "results", tables=tables)
    return gather(synthetic, figures, tables)


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


def test_every_artefact_has_its_place(content: Content, page: Path) -> None:
    text = page.read_text()
    for name in artefacts.available("figure"):
        assert f'id="figure-{name}"' in text
        assert f"<code>hessbench figure {name}</code>" in text
        assert f"reproduce/figure_{name}.py" in text
    for name in artefacts.available("table"):
        assert f"<code>hessbench table {name}</code>" in text
    for claim in content.claims:
        assert claim["verdict"] in ("reproduced", "not reproduced", "undecided")
    assert len(content.claims) == len(Source().published.claims)
    assert "rtp 1.0 GFN2-xTB 0123456789ab" in text
    assert "2 x made-up core, 8 GiB" in text


def test_time_spent_is_that_of_trainings_and_experiments(content: Content) -> None:
    """21 ensembles of 3 models, 30 epochs of 2 s; every table carries the same 12.5 s, as of one command."""
    assert content.time.startswith("training 63.0 min (sum over all models of 21 ensembles)")
    assert "experiments 12 s" in content.time


def test_a_history_without_times_is_named(synthetic: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(synthetic, root)
    path = root / "models/efh-80/history.csv"
    path.write_text(path.read_text().replace("training_seconds", "s"))
    content = gather(root, tmp_path, tmp_path)
    assert "efh-80/history.csv, column training_seconds" in content.time
    assert "20 ensembles" in content.time


def test_learning_curves_have_the_columns_that_training_writes() -> None:
    assert history.COLUMNS == loop.COLUMNS


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (119.0, "119 s"), (120.0, "2.0 min"), (7200.0, "2.0 h")]
)
def test_times_are_shown_in_a_unit_that_suits(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_what_is_not_there_is_said_in_its_place(content: Content) -> None:
    figures = {figure.name: figure for figure in content.figures}
    assert figures["s2"].image.startswith("data:image/png;base64,")
    assert not figures["s2"].missing
    assert "has not been drawn" in figures["s1"].missing
    tables = {table.name: table for table in content.paper_tables}
    assert not tables["s1"].missing
    assert "table-2.csv does not exist" in tables["2"].missing


def test_an_experiment_that_was_not_run_is_named(synthetic: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(synthetic, root)
    for name in ("spectra", "neb_geometry", "stability_trajectory"):
        (root / f"results/{name}.parquet").unlink()
    shutil.rmtree(root / "models")
    content = gather(root, tmp_path / "figures", tmp_path / "tables")
    figures = {figure.name: figure.missing for figure in content.figures}
    assert "spectra.parquet: does not exist" in figures["5"]
    assert "neb_geometry.parquet: does not exist" in figures["4"]
    assert "models" in figures["s3"]
    assert content.paths == content.trajectories == []
    text = render(content)
    for reason in (content.paths_missing, content.curves_missing, content.claims_missing):
        assert reason
        assert reason in text.replace("&#39;", "'").replace("&gt;", ">")


def test_a_figure_of_another_run_is_not_shown(synthetic: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    png, _ = redraw("s2", synthetic, figures)
    root = tmp_path / "run"
    shutil.copytree(synthetic / "results", root / "results")
    run = root / "results/run.json"
    run.write_text(run.read_text().replace("synthetic", "desktop"))
    content = gather(root, figures, tmp_path)
    assert "drawn from other results" in {figure.name: figure.missing for figure in content.figures}["s2"]
    png.write_bytes(b"no image")
    content = gather(root, figures, tmp_path)
    assert "is no image" in {figure.name: figure.missing for figure in content.figures}["s2"]


def test_without_a_run_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(HessbenchError, match=r"run\.json"):
        gather(tmp_path, tmp_path, tmp_path)


def test_movies_keep_distances(synthetic: Path) -> None:
    movies = reaction_paths(Source(synthetic))
    assert movies[0]["title"].endswith("reference")
    assert {len(movie["frames"]) for movie in movies} == {58}
    assert {len(frame) for movie in movies for frame in movie["frames"]} == {24}
    assert json.loads(script_data(movies)) == movies


def test_data_cannot_end_its_script_element() -> None:
    assert "</script>" not in script_data({"title": "</script><script>alert(1)</script>"})


def test_embedded_pictures_are_small_and_like_the_original() -> None:
    picture = Image.linear_gradient("L").resize((3000, 1000)).convert("RGB")
    with Image.open(io.BytesIO(base64.b64decode(embed(picture).partition(",")[2]))) as small:
        assert small.size == (1500, 500)
        middle = small.convert("RGB").getpixel((750, 250))
    assert middle == pytest.approx(picture.getpixel((1500, 500)), abs=4)


@pytest.mark.parametrize(
    ("text", "shown"), [("0.37612", "0.3761"), ("12", "12"), ("35087", "35087"), ("E-F", "E-F"), ("", "")]
)
def test_numbers_are_shown_short(text: str, shown: str) -> None:
    assert short(text) == shown


PROBE = """
<script>
document.addEventListener("DOMContentLoaded", () => {
  const say = (key, value) => document.body.setAttribute("data-" + key, String(value));
  const scene = document.querySelector(".scene");
  const pixels = () => scene.toDataURL();
  const before = pixels();
  scene.focus();
  say("focus", document.activeElement === scene);
  scene.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true, cancelable: true}));
  const turned = pixels();
  say("keyboard", turned !== before);
  scene.dispatchEvent(new KeyboardEvent("keydown", {key: "0", bubbles: true, cancelable: true}));
  say("reset", pixels() === before);
  scene.setPointerCapture = () => {};
  const touch = (type, id, x, y) =>
    scene.dispatchEvent(
      new PointerEvent(type, {pointerId: id, pointerType: "touch", clientX: x, clientY: y}));
  touch("pointerdown", 1, 100, 100);
  touch("pointermove", 1, 160, 120);
  say("touch", pixels() !== before);
  touch("pointerdown", 2, 200, 200);
  const single = pixels();
  touch("pointermove", 2, 300, 300);
  say("pinch", pixels() !== single);
  const slider = document.querySelector(".viewer input");
  slider.value = 30;
  slider.dispatchEvent(new Event("input"));
  say("caption", document.querySelector(".caption").textContent);
  document.querySelector(".zoom").click();
  say("dialog", document.getElementById("large").open);
  document.getElementById("large").close();
  say("ground", getComputedStyle(document.body).backgroundColor);
  say("overflow", document.documentElement.scrollWidth - window.innerWidth);
  say("ready", document.documentElement.dataset.ready);
});
</script>
"""


def probed(page: Path, target: Path) -> Path:
    path = target / "probed.html"
    path.write_text(page.read_text().replace("</head>", PROBE + "</head>"))
    return path


def answers(dom: str) -> dict[str, str]:
    body = re.search(r"<body([^>]*)>", dom)
    assert body
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', body[1]))


def test_the_page_works_in_a_browser(page: Path, tmp_path: Path) -> None:
    shown = open_page(probed(page, tmp_path), tmp_path / "profile")
    assert shown.console == []
    found = answers(shown.dom)
    for key in ("focus", "keyboard", "reset", "touch", "pinch", "dialog", "ready"):
        assert found[key] == "true", (key, found)
    assert re.fullmatch(r"image 30: -?\d+\.\d kcal/mol", found["caption"])
    assert found["ground"] == "rgb(255, 255, 255)"
    assert int(found["overflow"]) <= 0


def test_the_page_fits_a_phone_in_the_dark(page: Path, tmp_path: Path) -> None:
    shown = open_page(probed(page, tmp_path), tmp_path / "profile", width=500, height=900, dark=True)
    assert shown.console == []
    found = answers(shown.dom)
    assert int(found["overflow"]) <= 0
    assert found["ground"] == "rgb(20, 23, 26)"


def test_a_broken_script_would_be_noticed(page: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text(page.read_text().replace('"use strict";', '"use strict"; undefinedFunction();'))
    assert any("undefinedFunction" in line for line in open_page(path, tmp_path / "profile").console)
