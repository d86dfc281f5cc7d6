"""Figure 6: errors on perturbed structures (NMS) and time per epoch against the share of the data trained on.

(a) Energy, (b) force, (c) Hessian RMSE, mean and standard deviation over the models; pale bars: 95 %
intervals over reactions and models; open diamonds: Table 4 of the paper. The dotted line in (a) is E-F with
the most data: section 3.8 finds E-F-H below it with 2 %. The finely dotted lines in (a) to (c) are what
predicts nothing. (d) Time per epoch, filled marks: exact engine, open marks: the paper's autograd loop;
grey line: 25 times E-F in that loop.
"""

from matplotlib.figure import Figure

from hessbench.experiments.errors import plot as curves
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.plotting.figure import letter, mean_legend, new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Errors on perturbed structures and cost of training against the amount of data"
STAGES = ("evaluate", "baselines", "epoch_cost")
CLAIMS = (
    "data_efficiency_nms",
    "epoch_cost",
    "nms_energy_gain_vs_ef",
    "nms_energy_gain_vs_e",
    "nms_force_gain",
)


def draw(results: Results) -> Figure:
    """Draw panels a - d."""
    rmse = rmse_of_models(results)
    figure = new_figure(DOUBLE, 4.9)
    axes = figure.subplots(2, 2).ravel()
    for ax, label, quantity in zip(axes, "abc", ("energy", "force", "hessian"), strict=False):
        summary = curves.draw_rmse(ax, rmse, "nms", quantity, results)
        letter(ax, label)
        if quantity == "energy":
            curves.draw_level(ax, summary, "E-F")
    summary = curves.draw_epoch_cost(axes[3], results)
    ratios = ", ".join(f"{engine} {ratio:.1f}" for engine, ratio in curves.cost_ratios(summary).items())
    axes[3].text(
        0.03,
        0.97,
        f"E-F-H : E-F with the most data: {ratios}\n"
        f"(paper: about {results.published.epoch_cost.ratio:g}, grey line)",
        transform=axes[3].transAxes,
        va="top",
        fontsize=5.8,
    )
    letter(axes[3], "d")
    models = rmse.groupby(["loss", "percent"])["seed"].nunique()
    marks = curves.rmse_handles(rmse, results)
    mean_legend(figure, [*marks, *curves.engine_handles("(d) ")], models, "NMS structures")
    return figure
