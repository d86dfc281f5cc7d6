"""Reactions that no model has seen."""

from pathlib import Path

import numpy as np

from hessbench.chemistry.levels import LEVELS
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.data.layout import UNKNOWN, Reaction, ReactionFile
from hessbench.data.split import read_split
from hessbench.data.states import is_usual
from hessbench.data.structures import load_structures
from hessbench.errors import HessbenchError
from hessbench.reactions.geometries import ROLES, ReactionGeometries
from hessbench.reactions.geometry_file import level_of_geometries, read_geometries


def reference_level(stated: str, chosen: str | None, setting: str) -> str:
    """Level of theory of the reference: that of the data, or a chosen one where they state none.

    Parameters
    ----------
    stated
        What the data state.
    chosen
        The setting's value.
    setting
        Its name, for the error: "neb.level".

    Raises
    ------
    HessbenchError
        The level cannot be computed here.
    """
    level = chosen if stated == UNKNOWN and chosen else stated
    if level not in LEVELS:
        raise HessbenchError(
            f"The reference needs a level of theory that can be computed here, the data are of {level!r}; "
            f"set {setting} in params.yaml to one of {', '.join(LEVELS)}."
        )
    return level


def of_level(geometries: Path | None, level: str) -> tuple[Path | None, str]:
    """Keep a file of geometries that is of a level of theory; else None, and a sentence that says so."""
    if geometries is None or (refined := level_of_geometries(geometries)) == level:
        return geometries, ""
    return None, (
        f"{geometries}: refined at {refined}, the data are of {level}; "
        "the reactions are those of the data that no training contains."
    )


def held_out_geometries(geometries: Path | None, data: Path, split_file: Path) -> list[ReactionGeometries]:
    """Reactant, transition state and product of reactions outside the training.

    Parameters and errors as of `unseen_saddles`.
    """
    return [item for item in unseen_saddles(geometries, data, split_file) if not item.trained]


def unseen_saddles(geometries: Path | None, data: Path, split_file: Path) -> list[ReactionGeometries]:
    """Reactant, transition state and product of reactions of which no transition state is trained on.

    Parameters
    ----------
    geometries
        File of geometries at the level of theory of `data`; reactions that are in `data` are left out. If
        there is none: reactions of `data`, neutral and of the lowest multiplicity, with the roles that are in
        the training part of the split.
    data
        Stationary points (RTP) that the models are trained on.
    split_file
        Split of these data.

    Raises
    ------
    DataError
        A file is missing or damaged.
    """
    if geometries is not None:
        with ReactionFile(data) as file:
            known = set(file.names)
        return [item for item in read_geometries(geometries) if item.name not in known]
    with ReactionFile(data) as file:
        split = read_split(split_file, file.identifier)
        structures = load_structures(data)
        trained: dict[int, set[int]] = {}
        for item in split.training:
            trained.setdefault(int(structures.reactions[item]), set()).add(int(structures.indices[item]))
        found = []
        for index, name in enumerate(structures.reaction_names):
            seen = trained.get(index, set())
            if len(seen) == len(ROLES) or not has_usual_state(reaction := file[name]):
                continue
            places = places_by_role(reaction)
            roles = frozenset(role for role, place in places.items() if place in seen)
            if "TS" not in roles and (places or not seen):
                coordinates = {role: reaction.coordinates[place] for role, place in places.items()}
                found.append(ReactionGeometries(name, reaction.numbers, coordinates, roles))
    return found


def has_usual_state(reaction: Reaction) -> bool:
    """Whether a reaction is neutral and of the lowest multiplicity, as bands and dynamics take it to be."""
    return is_usual(reaction.numbers, reaction.charge, reaction.multiplicity)


def places_by_role(reaction: Reaction) -> dict[str, int]:
    """Number of each role's structure: as annotated, or of three the one with an imaginary mode is TS."""
    if "role" in reaction.annotations:
        roles = reaction.annotations["role"].tolist()
        return {role: roles.index(role) for role in ROLES if role in roles}
    if len(reaction) != len(ROLES) or reaction.hessians is None:
        return {}
    masses = atomic_masses(reaction.numbers)
    imaginary = [
        normal_modes(coordinates, masses, hessian).imaginary
        for coordinates, hessian in zip(reaction.coordinates, reaction.hessians, strict=True)
    ]
    if imaginary.count(1) != 1:
        return {}
    saddle = imaginary.index(1)
    reactant, product = (index for index in range(len(ROLES)) if index != saddle)
    return {"R": reactant, "TS": saddle, "P": product}


def geometries_by_role(reaction: Reaction) -> dict[str, np.ndarray]:
    """Coordinates by role, see `places_by_role`."""
    return {role: reaction.coordinates[place] for role, place in places_by_role(reaction).items()}
