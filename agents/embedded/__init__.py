"""A real Kafka on this machine without Docker: for the demo, the tests and a laptop. Never for production.

Everything is loopback, lives in one folder, and ends with the process that started it.
"""

from agents.embedded.kafka import EmbeddedKafka

__all__ = ["EmbeddedKafka"]
