"""The stability test on potentials whose outcome is known."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from ase import Atoms
from ase.build import molecule

from hessbench.chemistry.bonds import bonded_pairs
from hessbench.chemistry.relaxation import relax
from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError, HessbenchError
from hessbench.experiments.stability.run.command import temperatures
from hessbench.experiments.stability.run.criterion import (
    apart_pairs,
    bond_name,
    contact_distances,
    first_contact,
    first_violation,
    running_means,
)
from hessbench.experiments.stability.run.heating import heat
from hessbench.experiments.stability.run.mean_potential import MeanPotential
from hessbench.experiments.stability.run.models import (
    mean_of,
    of_level,
    of_model,
    read_reference,
    run_stability,
)
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import RATES, STABILITY, TRAJECTORY
from hessbench.potential import build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.batch import Batch
from hessbench.results.store.tables import read_table, write_table
from tests.made_up import provenance
from tests.potentials import Analytic


def morse(depth: float, length: float = 0.76, width: float = 1.9):
    """Diatomics held by a Morse potential, kcal/mol and Angstrom."""

    def forces(batch: Batch):
        x = batch.coordinates.double().numpy().reshape(-1, 2, 3)
        vector = x[:, 1] - x[:, 0]
        r = np.linalg.norm(vector, axis=1)
        decay = np.exp(-width * (r - length))
        slope = 2 * depth * width * decay * (1 - decay)
        on_second = -(slope / r)[:, None] * vector
        return depth * (1 - decay) ** 2, np.stack([-on_second, on_second], axis=1).reshape(-1, 3)

    return Analytic(forces)


def hydrogens(*names: str, length: float = 0.74) -> dict[str, Atoms]:
    return {name: Atoms("H2", [[0, 0, 0], [0, 0, length]]) for name in names}


CONFIG = StabilityConfig(
    interval_fs=25, increment_k=50, start_k=5, cap_k=1500, trajectory_molecule="a", trajectory_frames=10
)


def outcomes(state):
    return [asdict(outcome) for outcome in state.outcomes]


def test_strong_bonds_reach_the_cap_and_are_censored():
    state = heat(hydrogens("a", "b"), morse(500.0), CONFIG, "x")
    assert [item.molecule for item in state.outcomes] == ["a", "b"]
    for item in state.outcomes:
        assert item.status == "censored"
        assert item.bond is None
        # 30 temperatures up to the last one not above the cap
        assert item.temperature_k == 5 + 29 * 50
        assert item.time_fs == 30 * 25
    assert state.frames[-1].time_fs == 750
    assert state.replicas is None


def test_weak_bonds_break_at_a_temperature_like_their_depth():
    state = heat(hydrogens("a"), morse(2.0), CONFIG, "x")
    (item,) = state.outcomes
    assert item.status == "failed"
    assert item.bond == "H1-H2"
    assert "outside 0.75 to 1.5" in item.reason
    assert 100 < item.temperature_k < 1400
    interval = int((item.time_fs - 0.5) // CONFIG.interval_fs)
    assert item.temperature_k == 5 + 50 * interval
    assert state.frames[-1].time_fs == item.time_fs


def test_lengths_are_measured_against_the_optimized_ones():
    # the minimum of the potential is 1.4 times the start: within the range, so it may be optimized and heated
    state = heat(hydrogens("a", length=0.54), morse(500.0, 0.756), CONFIG, "x")
    assert state.outcomes[0].status == "censored"
    assert state.optimized["a"][0] == pytest.approx(0.756, abs=1e-3)


def test_a_molecule_that_falls_apart_on_optimization_has_failed_at_time_zero():
    state = heat(hydrogens("a"), morse(300.0, 0.74 * 1.6, 1.0), CONFIG, "x")
    (item,) = state.outcomes
    assert (item.status, item.temperature_k, item.time_fs) == ("optimization failed", 0.0, 0.0)
    assert item.bond == "H1-H2"
    assert "1.60" in item.reason


def test_an_optimization_that_does_not_converge_has_failed():
    config = CONFIG.model_copy(update={"optimization_steps": 1})
    (item,) = heat(hydrogens("a", length=0.9), morse(300.0), config, "x").outcomes
    assert item.status == "optimization failed"
    assert "after 1 steps" in item.reason


def test_an_optimization_that_loses_all_positions_has_failed_and_leaves_no_frame():
    def constant(batch: Batch):
        """Forces that no step changes, from which L-BFGS learns an infinite curvature."""
        x = batch.coordinates.double().numpy()
        forces = 0 * x + [[0, 0, -1.0], [0, 0, 1.0]]
        return forces.sum(axis=1)[::2], forces

    with np.errstate(all="ignore"):
        state = heat(hydrogens("a"), Analytic(constant), CONFIG, "x")
    (item,) = state.outcomes
    assert item.status == "optimization failed"
    assert "not finite" in item.reason
    assert state.frames == []


def test_forces_that_are_not_finite_end_a_run_with_its_reason():
    calls = 0

    def failing(batch: Batch):
        nonlocal calls
        calls += 1
        energies, forces = morse(500.0).energies_and_forces(batch)
        if calls > 180:
            forces[:2] = np.nan
        return energies, forces

    state = heat(hydrogens("a", "b"), Analytic(failing), CONFIG, "x")
    first, second = state.outcomes
    assert (first.status, first.reason) == ("failed", "forces not finite")
    assert 50 < first.time_fs < 180 * 0.5
    # when "a" has left, "b" is the first molecule and gets them too
    assert second.reason == "forces not finite"
    assert second.time_fs > first.time_fs


def test_a_killed_run_goes_on_exactly(tmp_path):
    config = CONFIG.model_copy(update={"checkpoint_s": 1e-9})
    molecules = hydrogens("a", "b", "c")
    potential = morse(6.0)
    whole = heat(molecules, potential, config, "x")
    assert len({item.time_fs for item in whole.outcomes}) > 1  # they end at different times
    for kill_at in (230, 700, 1100):
        checkpoint = tmp_path / f"{kill_at}.npz"
        calls = 0

        def killed(batch: Batch, kill_at: int = kill_at):
            nonlocal calls
            calls += 1
            if calls > kill_at:
                raise KeyboardInterrupt
            return potential.energies_and_forces(batch)

        with pytest.raises(KeyboardInterrupt):
            heat(molecules, Analytic(killed), config, "x", checkpoint=checkpoint, fingerprint="1")
        resumed = heat(molecules, potential, config, "x", checkpoint=checkpoint, fingerprint="1")
        assert outcomes(resumed) == outcomes(whole)
        assert resumed.frames == whole.frames
    # a finished one is not computed again, another one does not begin there
    again = heat(molecules, None, config, "x", checkpoint=checkpoint, fingerprint="1")
    assert outcomes(again) == outcomes(whole)
    with pytest.raises(AttributeError):
        heat(molecules, None, config, "x", checkpoint=checkpoint, fingerprint="2")


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match=r"x\.npz"):
        heat(hydrogens("a"), morse(9.0), CONFIG, "x", checkpoint=path)
    np.savez(path, header=np.array(json.dumps([])))
    with pytest.raises(DataError, match=r"x\.npz"):
        heat(hydrogens("a"), morse(9.0), CONFIG, "x", checkpoint=path)


def two_frames(second: str = "name=b", columns: str = "", values: str = "") -> str:
    """Two hydrogen molecules, a and one with another comment, and further columns with values."""
    first, *_ = frame = "2", "Properties=species:S:1:pos:R:3 name=a", "H 0 0 0", "H 0 0 0.74"
    other = (
        first,
        f"Properties=species:S:1:pos:R:3{columns} {second}",
        f"H 0 0 0{values}",
        f"H 0 0 .74{values}",
    )
    return "\n".join((*frame, *other)) + "\n"


def test_all_frames_of_a_file_are_molecules(tmp_path):
    path = tmp_path / "mine.extxyz"
    box = 'Lattice="9 0 0 0 9 0 0 0 9" pbc="F F F"'
    for second in ("name=b", "name=7", "name=b charge=0 spin=1 energy=-1.2", f"name=b {box}"):
        path.write_text(two_frames(second) + "\n\n")
        assert len(read_molecules(path)) == 2
        path.write_bytes(two_frames(second).replace("\n", "\r\n").encode())
        assert len(read_molecules(path)) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no structures"),
        ("2\nname=a\nH 0 0 0\n", "not a readable extxyz file"),
        ("1\nx=1\nH 0 0 0\n", "frame 0 has no name; write name="),
        ("1\nname=a/b\nH 0 0 0\n", "frame 0 is called 'a/b'"),
        (two_frames("name=1e3"), "frame 1 is called .*1000.*begins with a letter"),
        (two_frames("name=T"), "frame 1 is called 'True'"),
        (two_frames("name=a"), "frame 1 is called a, as one before it"),
        (two_frames() + "\n" + two_frames(), "an empty line follows frame 1, and more after it"),
        (two_frames('name=b Lattice="9 0 0 0 9 0 0 0 9"'), "frame 1 is periodic"),
        (two_frames() + "VEC1 9 0 0\nVEC2 0 9 0\nVEC3 0 0 9\n", "frame 1 is periodic"),
        (two_frames("name=b charge=1"), r"frame 1 \(b\) has charge 1, .*\(charge 0\); leave it out"),
        (two_frames("name=b spin=3"), r"frame 1 \(b\) has spin 3, .*\(spin 1\)"),
        (two_frames("name=b charge=plus"), r"frame 1 \(b\) has charge plus"),
        (two_frames("name=b", ":initial_charges:R:1", " 0.5"), "has initial_charges of sum 1.0"),
        (two_frames("name=b", ":initial_magmoms:R:1", " 1"), "has initial_magmoms for multiplicity 3"),
        (two_frames().replace("H 0 0 .74", "H 0 0 nan"), r"frame 1 \(b\) has coordinates that are no"),
        (two_frames().replace("H 0 0 .74", "X 0 0 .74"), r"frame 1 \(b\) has an atom X"),
    ],
)
def test_broken_molecule_files_are_named(tmp_path, content, problem):
    path = tmp_path / "mine.extxyz"
    path.write_text(content)
    with pytest.raises(DataError, match=rf"mine\.extxyz: .*{problem}"):
        read_molecules(path)


def test_what_is_printed_has_a_unit():
    ended = {"E": (300, 500), "E-F": (1500, 1500)}
    rows = [
        {"molecule": "benzene", "loss": loss, "temperature_k": kelvin}
        for loss, runs in ended.items()
        for kelvin in runs
    ]
    heading, columns, _, row = temperatures(pd.DataFrame(rows), 1500.0).splitlines()
    assert heading.startswith("mean temperature in K at which runs ended; heated to 1500 K at most")
    assert (columns.split(), row.split()) == (["loss", "E", "E-F"], ["benzene", "400", "1500"])


def test_bonds_are_named_from_one():
    atoms = molecule("H2O")
    pairs = bonded_pairs(atoms.numbers, atoms.positions)
    assert [bond_name(atoms, pair) for pair in pairs] == ["O1-H2", "O1-H3"]


def test_equation_7_wants_the_mean_of_50_steps_outside():
    lengths = np.full((120, 2), 1.0)
    lengths[30:60, 0] = 1.7  # too short to lift a mean of 50 above 1.5
    assert first_violation(running_means(lengths), np.ones(2)) is None
    lengths[60:100, 0] = 1.7
    found = first_violation(running_means(lengths), np.ones(2))
    expected = next(
        t for t in range(49, 120) if lengths[t - 49 : t + 1, 0].mean() > 1.5
    )  # written as in the paper
    assert (found.step + 49, found.bond) == (expected, 0)
    lengths[:, 1] = 0.7
    found = first_violation(running_means(lengths), np.ones(2))
    assert (found.step, found.bond) == (0, 1)
    assert first_violation(running_means(lengths), np.array([1.0, 0.9])).bond == 0


def test_ensembles_give_valid_tables(tmp_path):
    """Untrained models: what comes out is not physics, but it is complete, typed and repeatable."""
    config = StabilityConfig(
        optimization_steps=400,
        fmax_ev=0.2,
        interval_fs=25,
        cap_k=10,
        replicas=2,
        rates_fs=(50,),
        processes=1,
        trajectory_molecule="ethanol",
    )
    molecules = read_molecules(EMBEDDED / "md17.extxyz")
    molecules = {name: molecules[name] for name in ("ethanol", "malonaldehyde")}
    tasks = []
    for seed in range(2):
        file = tmp_path / f"seed-{seed}.safetensors"
        build(ANIConfig(hidden=(4,)), seed).save(file)
        tasks.append(of_model("E-F", seed, file))
    tasks.append(mean_of("mean of E-F", [tmp_path / f"seed-{seed}.safetensors" for seed in range(2)]))
    tasks.append(of_model("E-F", 0, tmp_path / "seed-0.safetensors", 50))
    table, rates, trajectory = run_stability(tasks, molecules, config, tmp_path / "checkpoints")
    for written, frame in ((STABILITY, table), (RATES, rates), (TRAJECTORY, trajectory)):
        write_table(tmp_path, written, frame, provenance())
        assert list(read_table(tmp_path, written).columns) == list(written.columns)
    assert table[["loss", "seed", "molecule", "replica"]].to_numpy().tolist() == [
        [loss, seed, name, replica]
        for loss, seed in (("E-F", 0), ("E-F", 1), ("mean of E-F", 0))
        for name in molecules
        for replica in range(2)
    ]
    assert set(table["rate_k_per_ps"]) == {200}
    assert rates[["molecule", "rate_k_per_ps"]].to_numpy().tolist() == [["ethanol", 100]] * 2
    assert set(trajectory["seed"]) == {0}
    assert set(trajectory["loss"]) == {"E-F"}
    assert trajectory["time_fs"].iloc[0] == 0
    again, *_ = run_stability(tasks, molecules, config, tmp_path / "checkpoints")
    assert again.equals(table)
    with pytest.raises(HessbenchError, match="trajectory_molecule"):
        run_stability(tasks, {"malonaldehyde": molecules["malonaldehyde"]}, config, tmp_path)


def test_relaxation_in_a_batch_is_that_of_each_molecule():
    potential = morse(100.0)
    start = [Atoms("H2", [[0, 0, 0], [0, 0, length]]) for length in (0.6, 0.76, 1.0)]
    together = relax(start, potential, 1e-3, 100)
    for atoms, result in zip(start, together, strict=True):
        (alone,) = relax([atoms], potential, 1e-3, 100)
        np.testing.assert_array_equal(alone.positions, result.positions)
        assert result.reason == ""
        assert np.linalg.norm(result.positions[1] - result.positions[0]) == pytest.approx(0.76, abs=1e-3)
    assert torch.is_tensor(Batch.from_atoms(start).coordinates)


def test_the_reference_can_be_heated_and_read_back(tmp_path):
    config = StabilityConfig(interval_fs=25, cap_k=5, processes=1, trajectory_molecule="ethanol")
    molecules = {"ethanol": read_molecules(EMBEDDED / "md17.extxyz")["ethanol"]}
    tasks = [of_level("reference", "GFN2-xTB")]
    table, _, trajectory = run_stability(tasks, molecules, config, tmp_path)
    assert table[["loss", "seed", "status"]].to_numpy().tolist() == [["reference", -1, "censored"]]
    assert trajectory.empty
    table.to_csv(tmp_path / "reference.csv", index=False)
    found = read_reference(tmp_path / "reference.csv", molecules)
    write_table(tmp_path, STABILITY, found, provenance())
    assert read_reference(tmp_path / "reference.csv", {"benzene": None}).empty
    (tmp_path / "reference.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"reference\.csv"):
        read_reference(tmp_path / "reference.csv", molecules)


def test_replicas_differ_in_their_noise_alone():
    config = CONFIG.model_copy(update={"replicas": 3})
    state = heat(hydrogens("a"), morse(2.0), config, "x")
    assert [item.replica for item in state.outcomes] == [0, 1, 2]
    assert len({item.time_fs for item in state.outcomes}) == 3
    alone = heat(hydrogens("a"), morse(2.0), CONFIG, "x")
    assert outcomes(alone) == outcomes(state)[:1]


def drawn_together(force: float):
    """Two hydrogen molecules, bonded as ever, whose first atoms attract one another; kcal/mol/Angstrom."""
    bonds = morse(500.0)

    def forces(batch: Batch):
        energies, flat = bonds.energies_and_forces(batch)
        x = batch.coordinates.double().numpy()
        vector = x[2] - x[0]
        unit = vector / np.linalg.norm(vector)
        flat[0] += force * unit
        flat[2] -= force * unit
        return energies.sum(keepdims=True), flat

    return Analytic(forces)


def test_atoms_that_are_not_bonded_and_meet_are_a_failure_of_its_own():
    start = Atoms("H4", [[0, 0, 0], [-0.76, 0, 0], [2.0, 0, 0], [2.76, 0, 0]])
    config = CONFIG.model_copy(update={"fmax_ev": 10.0})  # the attraction has no minimum to relax to
    (item,) = heat({"a": start}, drawn_together(20.0), config, "x").outcomes
    assert item.status == "close contact"
    assert item.bond not in ("H1-H2", "H3-H4")
    assert "of the sum of covalent radii" in item.reason
    (free,) = heat({"a": start}, drawn_together(0.0), config.model_copy(update={"cap_k": 5}), "x").outcomes
    assert free.status == "censored"


def test_close_contact_is_a_mean_below_the_shortest_bond():
    numbers = np.array([6, 1, 1])
    pairs = apart_pairs(np.array([[0, 1]]), 3)
    assert pairs.tolist() == [[0, 2], [1, 2]]
    limits = contact_distances(numbers, pairs)
    np.testing.assert_allclose(limits, [0.75 * (0.76 + 0.31), 0.75 * 0.62])
    distances = np.full((120, 2), 2.0)
    distances[40:60, 1] = 0.1  # too short for a mean of 50
    assert first_contact(distances, limits) is None
    distances[60:, 1] = 0.3
    found = first_contact(distances, limits)
    expected = next(t for t in range(49, 120) if distances[t - 49 : t + 1, 1].mean() < limits[1])
    assert (found.step + 49, found.bond) == (expected, 1)


def test_the_mean_of_potentials_has_the_mean_of_their_derivatives():
    members = [build(ANIConfig(hidden=(4,), dtype="float64"), seed) for seed in range(3)]
    mean = MeanPotential(members)
    batch = Batch.from_atoms([molecule("H2O"), molecule("CH4")])
    found = mean.predict(batch, 2)
    own = [member.predict(batch, 2) for member in members]
    for part in ("energies", "forces", "hessians"):
        expected = sum(getattr(item, part) for item in own) / 3
        np.testing.assert_allclose(
            getattr(found, part).detach().numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-12
        )
