"""The recipe of a training by a stated procedure: random candidates, halved by validation errors."""
