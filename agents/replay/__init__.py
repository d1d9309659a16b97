"""The journal folded again: another policy, an earlier instant, one customer, or what should have been published."""
