"""The archive of a run: models, results, figures and tables in one folder, and its verification."""
