"""Molecules of random elements and bonds; a third of them are TSs without bonds."""

from pathlib import Path

import pandas as pd

from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import Generator, made_from


def write(results: Path, generator: Generator) -> None:
    rows = []
    for structure in range(1200):
        carbon, nitrogen, oxygen = generator.integers([2, 0, 0], [6, 3, 3]).tolist()
        counts = {"C": carbon, "N": nitrogen, "O": oxygen, "H": int(generator.integers(3, 13))}
        reaction = f"rxn{structure // 3:06d}"
        rows += [("rtp", reaction, structure, "element", k, v) for k, v in counts.items() if v]
        rows.append(("rtp", reaction, structure, "heavy_atoms", "heavy atoms", carbon + nitrogen + oxygen))
        rows.append(("rtp", reaction, structure, "heteroatoms", "heteroatoms", nitrogen + oxygen))
        if structure % 3:
            for name, top in (("single", 14), ("double", 4), ("triple", 2), ("aromatic", 1)):
                rows.append(
                    (
                        "rtp",
                        reaction,
                        structure,
                        "bonds",
                        name,
                        int(generator.integers(0, top)) + (4 if top == 14 else 0),
                    )
                )
    write_table(
        results,
        COMPOSITION,
        pd.DataFrame(rows, columns=["set", "reaction", "structure", "kind", "name", "count"]).assign(
            reason=""
        ),
        made_from("rtp"),
    )
