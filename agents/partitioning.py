"""Which partition is a customer's home: Java's default partitioner."""


def home_of(key: bytes, partitions: int) -> int:
    """The partition of a customer: Java's default partitioner over the id."""
    from kafka.partitioner.default import murmur2

    return int(murmur2(key) & 0x7FFFFFFF) % partitions
