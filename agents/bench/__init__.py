"""The benchmark: what this version does on this machine, on a real Kafka. It measures the worker that users run."""
