"""What waits for Redis: one record per customer, the topic's last, and nothing that an erasure ended."""

from agents.profiles.waiting import Waiting, WaitingProfiles


def _filled(*records: tuple[str, bytes | None]) -> tuple[WaitingProfiles, list[bool]]:
    waiting = WaitingProfiles()
    return waiting, [waiting.add(name.encode(), 0, value, at) for at, (name, value) in enumerate(records)]


def _waiting(value: bytes | None, at: int, *, erased_before: bool = False) -> Waiting:
    return Waiting(0, value, erased_before, at)


def test_the_last_record_of_a_customer_wins() -> None:
    """A burst is written once."""
    waiting, replaced = _filled(("a", b"1"), ("b", b"1"), ("a", b"2"), ("a", b"3"))

    assert replaced == [False, False, True, True]
    assert dict(waiting.first(9)) == {b"b": _waiting(b"1", 1), b"a": _waiting(b"3", 3)}


def test_an_erasure_replaces_what_came_before() -> None:
    """And is itself what is written."""
    waiting, _ = _filled(("a", b"1"), ("a", None))

    assert dict(waiting.first(9))[b"a"] == _waiting(None, 1)


def test_a_life_after_an_erasure_remembers_it() -> None:
    """However many profiles come then: what Redis holds is of an earlier life."""
    waiting, _ = _filled(("a", b"9"), ("a", None), ("a", b"1"), ("a", b"2"))

    assert dict(waiting.first(9))[b"a"] == _waiting(b"2", 3, erased_before=True)


def test_what_was_written_begins_anew() -> None:
    """An erasure that is done is not remembered for the next burst."""
    waiting, _ = _filled(("a", None))
    waiting.done([b"a"])
    waiting.add(b"a", 0, b"1", 5)

    assert dict(waiting.first(9)) == {b"a": _waiting(b"1", 5)}


def test_those_whose_last_record_is_oldest_go_first() -> None:
    """And they stay until they are done."""
    waiting, _ = _filled(("a", b"1"), ("b", b"1"), ("c", b"1"), ("a", b"2"))

    assert [name for name, _ in waiting.first(2)] == [b"b", b"c"]
    assert len(waiting) == 3


def test_a_partition_that_left_is_forgotten_alone() -> None:
    """Its next owner reads it again."""
    waiting = WaitingProfiles()
    waiting.add(b"a", 0, b"1", 1)
    waiting.add(b"b", 1, b"1", 1)
    waiting.forget(0)

    assert [name for name, _ in waiting.first(9)] == [b"b"]
