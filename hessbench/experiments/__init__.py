"""The experiments of the paper, a folder each."""
