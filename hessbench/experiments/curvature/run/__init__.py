"""Normal modes of predicted Hessians against those of the reference."""
