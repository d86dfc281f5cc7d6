import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from hessbench.chemistry.level import LevelError
from hessbench.chemistry.levels import LEVELS
from hessbench.chemistry.xtb import XTB
from hessbench.data.layout import ReactionFile
from hessbench.errors import DataError
from hessbench.generate import single_ts
from hessbench.generate.settings import GenerateConfig
from hessbench.generate.single_ts import make_single_ts, read_roles
from tests.generate.conftest import hydrogen_cyanide


@pytest.fixture
def source(tmp_path):
    reaction = hydrogen_cyanide()
    frames = []
    for role, positions in reaction.coordinates.items():
        frames.append(Atoms(reaction.numbers, positions))
        frames[-1].info["role"] = role
    path = tmp_path / "reaction.extxyz"
    write(path, frames, format="extxyz")
    return path


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(single_ts, "STEPS", (0.05,) * 6)


def content(path):
    with ReactionFile(path) as reactions:
        return {reaction.name: reaction for reaction in reactions}, reactions.metadata


def test_path_and_stationary_points(source, tmp_path):
    summary = make_single_ts(source, tmp_path / "out.h5", GenerateConfig())
    reactions, metadata = content(tmp_path / "out.h5")
    path, stationary = reactions["path"], reactions["stationary"]
    assert metadata.level == "GFN2-xTB"
    assert "13 structures" in summary
    coordinate = path.annotations["path_coordinate"]
    np.testing.assert_allclose(coordinate, np.arange(-6, 7) * 0.05, atol=2e-3)
    assert coordinate[6] == 0
    assert path.energies.argmax() == 6
    assert path.hessians is None
    assert stationary.annotations["role"].tolist() == ["R", "TS", "P"]
    np.testing.assert_allclose(path.coordinates[6], stationary.coordinates[1], atol=1e-12)
    assert stationary.hessians.shape == (3, 9, 9)
    # R, hydrogen cyanide, is on the side of negative coordinates: there the hydrogen is nearer to carbon.
    to_carbon, to_nitrogen = (
        np.linalg.norm(path.coordinates[:, 2] - path.coordinates[:, i], axis=1) for i in (0, 1)
    )
    assert to_carbon[0] / to_nitrogen[0] < to_carbon[-1] / to_nitrogen[-1]
    # Forces are the slope of the energy along the path.
    work = -0.5 * (path.forces[1:] + path.forces[:-1]) * np.diff(path.coordinates, axis=0)
    np.testing.assert_allclose(work.sum(axis=(1, 2)), np.diff(path.energies), atol=0.05)


def test_points_that_are_stationary_already_are_kept(source, tmp_path):
    make_single_ts(source, tmp_path / "first.h5", GenerateConfig())
    stationary = content(tmp_path / "first.h5")[0]["stationary"]
    frames = []
    for role, positions in zip(("R", "TS", "P"), stationary.coordinates, strict=True):
        frames.append(Atoms(stationary.numbers, positions))
        frames[-1].info["role"] = role
    write(source, frames, format="extxyz")
    kept = read_roles(source)[1]
    make_single_ts(source, tmp_path / "second.h5", GenerateConfig(fmax_ev=0.02))
    again = content(tmp_path / "second.h5")[0]["stationary"]
    for role, positions in zip(("R", "TS", "P"), again.coordinates, strict=True):
        np.testing.assert_array_equal(positions, kept[role])


class Mortal(XTB):
    """Fails after some gradients."""

    left = 0

    def gradient(self, coordinates):
        Mortal.left -= 1
        if Mortal.left < 0:
            raise LevelError("killed")
        return super().gradient(coordinates)


@pytest.mark.parametrize("gradients", [1, 60, 90])
def test_interrupted_run_goes_on_and_gives_the_same_file(source, tmp_path, monkeypatch, gradients):
    monkeypatch.setitem(LEVELS, "GFN2-xTB", lambda numbers, **options: Mortal("GFN2-xTB", numbers, **options))
    Mortal.left = 10**6
    make_single_ts(source, tmp_path / "whole.h5", GenerateConfig())
    needed = 10**6 - Mortal.left
    Mortal.left = gradients
    with pytest.raises(DataError, match="killed"):
        make_single_ts(source, tmp_path / "parts.h5", GenerateConfig())
    assert not (tmp_path / "parts.h5").exists()
    Mortal.left = 10**6
    make_single_ts(source, tmp_path / "parts.h5", GenerateConfig())
    # A Hessian, here of 18 gradients, is begun again.
    assert needed - gradients <= 10**6 - Mortal.left <= needed - gradients + 18
    whole, parts = (content(tmp_path / name)[0] for name in ("whole.h5", "parts.h5"))
    for name in ("path", "stationary"):
        np.testing.assert_allclose(parts[name].coordinates, whole[name].coordinates, atol=1e-4)
        np.testing.assert_allclose(parts[name].energies, whole[name].energies, atol=1e-3)


def test_unusable_sources_are_told(source, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_roles(tmp_path / "absent.extxyz")
    source.write_text(source.read_text().replace("role=P", "role=R"))
    with pytest.raises(DataError, match="expected three frames"):
        read_roles(source)


def test_a_count_that_has_no_end_is_refused(tmp_path):
    frame = "1\nProperties=species:S:1:pos:R:3 role={}\nH 0 0 0\n"
    text = frame.format("R") + frame.format("TS").replace("1", "9" * 20, 1) + frame.format("P")
    (tmp_path / "in.extxyz").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"frame 1 begins with .*99.* instead of its number of atoms"):
        read_roles(tmp_path / "in.extxyz")


def test_a_frame_too_many_an_empty_line_and_a_cell_are_refused(source):
    text = source.read_text()
    atoms = int(text.split("\n", 1)[0])
    lines = text.splitlines(keepends=True)
    first = "".join(lines[: atoms + 2])
    for changed, said in (
        (text + first, r"expected three frames .* found \['P', 'R', 'R', 'TS'\]"),
        (f"{first}\n{''.join(lines[atoms + 2 :])}", "an empty line follows frame 0"),
        (text.replace("Properties=", 'Lattice="9 0 0 0 9 0 0 0 9" Properties='), "periodic"),
    ):
        source.write_text(changed.replace(' pbc="F F F"', ""))
        with pytest.raises(DataError, match=said):
            read_roles(source)
