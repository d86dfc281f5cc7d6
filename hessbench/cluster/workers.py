"""Who does the work of a command: processes of this machine, or the cluster of params.yaml."""

from hessbench.cluster.settings import load_cluster
from hessbench.system.processes import Workers


def workers(processes: int) -> int | Workers:
    """Give the cluster that the section `cluster` of params.yaml names, else the number of processes.

    Raises
    ------
    ConfigurationError
        The section is wrong.
    """
    config = load_cluster()
    if config is None:
        return processes
    from hessbench.cluster.connection import Cluster  # needs Dask, which is an extra

    return Cluster.configured(config)
