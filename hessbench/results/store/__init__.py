"""Results tables on disk: their columns, one writer, one reader, the identity of a run."""
