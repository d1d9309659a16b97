"""`tierstream audit`: proof that what was published, and the state that is kept, are what the journal says."""

from typing import Annotated

from cyclopts import App, Parameter, validators

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, progress_bar, say, settings_of
from agents.processes import in_processes, processors
from agents.replay.audit_partition import Share, Verdict, verify_partitions
from agents.replay.journal_topic import JournalTopic

app = App(name="audit", help="Prove that what was published is what the journal says.")

DIFFERENCE_EXIT_CODE = 1


@app.command
def verify(
    *,
    partition: Annotated[int | None, Parameter(validator=validators.Number(gte=0), help="Only this partition.")] = None,
    jobs: Annotated[
        int | None, Parameter(validator=validators.Number(gt=0), help="Processes; one per processor by default.")
    ] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Fold the journal again and compare every tier change, risk change, profile, dead letter and state byte by byte.

    Workers may run meanwhile: what is judged is as of one commit. Exit code 1 when something differs; the first
    difference of each partition is named, the customer by a reference: the record at the offset tells who it is.

    Example: tierstream audit verify --partition 3
    """
    settings = settings_of(config)
    journal = JournalTopic(settings, partition)
    units = journal.units(1)
    count = min(len(units), jobs or processors())
    total = sum(journal.span(unit)[1] for unit in units)
    shares = [Share(settings, units[first::count]) for first in range(count)]
    with progress_bar("Folding the journal") as told:
        parts = in_processes(verify_partitions, shares, lambda done: told(done, total))
    verdicts = sorted((verdict for part in parts for verdict in part), key=lambda verdict: verdict.partition)
    differing = sum(verdict.differences for verdict in verdicts)
    if json:
        print_json({"differences": differing, "partitions": verdicts})
    else:
        _print(verdicts, differing)
    return DIFFERENCE_EXIT_CODE if differing else 0


def _print(verdicts: list[Verdict], differing: int) -> None:
    figures = ((v.partition, v.position, v.customers, v.outputs, v.differences) for v in verdicts)
    rows = ([f"{figure:,}" for figure in row] for row in figures)
    print_table(("partition", "journal records", "customers", "compared", "differences"), rows)
    say("")
    for verdict in verdicts:
        if verdict.first is not None:
            first = verdict.first
            at = "" if first.offset is None else f" at offset {first.offset}"
            say(f"{first.kind}: {first.topic}[{first.partition}]{at}, customer {first.customer}")
            say(f"  {first.field or 'there'}: expected {first.expected}, found {first.found}")
        if verdict.moved:
            say(f"Partition {verdict.partition} went on meanwhile: its profiles were left out.")
        if verdict.cut:
            say(f"Partition {verdict.partition}: retention has removed the first records of {', '.join(verdict.cut)}.")
    say("Everything is as the journal says." if not differing else f"{differing} records are not as the journal says.")
