"""Results of a run: tables on disk, what belongs to the run, statistics, and tables for people."""
