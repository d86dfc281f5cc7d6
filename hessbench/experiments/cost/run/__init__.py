"""Training with exact and estimated Hessians, its processor time, and errors."""
