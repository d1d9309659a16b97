"""The demo: a real Kafka, real purchases, live changes, and workers whose death leaves no trace in the result."""
