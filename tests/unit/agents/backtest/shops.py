"""Real purchases, two policies over a short window, and a backtest of both."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from agents.backtest.run import Backtest, backtest
from agents.backtest.sample import Sample
from agents.backtest.unit import Plan
from agents.demo.cdnow import ENDS_AT, Purchase, order_events, read_purchases
from agents.replay.fold import FOR_EVER
from agents.replay.journal_file import JournalFile
from schemas.clock import format_instant
from schemas.events import InputEvent
from schemas.journal import ClockClosed, encode_journal
from streams.policy.parse import canonical
from tests.journal import policy_of

EVERYBODY = Sample()
WINDOW_DAYS = 90
KEEP_RATIO = "0.8"


def policy_text(silver: str, gold: str, more: str = "") -> str:
    """Two tiers on the spend of 90 days above one for everybody."""
    tiers = "".join(
        f'[[ladder.tier]]\nid = "{tier}"\n'
        f'enter.any = [{{ metric = "spend", window = "{WINDOW_DAYS} days", at_least = "{amount}" }}]\n'
        for tier, amount in (("silver", silver), ("gold", gold))
    )
    return (
        f'[policy]\nname = "at-{silver}-{gold}"\n[[ladder]]\nid = "standing"\nkeep_ratio = {KEEP_RATIO}\n{more}'
        '[[ladder.tier]]\nid = "member"\nenter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]\n'
        + tiers
    )


def write_journal(path: Path, events: Iterable[InputEvent], ends_at: int) -> JournalFile:
    """Events in order of time as a journal."""
    with path.open("wb") as file:
        for event in events:
            event.recordedtime = event.time
            file.write(encode_journal(event) + b"\n")
        file.write(encode_journal(ClockClosed(instant=format_instant(ends_at))) + b"\n")
    return JournalFile(str(path))


def compared(
    journal: JournalFile,
    texts: tuple[str, str],
    *,
    zone: str = "UTC",
    begin: int = -(2**62),
    until: int = FOR_EVER,
    sample: Sample = EVERYBODY,
    jobs: int = 1,
) -> Backtest:
    """The backtest of two policies' texts."""
    current, new = (canonical(policy_of(text, "USD", zone)) for text in texts)
    plan = Plan(current=current, new=new, ladder="standing", begin=begin, until=until, dedupe=True)
    return backtest(journal, plan, sample=sample, jobs=jobs, told=lambda _done, _total: None)


@cache
def some_purchases(share: int = 30) -> tuple[Purchase, ...]:
    """Those of every so many-th CDNOW customer, in order of time."""
    chosen = (purchase for purchase in read_purchases() if int(purchase.customer) % share == 0)
    return tuple(sorted(chosen, key=lambda purchase: purchase.occurred_at))


@cache
def some_journal(share: int = 30) -> JournalFile:
    """Their journal."""
    return write_journal(Path(mkdtemp()) / "journal.jsonl", order_events(some_purchases(share)), ENDS_AT)
