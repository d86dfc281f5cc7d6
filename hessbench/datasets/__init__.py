"""The data set of a run: downloaded, generated or embedded, laid out under data/active."""
