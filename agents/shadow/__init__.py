"""A policy tried on live traffic: the journal folded twice, and where the two would leave customers differently."""
