"""Work on Dask workers: on this machine, on others, or in SLURM jobs."""
