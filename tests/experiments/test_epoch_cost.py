"""The table of epoch times: what is measured, what is extrapolated."""

import numpy as np
import pandas as pd

from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.epoch_cost.run.timing import measure
from hessbench.potential.ani.settings import ANIConfig
from hessbench.results.store.tables import read_table, write_table
from hessbench.training.settings import PAPER_LOSSES, TrainingConfig
from tests.made_up import provenance
from tests.training.synthetic import structures as synthetic


def test_rows(tmp_path):
    losses = {"E": PAPER_LOSSES["e"], "E-F-H": PAPER_LOSSES["efh"]}
    training = TrainingConfig.model_validate(
        {
            "seeds": 1,
            "epochs": 7,
            "batch_size": 4,
            "minimum_steps": 100,
            "losses": {"e": losses["E"].model_dump(), "efh": losses["E-F-H"].model_dump()},
            "optimizer": {"kind": "adam", "learning_rate": 1e-3},
        }
    )
    data = synthetic()
    model = ANIConfig(hidden=(8, 8))
    order = np.arange(len(data))
    rows = measure(data, order, data, losses, model, training, (50, 100), repeats=2, loop_structures=3)
    table = pd.DataFrame(list(rows))
    write_table(tmp_path, EPOCH_COST, table, provenance())
    assert len(read_table(tmp_path, EPOCH_COST)) == 2 * 2 * 2 * 2
    assert (table["seconds"] > 0).all()
    exact, loop = table[table["engine"] == "exact"], table[table["engine"] == "autograd loop"]
    assert not exact["extrapolated"].any()
    assert (exact["timed_structures"] == exact["structures"]).all()
    assert (loop["timed_structures"] == 3).all()
    per_structure = loop.assign(each=loop["seconds"] / loop["structures"])
    spread = per_structure.groupby(["loss", "repeat"])["each"].agg(np.ptp)
    assert (spread < 1e-12).all()
