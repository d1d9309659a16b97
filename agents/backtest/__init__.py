"""What another policy would have made of the past: both folded side by side, and where they part."""
