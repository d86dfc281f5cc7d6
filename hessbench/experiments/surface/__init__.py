"""A cut through a potential energy surface (Figure 1)."""
