"""The report: one page, without anything from outside, that shows what a run gave."""
