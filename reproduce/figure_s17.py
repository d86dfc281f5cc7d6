"""Figure S17: errors on structures along reaction paths (IRC) against the share of the data trained on.

(a) Energy, (b) force, (c) Hessian RMSE, mean and standard deviation over the models; pale bars: 95 %
intervals over reactions and models; open diamonds: Table 3 of the paper. The horizontal lines in (a) lead
from E-F with 40 and 80 % to E-F-H with half of that, where the SI finds equal errors. The dotted line is
what predicts nothing.
"""

from matplotlib.figure import Figure

from hessbench.experiments.errors import plot as curves
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.plotting.figure import letter, mean_legend, new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Errors along reaction paths against the amount of data"
STAGES = ("evaluate", "baselines")
CLAIMS = (
    "data_efficiency_irc",
    "irc_energy_gain_ef",
    "irc_energy_gain_efh",
    "irc_force_gain_efh",
    "irc_hessian_gap",
)


def draw(results: Results) -> Figure:
    """Draw panels a - c."""
    rmse = rmse_of_models(results)
    figure = new_figure(DOUBLE, 2.75)
    axes = figure.subplots(1, 3)
    for ax, label, quantity in zip(axes, "abc", ("energy", "force", "hessian"), strict=True):
        summary = curves.draw_rmse(ax, rmse, "irc", quantity, results)
        letter(ax, label)
        if quantity == "energy":
            halves = [curves.draw_half(ax, summary, "E-F", percent) for percent in (40, 80)]
    models = rmse.groupby(["loss", "percent"])["seed"].nunique()
    entries = curves.rmse_handles(rmse, results)
    if any(halves):
        entries.append(curves.half_handle("E-F"))
    mean_legend(figure, entries, models, "IRC structures")
    return figure
