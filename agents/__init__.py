"""Everything that acts: the only code that knows Faust, Kafka, Prometheus, files and the environment."""
