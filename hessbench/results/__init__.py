"""Results of a run: stored tables, statistics on them, and the tables for people made of them."""
