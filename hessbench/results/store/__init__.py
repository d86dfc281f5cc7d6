"""Results tables on disk: columns, provenance, one writer, one reader; all that every experiment needs."""
