"""What waiting for many remediations costs: the same work done by several sides in turn, and measured alike."""
