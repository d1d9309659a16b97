"""A full inbox pauses its own partition until half is folded, and never blocks a delivery."""

from agents.runtime.inbox import BYTES_MAX, Chunk, Inbox


def chunk(size: int) -> Chunk:
    """Make a chunk of so many bytes."""
    return Chunk("t", 0, 1, 0, 0, [], size, 1)


def test_it_pauses_when_full_and_resumes_when_half_empty() -> None:
    """Once each, not at every chunk."""
    calls: list[str] = []
    inbox = Inbox(lambda: calls.append("pause"), lambda: calls.append("resume"))
    quarter = BYTES_MAX // 4

    for _ in range(6):
        inbox.put(chunk(quarter))

    assert calls == ["pause"]
    assert inbox.size == 6 * quarter

    for _ in range(3):
        inbox.get()
    assert calls == ["pause"]
    inbox.get()
    assert calls == ["pause", "resume"]


def test_chunks_come_out_in_order() -> None:
    """First in, first out; empty says None."""
    inbox = Inbox(lambda: None, lambda: None)
    for size in (1, 2, 3):
        inbox.put(chunk(size))

    taken = [inbox.get() for _ in range(4)]

    assert [c.size if c else None for c in taken] == [1, 2, 3, None]
    assert len(inbox) == 0
