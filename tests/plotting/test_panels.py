import numpy as np
import pandas as pd
import pytest
from ase.build import molecule

from hessbench.experiments.errors.plot import cost_ratios
from hessbench.experiments.single_ts import plot as single_ts
from hessbench.plotting import figure as whole
from hessbench.plotting import molecule as drawing
from hessbench.plotting import network, style
from hessbench.potential.ani.diagram import diagram

ANI_1X = {
    "elements": ["H", "C", "N", "O"],
    "hidden": [[160, 128, 96], [144, 112, 96], [128, 112, 96], [128, 112, 96]],
    "activation": "celu",
    "biases": True,
    "symmetry_functions": {
        "radial_shifts": list(range(16)),
        "angular_shifts": list(range(4)),
        "angular_sections": list(range(8)),
    },
}


def test_ani_1x_has_the_published_sizes() -> None:
    networks = diagram({"architecture": ANI_1X})
    assert (networks.radial, networks.angular) == (64, 320)
    assert network.widths(networks, "O") == [384, 128, 112, 96, 1]
    # 384 x 160 + 160 + 160 x 128 + 128 + 128 x 96 + 96 + 96 + 1
    assert network.parameters(networks, "H") == 94689


def test_looks_differ_and_stay() -> None:
    names = ["E", "E-F", "E-F-H", "E-F-HVP", "mine", "yours"]
    looks = [style.style_of(name, names) for name in names]
    assert len({look.color for look in looks}) == len({look.marker for look in looks}) == len(names)
    assert style.in_order(["mine", "E-F-H", "reference", "E", "E"]) == ["E", "E-F-H", "mine"]
    assert [style.published_key(name) for name in names] == ["e", "ef", "efh", None, None, None]


def test_the_view_keeps_distances_and_lays_the_molecule_flat() -> None:
    benzene = molecule("C6H6").get_positions()
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    first, second = drawing.common_view([benzene @ rotation, benzene + 3.0])
    distances = np.linalg.norm(benzene[:, None] - benzene, axis=-1)
    for seen in (first, second):
        np.testing.assert_allclose(np.linalg.norm(seen[:, None] - seen, axis=-1), distances, atol=1e-8)
    np.testing.assert_allclose(first, second, atol=1e-8)
    assert np.ptp(first[:, 2]) < 1e-8


def test_a_mirror_image_is_not_turned_into_its_original() -> None:
    chiral = molecule("CH3CHO").get_positions() + np.eye(7, 3) * 0.3
    first, second = drawing.common_view([chiral, chiral * [1, 1, -1]])
    assert np.abs(first - second).max() > 0.1


def test_nearest_structures_are_the_nearest_in_path_order() -> None:
    path = pd.DataFrame(
        {"structure": range(5), "path_coordinate": [-2.0, -0.1, 0.0, 0.3, 1.0], "energy": 0.0}
    )
    assert single_ts.nearest(path, 3)["structure"].tolist() == [1, 2, 3]


def test_cost_ratio_is_that_of_the_largest_common_training_set() -> None:
    rows = [
        ("E-F", "exact", 10, 1.0),
        ("E-F-H", "exact", 10, 3.0),
        ("E-F", "exact", 80, 2.0),
        ("E-F-H", "exact", 80, 9.0),
    ]
    summary = pd.DataFrame(rows, columns=["loss", "engine", "percent", "mean"])
    assert cost_ratios(summary) == {"exact": pytest.approx(4.5)}


def test_last_bits_of_a_layout_do_not_reach_a_file() -> None:
    contents = set()
    for last_bits in (0, 1e-13):
        figure = whole.new_figure(3, 2)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1])
        figure.suptitle("a line")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left + last_bits, bottom, width - last_bits, height))
        whole.settle(figure)
        contents.add((axes.get_position().bounds, figure.texts[0].get_position()))
    assert len(contents) == 1
