"""Training with other weights, and errors."""
