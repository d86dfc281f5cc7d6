"""Computing the cut."""
