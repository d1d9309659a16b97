"""A made-up shop: customers whose true behaviour is known, and the events that it would send."""
