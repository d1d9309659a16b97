"""A real Kafka and a real Valkey on this machine without Docker: for demo, tests and a laptop. Never for production.

Everything is loopback, lives in one folder, and ends with the process that started it.
"""

from agents.embedded.kafka import EmbeddedKafka
from agents.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedKafka", "EmbeddedValkey"]
