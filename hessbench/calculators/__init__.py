"""ASE in both directions: potentials of this package as calculators, calculators of users as potentials."""
