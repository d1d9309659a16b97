"""Draws the board with rich. Pure: a board and the size of the terminal in, one renderable out."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.demo import palette
from agents.demo.board import Board, Change, Level, Step, Worker
from agents.demo.strokes import bar, between, curve, track

NARROW, WIDE = 96, 120
"""Columns below which changes are shown with the day, the minute, the second of their instant."""

WHAT_WIDTH = 23
"""Room for `risk medium → very high`."""

_STEP = {
    "waiting": ("·", palette.QUIET),
    "running": ("▸", palette.ACCENT),
    "done": ("✔", palette.GOOD),
    "failed": ("✘", palette.BAD),
}
_WORKER = {"starting": palette.WARN, "working": palette.GOOD, "killed": palette.BAD, "stopped": palette.QUIET}
_ARROW = {1: ("▲", palette.GOOD), 0: ("●", palette.QUIET), -1: ("▼", palette.BAD)}


def draw(board: Board, width: int, height: int) -> RenderableType:
    """The whole screen, exactly `height` lines of `width` columns."""
    bars = max(len(board.tiers), len(board.bands), 4)
    workers = max(len(board.workers), 1)
    taken = 1 + 1 + 3 + (bars + 2) + (workers + 2) + 1
    lines = max(3, height - taken - 2)
    sides = Table.grid(expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    half = width // 2 - 2
    sides.add_row(
        _panel("Tiers", f"{board.customers:,} customers", _bars(board.tiers, palette.ladder_colour, half, bars)),
        _panel(
            "Churn risk",
            f"P(no purchase in {board.horizon_days} d)",
            _bars(board.bands, palette.risk_colour, half, bars),
        ),
    )
    middle = _changes(board, width - 2, lines) if board.changes else _steps(board.steps, lines)
    counts = f"{board.tier_changes:,} of tier · {board.risk_changes:,} of churn risk" if board.changes else ""
    return Group(
        _title(board, width),
        _status(board),
        *_progress(board, width),
        sides,
        _panel("Newest changes" if board.changes else "Starting", counts, middle),
        _panel("Workers", "kill -9 at any moment changes nothing in the result", _workers(board.workers, workers)),
        _footer(board, width),
    )


def verdict(board: Board) -> Text:
    """The one line everything is about: `69,659 in · 3 kills · 0 lost · 0 doubled`."""
    kills = f"{board.kills:,} kill" + ("" if board.kills == 1 else "s")
    text = Text.assemble((f"{board.purchases_in:,} in", palette.TITLE), (" · ", palette.QUIET))
    text.append(kills, palette.WARN if board.kills else palette.TEXT)
    for count, word in ((board.lost, "lost"), (board.doubled, "doubled"), (board.wrong or None, "wrong")):
        if count is None and word == "wrong":
            continue
        text.append(" · ", palette.QUIET)
        if count is None:
            text.append(f"? {word}", palette.QUIET)
        else:
            text.append(f"{count:,} {word}", palette.BAD if count else palette.GOOD)
    return text


def _title(board: Board, width: int) -> Text:
    what = "a simulated shop: nobody here is real" if board.made_up else "CDNOW, real purchases"
    if not board.made_up and not board.purchases_only:
        what += " · browsing and tickets are simulated"
    return between(Text(" tierstream", palette.ACCENT), Text(what + " ", palette.QUIET), width)


def _status(board: Board) -> Text:
    """What is being done now; empty while the list of all steps is on the screen."""
    running = [step for step in board.steps if step.state in {"running", "failed"}]
    if not running or not board.changes:
        return Text()
    return Text(" ").append_text(_step(running[-1]))


def _progress(board: Board, width: int) -> Iterable[Text]:
    weeks = max(1, round((board.ends_at - board.begins_at) / 604_800_000))
    date = _date(board.simulated_at or board.begins_at)
    week = f"week {min(weeks, int(board.done * weeks) + 1)} of {weeks}"
    left = Text.assemble((f" {date}", palette.TITLE), ("  simulated", palette.QUIET))
    yield between(left, Text(f"{week} ", palette.QUIET), width)
    yield Text(" ").append_text(track(board.done, width - 2))
    rate = Text.assemble((f" {board.events_per_s:,.0f}", palette.TITLE), (" events/s  ", palette.QUIET))
    total = Text.assemble((f"{board.purchases_in:,}", palette.TEXT), (" purchases", palette.QUIET))
    if not board.purchases_only:
        others = " others" if board.made_up else " simulated"
        total.append_text(Text.assemble((f"  {board.simulated_in:,}", palette.TEXT), (others, palette.QUIET)))
    total.append(f"  {board.elapsed_s:,.0f} s ", palette.QUIET)
    rate.append_text(curve(board.seconds, width - len(rate) - len(total) - 2))
    yield between(rate, total, width)


def _bars(levels: Sequence[Level], colour: palette.Scale, width: int, lines: int) -> Group:
    """One bar per level, the highest on top, each against the largest."""
    total = sum(level.customers for level in levels)
    most = max((level.customers for level in levels), default=0)
    label = max((len(level.label) for level in levels), default=0)
    rows = []
    for position in reversed(range(len(levels))):
        level = levels[position]
        share = level.customers / total if total else 0.0
        row = Text(f" {level.label:<{label}} ", palette.TEXT)
        numbers = f"{level.customers:>8,} {share:>6.1%}"
        row.append_text(
            bar(
                level.customers / most if most else 0.0,
                width - len(row) - len(numbers) - 1,
                colour(position, len(levels)),
            )
        )
        row.append(numbers, palette.TEXT if level.customers else palette.QUIET)
        rows.append(row)
    return Group(*rows, *[Text()] * (lines - len(rows)))


def _changes(board: Board, width: int, lines: int) -> Group:
    tiers = {level.label: palette.ladder_colour(i, len(board.tiers)) for i, level in enumerate(board.tiers)}
    bands = {level.label: palette.risk_colour(i, len(board.bands)) for i, level in enumerate(board.bands)}
    shown = list(board.changes)[:lines]
    rows = [_change(change, tiers if change.kind == "tier" else bands, width) for change in shown]
    return Group(*rows, *[Text()] * (lines - len(rows)))


def _change(change: Change, colours: dict[str, str], width: int) -> Text:
    sign, colour = _ARROW[change.direction]
    row = Text(no_wrap=True, overflow="ellipsis")
    row.append(f" {_instant(change.effective_at, width)} ", palette.QUIET)
    row.append(f"{change.customer_id:<11} ", palette.TEXT)
    row.append(f"{sign} ", colour)
    what = Text("risk " if change.kind == "risk" else "", palette.QUIET)
    if change.before is not None:
        what.append(change.before, colours.get(change.before, palette.TEXT))
        what.append(" → ", palette.QUIET)
    after = change.after or "none"
    what.append(after, f"bold {colours.get(after, palette.TEXT)}")
    what.pad_right(max(0, WHAT_WIDTH - len(what)))
    row.append_text(what)
    row.append(" ")
    by_time = " by time" if change.by_time else ""
    row.append(_fitting(change.reasons, width - len(row) - len(by_time)), palette.TEXT)
    row.append(by_time, f"italic {palette.QUIET}")
    row.truncate(width, overflow="ellipsis", pad=True)
    return row


def _fitting(reasons: Sequence[str], width: int) -> str:
    """As many reasons as there is room for, the first always; how many are left out."""
    for shown in range(len(reasons), 1, -1):
        left_out = f" +{len(reasons) - shown}" if shown < len(reasons) else ""
        text = ", ".join(reasons[:shown]) + left_out
        if len(text) <= width:
            return text
    return "".join(reasons[:1]) + (f" +{len(reasons) - 1}" if len(reasons) > 1 else "")


def _steps(steps: Sequence[Step], lines: int) -> Group:
    rows = [Text(" ").append_text(_step(step)) for step in steps[-lines:]]
    return Group(*rows, *[Text()] * (lines - len(rows)))


def _step(step: Step) -> Text:
    sign, colour = _STEP[step.state]
    label = (step.label, palette.QUIET if step.state == "waiting" else palette.TEXT)
    return Text.assemble((f"{sign} ", colour), label, (f"  {step.detail}", palette.QUIET))


def _workers(workers: Sequence[Worker], lines: int) -> Group:
    rows = []
    for worker in workers:
        row = Text.assemble(
            (" ● ", _WORKER[worker.state]),
            (f"{worker.name:<10}", palette.TEXT),
            (f"{worker.state:<10}", _WORKER[worker.state]),
            no_wrap=True,
            overflow="ellipsis",
        )
        if worker.pid:
            row.append(f"pid {worker.pid:<8} up {worker.up_s:>4,.0f} s", palette.QUIET)
        if worker.kills:
            row.append(f"   killed {worker.kills} times" if worker.kills > 1 else "   killed once", palette.WARN)
        if worker.unasked_end:
            row.append(f"   {worker.unasked_end}", palette.BAD)
        rows.append(row)
    return Group(*rows, *[Text()] * (lines - len(rows)))


def _footer(board: Board, width: int) -> Text:
    left = Text(" ").append_text(verdict(board))
    if board.notice:
        right = Text(f"{board.notice} ", palette.WARN)
    elif board.keys:
        right = Text.assemble(
            (" k ", "reverse"), (" kill a worker  ", palette.QUIET), (" q ", "reverse"), (" quit ", palette.QUIET)
        )
    else:
        right = Text()
    return between(left, right, width)


def _panel(title: str, hint: str, body: RenderableType) -> Panel:
    heading = Text.assemble((f" {title} ", palette.TITLE))
    if hint:
        heading.append(f"{hint} ", palette.QUIET)
    return Panel(body, title=heading, title_align="left", box=box.ROUNDED, border_style=palette.FRAME, padding=0)


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%a %d %b %Y")


def _instant(ms: int, width: int) -> str:
    """As exact as the width allows: instants are published to the millisecond."""
    form = "%d %b" if width < NARROW else "%Y-%m-%d %H:%MZ" if width < WIDE else "%Y-%m-%d %H:%M:%SZ"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime(form)
