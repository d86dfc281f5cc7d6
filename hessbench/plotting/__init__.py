"""Drawing from results tables: panels that know quantities and losses, but no figure numbers."""
