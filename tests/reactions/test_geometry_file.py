import dataclasses

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hessbench.errors import DataError
from hessbench.reactions.geometries import ROLES, ReactionGeometries
from hessbench.reactions.geometry_file import RESOLUTION, read_geometries, write_geometries
from tests.data.test_layout import METADATA
from tests.generate.conftest import hydrogen_cyanide, inversion


def distances(coordinates):
    return np.linalg.norm(coordinates[:, None] - coordinates[None, :], axis=-1)


def handedness(coordinates):
    a, b, c = (coordinates[index] - coordinates[0] for index in (1, 2, 3))
    return np.sign(np.dot(a, np.cross(b, c)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    present=st.lists(st.sets(st.sampled_from(ROLES), min_size=1).map(sorted), min_size=4, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_round_trip_up_to_rigid_motion_and_rounding(tmp_path, sizes, present, seed):
    rng = np.random.default_rng(seed)
    reactions = [
        ReactionGeometries(
            f"rxn{index:06d}",
            rng.integers(1, 9, size).astype(np.uint8),
            {role: rng.normal(0, 3, (size, 3)) + rng.normal(0, 9, 3) for role in present[index]},
        )
        for index, size in enumerate(sizes)
    ]
    path = tmp_path / "geometries.h5"
    write_geometries(path, reactions, METADATA)
    for read, written in zip(read_geometries(path), reactions, strict=True):
        assert read.name == written.name
        assert set(read.coordinates) == set(written.coordinates)
        np.testing.assert_array_equal(read.numbers, written.numbers)
        for role, coordinates in written.coordinates.items():
            np.testing.assert_allclose(
                distances(read.coordinates[role]), distances(coordinates), atol=2 * RESOLUTION
            )


def test_mirror_images_stay_what_they_are(tmp_path):
    path = tmp_path / "geometries.h5"
    reaction = inversion()
    write_geometries(path, [reaction], METADATA)
    read = read_geometries(path)[0]
    for role in ("R", "P"):
        assert handedness(read.coordinates[role]) == handedness(reaction.coordinates[role])
    assert handedness(read.coordinates["R"]) != handedness(read.coordinates["P"])


def test_same_input_same_bytes_in_any_order_and_empty_reactions_left_out(tmp_path):
    first, second = tmp_path / "1.h5", tmp_path / "2.h5"
    reactions = [inversion(), hydrogen_cyanide()]
    write_geometries(first, reactions, METADATA)
    empty = dataclasses.replace(inversion("rxn000000"), coordinates={})
    write_geometries(second, [*reversed(reactions), empty], METADATA)
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(DataError, match="no geometries to write"):
        write_geometries(first, [empty], METADATA)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "geometries.h5"
    write_geometries(path, [inversion()], METADATA)
    intact = path.read_bytes()
    with h5py.File(path, "a") as file:
        file["TS"][0, 0] += 1
    with pytest.raises(DataError, match="recorded checksum"):
        read_geometries(path)
    path.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(DataError, match="not readable"):
        read_geometries(path)
    h5py.File(path, "w").close()
    with pytest.raises(DataError, match="not a file of the format"):
        read_geometries(path)
    with pytest.raises(DataError, match="does not exist"):
        read_geometries(tmp_path / "none.h5")
