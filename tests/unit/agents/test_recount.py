"""What an activation learns from the processes that counted its partitions anew."""

from agents.recount.partition import Counted


def test_partitions_agree_when_they_were_counted_for_one_declaration() -> None:
    """The same counters may have been withdrawn and declared again when half of the partitions were done."""
    done, later = Counted(numbers={0: 1, 1: 1}), Counted(numbers={2: 1})
    done.add(later)
    assert done.agrees

    done.add(Counted(numbers={3: 3}))

    assert done.numbers == {0: 1, 1: 1, 2: 1, 3: 3}
    assert not done.agrees
