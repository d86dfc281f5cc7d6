"""`hessbench compile`: compile kernels before their first use."""

import time

import click
from ase import Atoms

from hessbench.config.base import load_section
from hessbench.potential.batch import Batch
from hessbench.potential.registry import ModelConfig, build


@click.command()
def command() -> None:
    """Compile the kernels that the profile's model runs on a CPU, so that no training waits for them.

    They are kept in a cache of the user's (NUMBA_CACHE_DIR moves it) and compiled again only after an edit of
    their sources; done before, this takes a few seconds. Models without kernels have nothing to compile.
    """
    begin = time.perf_counter()
    model = build(load_section(ModelConfig, "model"), 0)
    atoms = Atoms(list(model.elements[:1] * 2), [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    model.predict(Batch.from_atoms([atoms], model.dtype), 2)
    kind = str(model.dtype).removeprefix("torch.")
    click.echo(f"the profile's model is ready in {kind} ({time.perf_counter() - begin:.0f} s)")
