"""Two policies side by side give what each gives alone, record by record."""

from collections import Counter
from pathlib import Path

from agents.replay.event_files import CHANGES
from agents.replay.journal_file import JournalFile
from tests.unit.agents.replay.journals import files, replayed, strict_policy, write_journal
from tests.unit.agents.replay.side_by_side import Walk

UNIT = "share-0-of-1"


def test_two_policies_side_by_side(tmp_path: Path) -> None:
    """The activated ones, and another from the begin on; every event is there once."""
    path = write_journal(tmp_path, 4)
    walk = Walk(JournalFile(str(path)), UNIT, [None, strict_policy()])
    judged = list(walk)
    replayed(path, tmp_path / "as it was")
    replayed(path, tmp_path / "strict", policy=strict_policy())

    for place, folder in enumerate(("as it was", "strict")):
        written = files(tmp_path / folder)
        expected = Counter({topic: len(written[f"{topic}.jsonl"].splitlines()) for topic in CHANGES})
        assert Counter(change.topic for one in judged for change in one.outcomes[place].changes) == expected
    assert Counter(one.entry.offset for one in judged if one.entry) == Counter(
        entry.offset
        for entries, _ in JournalFile(str(path)).read(UNIT, 0)
        for entry in entries
        if entry.key[:1] != b"\0"
    )
    caused = [(one, change) for one in judged for change in one.outcomes[1].changes if change.decision.cause == "event"]
    assert caused
    assert all(one.entry and change.decision.customer_id.encode() == one.customer for one, change in caused)
    assert any(one.entry is None for one in judged)
