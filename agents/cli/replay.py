"""`tierstream replay`: the journal folded again."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators

from agents.cli.options import AsJson, ConfigPath, instant_of, print_json, print_table, progress_bar, say, settings_of
from agents.policy_files import policy_from_file
from agents.replay.fold import FOR_EVER
from agents.replay.journal_file import JournalFile
from agents.replay.journal_topic import JournalTopic
from agents.replay.run import Replay
from agents.replay.run import replay as fold_again
from agents.replay.unit import Options
from agents.settings import Settings
from schemas.catalog import TOPICS
from schemas.clock import format_instant
from streams.policy.parse import canonical

app = App(name="replay")

Positive = Parameter(validator=validators.Number(gt=0))


@app.default
def replay(
    *,
    input: Path | None = None,  # noqa: A002 - the option's name
    policy: Path | None = None,
    out: Path | None = None,
    until: str | None = None,
    snapshots: Path | None = None,
    jobs: Annotated[int | None, Positive] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Fold the journal again, from Kafka or a file, and tell where customers stand; with --out, all that it leads to.

    The files are those of a live run, byte for byte: no worker is asked, and none notices. Dead letters are those of
    the fold; what intake refused never was in the journal.

    Example: tierstream replay --input journal.jsonl --policy stricter.toml --until 2026-03-31T00:00:00Z --out march

    Parameters
    ----------
    input
        Journal in a file: JSONL as `demo --out` writes it, or Parquet with a column `value`. No broker is needed.
    policy
        Fold under this policy from the first event on, instead of the activated ones.
    out
        Folder for tier-changes.jsonl, churn-risk.jsonl, profiles.jsonl, dead-letters.jsonl; from Kafka journal.jsonl.
    until
        Instant with its offset: leave out what was recorded later, and let time pass up to it.
    snapshots
        Folder for snapshots of states and positions: go on from the newest that fits, and leave new ones. They hold
        customers' ids. The change files then begin at the snapshot.
    jobs
        Processes; one per processor by default.
    """
    settings = settings_of(config)
    journal = journal_of(input, settings)
    options = Options(
        topics={name: settings.topic(name) for name in TOPICS},
        dedupe=settings.intake.dedupe,
        policy=canonical(policy_from_file(policy, settings)) if policy else "",
        until=FOR_EVER if (instant := instant_of(until, "--until")) is None else instant,
        journal_lines=out is not None and input is None,
        snapshots=str(snapshots) if snapshots else "",
    )
    with progress_bar("Folding the journal") as told:
        done = fold_again(journal, options, out=out, jobs=jobs, told=told)
    if json:
        print_json(_plain(done, journal.name))
    else:
        _print(done, out)


def journal_of(file: Path | None, settings: Settings) -> JournalFile | JournalTopic:
    """The journal of --input, or Kafka's; ConfigurationError when it is not there."""
    journal = JournalFile(str(file)) if file else JournalTopic(settings)
    journal.check()
    return journal


def _plain(done: Replay, name: str) -> dict[str, object]:
    tally = done.tally
    return {
        "journal": name,
        "events": tally.events,
        "folded": tally.folded,
        "resumed": tally.resumed,
        "customers": tally.customers,
        "latest": format_instant(tally.latest) if tally.latest >= 0 else None,
        "changes": dict(sorted(tally.changes.items())),
        "standings": {name: dict(sorted(counts.items())) for name, counts in sorted(tally.standings.items())},
        "refused": dict(sorted(tally.refused.items())),
        "repeated": tally.repeated,
        "lines": done.lines,
        "processes": done.processes,
        "seconds": round(done.seconds, 3),
    }


def _print(done: Replay, out: Path | None) -> None:
    tally = done.tally
    rows = [
        (name, value, str(n)) for name, counts in sorted(tally.standings.items()) for value, n in counts.most_common()
    ]
    print_table(("standing", "", "customers"), rows)
    say("")
    print_table(("change", "number"), [(kind.replace("_", " "), str(n)) for kind, n in tally.changes.most_common()])
    say("")
    as_of = f" as of {format_instant(tally.latest)}" if tally.latest >= 0 else ""
    say(f"{tally.customers:,} customers, {tally.events:,} events{as_of}.")
    rate = tally.folded / done.seconds if done.seconds else 0
    say(f"{tally.folded:,} events folded in {done.seconds:.1f} s by {done.processes} processes, {rate:,.0f} a second.")
    if tally.resumed:
        say(f"{tally.resumed} parts began at a snapshot: the changes above are those since.")
    if tally.refused:
        say("Refused: " + ", ".join(f"{n} {reason}" for reason, n in tally.refused.most_common()))
    if out is not None:
        say(f"{done.lines:,} lines written to {out}")
