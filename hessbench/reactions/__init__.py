"""Elementary reactions: their geometries, their kinds, those that no model has seen."""
