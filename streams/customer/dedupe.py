"""Recognising repeats: hashes of ids, and bounded rings of those seen last."""

from hashlib import blake2b
from typing import Final

HASH_BYTES: Final = 8
RING_EVENTS: Final = 64
"""Repeats of events other than orders are recognised within this many later events of the same customer and kind."""


def hash_of(*parts: str) -> bytes:
    """8 bytes that stand for an id (or a pair of ids): equal by chance once in 10^19."""
    return blake2b("\0".join(parts).encode(), digest_size=HASH_BYTES).digest()


def seen_before(ring: bytearray, hashed: bytes) -> bool:
    """Whether the ring holds the hash; if not, it is entered and the oldest makes room."""
    position = ring.find(hashed)
    while position >= 0:
        if position % HASH_BYTES == 0:
            return True
        position = ring.find(hashed, position + 1)
    ring += hashed
    if len(ring) > RING_EVENTS * HASH_BYTES:
        del ring[:HASH_BYTES]
    return False
