"""What experiments share that compare trained potentials reaction by reaction."""
