"""CITATION.cff, codemeta.json, .zenodo.json and pyproject.toml say the same."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

import hessbench

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def codemeta() -> dict:
    return json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def zenodo() -> dict:
    return json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))


def test_version(project: dict, citation: dict, codemeta: dict, zenodo: dict) -> None:
    versions = {str(item["version"]) for item in (project, citation, codemeta, zenodo)}
    assert versions == {hessbench.__version__}


def test_licence(project: dict, citation: dict, codemeta: dict, zenodo: dict) -> None:
    assert citation["license"] == zenodo["license"] == project["license"]
    assert codemeta["license"] == f"https://spdx.org/licenses/{project['license']}"


def test_title_and_name(project: dict, citation: dict, codemeta: dict, zenodo: dict) -> None:
    assert citation["title"] == zenodo["title"] == codemeta["description"]
    assert citation["title"].startswith(f"{project['name']}: ")
    assert codemeta["name"] == project["name"]


def test_authors_and_keywords(citation: dict, codemeta: dict, zenodo: dict) -> None:
    names = [author["name"] for author in citation["authors"]]
    assert [author["name"] for author in codemeta["author"]] == names
    assert [author["name"] for author in zenodo["creators"]] == names
    assert citation["keywords"] == codemeta["keywords"] == zenodo["keywords"]


def test_the_paper(citation: dict, codemeta: dict, zenodo: dict) -> None:
    paper = citation["preferred-citation"]
    assert codemeta["referencePublication"]["id"] == f"https://doi.org/{paper['doi']}"
    assert codemeta["referencePublication"]["name"] == paper["title"]
    supplemented = {item["identifier"]: item["relation"] for item in zenodo["related_identifiers"]}
    assert supplemented[paper["doi"]] == "isSupplementTo"
    assert set(supplemented) == {paper["doi"], *(item["doi"] for item in citation["references"])}
    families = [author["family-names"] for author in paper["authors"]]
    assert families == ["Rodriguez", "Smith", "Mendoza-Cortes"]
