"""Which partition is a customer's home: Java's default partitioner."""


def home_of(key: bytes, partitions: int) -> int:
    """The partition of a customer: Java's default partitioner over the id."""
    from aiokafka.partitioner import murmur2  # here, for work on files does without a client, which takes long to load

    return int(murmur2(key) & 0x7FFFFFFF) % partitions
