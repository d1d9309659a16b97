"""The meaning: pure folding of one customer's records. No Faust, Kafka, Redis, clock, randomness or environment."""
