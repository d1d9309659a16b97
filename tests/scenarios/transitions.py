"""The transitions of places on ladders: one table, seen in stories and drawn in the documentation.

`python -m tests.scenarios.transitions` writes the drawings and the timelines into docs/explanation/ladders.md.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streams.customer.standing import NO_RANK, LadderStanding
from tests.scenarios.language import Output, Step, Story, stories
from tests.scenarios.playing import Play

FOLDER: Final = Path(__file__).parent
PAGE: Final = FOLDER.parents[1] / "docs" / "explanation" / "ladders.md"
TABLE: Final[dict[str, Any]] = tomllib.loads((FOLDER / "transitions.toml").read_text(encoding="utf-8"))
BLOCK: Final = re.compile(r"(<!-- (diagram|story): ([^\n]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def drawing(name: str) -> str:
    """One diagram of the table in Mermaid."""
    diagram, used = TABLE["diagrams"][name], set()
    rows = []
    for row in diagram["rows"]:
        begin = "[*]" if row["from"] == "outside" else row["from"]
        used |= {row["from"], row["to"]} - {"outside"}
        rows.append(f"    {begin} --> {row['to']}: {row['on'].replace(';', ',').replace(':', ',')}")
    names = [f'    state "{told}" as {state}' for state, told in TABLE["states"].items() if state in used]
    return "\n".join(["```mermaid", "stateDiagram-v2", *names, *rows, "```", ""])


def timeline(story: Story) -> str:
    """A story's steps as a table: when, what happens, what is published."""
    lines = ["| When | What happens | What is published |", "|---|---|---|"]
    for step in story.steps:
        when = step.until or step.go_live or step.at
        published = "; ".join(_told(output) for output in step.expect.publishes) or _stands(step)
        lines.append(f"| {when} | {_happens(step)} | {published} |")
    return "\n".join([*lines, ""])


def written(page: str, told: Mapping[str, Story]) -> str:
    """A page with every drawing and timeline as table and stories have it."""

    def block(found: re.Match[str]) -> str:
        made = drawing(found[3]) if found[2] == "diagram" else timeline(told[found[3]])
        return f"{found[1]}{made}{found[4]}"

    return BLOCK.sub(block, page)


def told() -> dict[str, Story]:
    """Every story by its own name."""
    return {story.story: story for _, story in stories(FOLDER)}


def seen(story: Story) -> set[tuple[str, str]]:
    """The transitions of the first ladder that a story shows, those of the rules and those by hand."""
    play, found = Play(story), set[tuple[str, str]]()
    before = LadderStanding()
    clock = 0
    for step in story.steps:
        play.play(step)
        state = play.state()
        after = state.ladders[0]
        found.add((_by_rules(before, clock), _after(before, after, state.clock)))
        if before.hand is not None or after.hand is not None:
            found.add((_by_hand(before), _by_hand(after)))
        before, clock = after, state.clock
    return found


def _by_rules(standing: LadderStanding, clock: int) -> str:
    if not standing.rank:
        return "outside"
    if standing.grace_until:
        return "grace"
    return "promised" if not standing.review_at and clock < standing.valid_until else "held"


def _after(before: LadderStanding, after: LadderStanding, clock: int) -> str:
    if before.rank and after.rank != before.rank:
        return "higher" if after.rank > before.rank else "lower"
    state = _by_rules(after, clock)
    return "" if state == "held" and before.rank and before.review_at == after.review_at != 0 else state


def _by_hand(standing: LadderStanding) -> str:
    hand = standing.hand
    if hand is None:
        return "rules"
    return "override" if hand.override != NO_RANK else "match"


def _told(output: Output) -> str:
    instant = output.at.removesuffix(" 00:00")
    if output.notice:
        falls = f", falls {output.falls_at.removesuffix(' 00:00')}" if output.falls_at not in {"", "none"} else ""
        return f"{instant}: `downgrade_{output.notice}` of {output.tier}{falls}"
    until = f", until {output.valid_until.removesuffix(' 00:00')}" if output.valid_until not in {"", "none"} else ""
    corrects = ", a correction" if output.corrects not in {"", "none"} else ""
    return f"{instant}: {output.previous or 'none'} → **{output.tier}**{until}{corrects}"


def _stands(step: Step) -> str:
    """Where the customer stands after a step that published nothing."""
    expected = step.expect
    if expected.tier in {"", "none"}:
        return ""
    grace, until = (time.removesuffix(" 00:00") for time in (expected.grace_until, expected.valid_until))
    if grace not in {"", "none"}:
        return f"still {expected.tier}, in grace until {grace}"
    return f"still {expected.tier}" + (f", until {until}" if until not in {"", "none"} else "")


def _happens(step: Step) -> str:
    traits = ", ".join(f"{name} {value}" for name, value in (step.traits or {}).items())
    words = (
        f"order of {step.order.total}" if step.order else "",
        f"refund of {step.refund.amount}" if step.refund else "",
        f"cancellation of {step.cancel}" if step.cancel else "",
        f"override to {step.override.tier}{_until(step.override.until)}" if step.override else "",
        f"match to {step.match.tier}{_until(step.match.until)}" if step.match else "",
        "the override is cleared" if step.clear else "",
        f"membership `{step.joins.programme}` begins{_until(step.joins.until)}" if step.joins else "",
        f"membership `{step.leaves.programme}` ends{_until(step.leaves.until)}" if step.leaves else "",
        f"becomes known: {traits}" if traits else "",
        "a new policy takes effect" if step.activate else "",
        "go-live" if step.go_live else "",
        "time passes" if step.until else "",
    )
    late = f", late: of {step.happened}" if step.happened else ""
    return next(filter(None, words), "a visit") + late


def _until(time: str) -> str:
    return f", until {time}" if time else ""


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), told()), encoding="utf-8")
