"""Drawing from results tables: panels that know quantities and trainings, but no figure numbers."""
