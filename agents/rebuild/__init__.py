"""The state of the customers stage made anew from the journal: after upgrades, or when a changelog is not trusted."""
