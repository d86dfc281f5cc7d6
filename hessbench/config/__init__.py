"""What all settings share: validated sections, YAML, the protocol of the paper, what results come from."""
