"""Elements and bonds of the data sets (Figures S1 and S2)."""
