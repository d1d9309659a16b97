"""A customer's history out of a journal written by hand, for tests of explanations."""

from pathlib import Path
from tempfile import TemporaryDirectory

from agents.replay.history import History, history_of
from agents.replay.journal_file import JournalFile
from tests.journal import Journal


def history_in(journal: Journal, customer: bytes) -> History:
    """What of a journal concerns a customer, read as the command reads it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_bytes(b"".join((record.value or b"") + b"\n" for record in journal.records))
        return history_of(JournalFile(str(path)), customer, None, lambda _done, _total: None)
