"""Counting the past anew for a policy that needs more than customers' states hold."""
