"""Which reactions paths are computed for.

The rules are deterministic and look at nothing but geometries and energies of the level of theory. What is
searched does not depend on what else is, so that it is done in parallel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries, shuffled
from hessbench.reactions.kinds import BondChanges, Kind, PathReaction, bond_changes, connect, energy_of
from hessbench.system.processes import Report, Workers, run_tasks

FITS: Mapping[Kind, Callable[[BondChanges], bool]] = {
    "single hydrogen transfer": lambda changes: changes.is_single_hydrogen_transfer,
    "multi-process": lambda changes: changes.is_multi_process,
}
"""What tells the two reactions of the paper's figures from others."""
AHEAD = 1.5
"""Held-out reactions are tried for each one wanted; a third have a transition state that leads elsewhere."""


@dataclass(frozen=True)
class Search:
    """How reactions are tried.

    Attributes
    ----------
    load
        Makes the level of theory of the data in the process that needs it.
    fmax_ev, steps
        For the end points: largest force on an atom, eV/Angstrom, and steps of L-BFGS at most.
    accept
        Whether one of the two reactions of the figures will do, e.g. whether its reference band converges;
        defined at the top level of a module. None: any will do.
    """

    load: Callable[[], Potential]
    fmax_ev: float
    steps: int
    accept: Callable[[PathReaction, Potential], bool] | None = None


@dataclass(frozen=True)
class _Named:
    """One of the two reactions of the figures: the first of a pool that will do, by barrier (kcal/mol)."""

    kind: Kind
    pool: Sequence[ReactionGeometries]
    barrier: float


def choose_reactions(
    candidates: Iterable[ReactionGeometries],
    search: Search,
    *,
    barriers: Mapping[Kind, float],
    held_out: int,
    candidates_of_kind: int,
    seed: int,
    processes: int | Workers,
) -> list[PathReaction]:
    """Choose the two reactions of the paper's figures and a number of further ones.

    The single hydrogen transfer and the multi-process reaction are those among the candidates of their kind
    (`BondChanges`) whose barrier is nearest to the paper's; the others are the first in a random order. A
    candidate is passed over if its transition state does not lead to its reactant and product (`connect`).
    Only where no reaction of a figure's kind is wholly outside the training is one taken of which the
    reactant or product is in it.

    Parameters
    ----------
    candidates
        Reactions whose transition states are outside the training, stationary points at the level of theory.
    search
        How they are tried.
    barriers
        Of the paper's reactions by kind, kcal/mol.
    held_out
        Number of further reactions.
    candidates_of_kind
        At most so many of a kind are compared, the first in the random order.
    seed
        Of the random order.
    processes
        At most so many tried at the same time, or other workers. The choice does not depend on it.

    Raises
    ------
    HessbenchError
        There are not enough such reactions.
    """
    complete = {item.name: item for item in candidates if set(item.coordinates) >= {"R", "TS", "P"}}
    changes = {
        name: bond_changes(item.numbers, item.coordinates["R"], item.coordinates["P"])
        for name, item in complete.items()
    }
    named = []
    for kind, barrier in barriers.items():
        fits = [name for name in changes if FITS[kind](changes[name])]
        fitting = shuffled([name for name in fits if not complete[name].trained] or fits, seed)
        named.append(_Named(kind, [complete[name] for name in fitting[:candidates_of_kind]], barrier))
    order = [complete[name] for name in shuffled(complete, seed) if not complete[name].trained]
    first = round(AHEAD * held_out)
    found = _try_all([*named, *order[:first]], search, processes)
    chosen = [reaction for reaction in found[: len(named)] if reaction is not None]
    others, names = found[len(named) :], {reaction.name for reaction in chosen}
    while True:
        usable = [item for item in others if item is not None and item.name not in names][:held_out]
        lacking, untried = held_out - len(usable), order[len(others) :]
        if lacking and not untried:
            raise _too_few(held_out, "held-out", len(usable), len(order))
        if not lacking:
            return chosen + usable
        others += _try_all(untried[: round(AHEAD * lacking)], search, processes)


def _try_all(
    tasks: Sequence[_Named | ReactionGeometries], search: Search, processes: int | Workers
) -> list[PathReaction | None]:
    with tqdm(total=len(tasks), desc="reactions", unit="reaction", delay=2) as bar:

        def show(done: int) -> None:
            bar.update(done)

        return run_tasks(_try, tasks, search, processes, show)


def _try(task: _Named | ReactionGeometries, search: Search, report: Report) -> PathReaction | None:
    """Find a reaction of the figures, or see whether another one will do; runs in a process of its own.

    Every candidate is given a level of theory of its own: its energies start from no other's wave function.
    """
    found = _nearest(task, search) if isinstance(task, _Named) else _connect(task, "held-out", search)
    report(1)
    return found


def _connect(candidate: ReactionGeometries, kind: Kind, search: Search) -> PathReaction | None:
    return connect(candidate, kind, search.load(), search.fmax_ev, search.steps)


def _nearest(task: _Named, search: Search) -> PathReaction:
    """Of the candidates that will do, find the one whose barrier is nearest to the paper's."""
    barriers = ((item, _barrier(item, search.load())) for item in task.pool)
    pool = [(abs(barrier - task.barrier), item) for item, barrier in barriers if barrier is not None]
    for _, item in sorted(pool, key=lambda pair: pair[0]):
        found = _connect(item, task.kind, search)
        if found is not None and (search.accept is None or search.accept(found, search.load())):
            return found
    raise _too_few(1, task.kind, 0, len(pool))


def _barrier(geometries: ReactionGeometries, potential: Potential) -> float | None:
    """Barrier, kcal/mol; None where the level of theory fails."""
    try:
        top, bottom = (
            energy_of(geometries.numbers, geometries.coordinates[role], potential) for role in ("TS", "R")
        )
    except PotentialError:
        return None
    return top - bottom


def _too_few(count: int, kind: Kind, found: int, candidates: int) -> HessbenchError:
    return HessbenchError(
        f"neb: {count} reactions of the kind {kind!r} are wanted, but only {found} of {candidates} "
        "candidates outside the training will do; give more geometries (neb.geometries)."
    )
