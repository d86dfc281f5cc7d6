"""What data generation and experiments share: levels of theory, normal modes, relaxation, dynamics, bands."""
