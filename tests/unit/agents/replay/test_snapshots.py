"""Only so many snapshots stay on disk, and a trial's go when it ends, and no others."""

from pathlib import Path

from agents.replay.snapshots import Fit, Head, Snapshots, forget, forget_others


def fit(policy: str) -> Fit:
    """What tells one trial's from another's."""
    return Fit("journal", "1", 2, policy, dedupe=True, unit="0-of-1")


def write(snapshots: Snapshots, made_for: Fit, position: int) -> None:
    """One with one customer."""
    head = Head(made_for, position, position, position, "", [(0, 1)])
    snapshots.write(head, iter([iter([(b"c1", b"%d" % position)])]))


def test_the_newest_stay_and_what_is_forgotten_goes(tmp_path: Path) -> None:
    """Of two trials in one folder, one ends."""
    ours, others = (Snapshots(tmp_path, fit(policy), kept=2) for policy in ("ours", "other"))
    for position in range(4):
        write(ours, fit("ours"), position)
    write(others, fit("other"), 9)
    newest = ours.newest(10, lambda _head: True)

    assert newest is not None
    assert [list(states) for states in newest.states()] == [[(b"c1", b"3")]]
    assert len(list(tmp_path.glob("*.snapshot"))) == 3
    forget(tmp_path, "ours")
    assert ours.newest(10, lambda _head: True) is None
    assert others.newest(10, lambda _head: True) is not None
    forget(tmp_path / "never there", "ours")
    write(ours, fit("ours"), 10)
    forget_others(tmp_path, fit("other"))
    assert ours.newest(10, lambda _head: True) is None
    assert others.newest(10, lambda _head: True) is not None
