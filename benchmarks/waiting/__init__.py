"""What waiting for many remediations costs: several sides do the same work in turn, measured in the same way."""
