"""Sends what is simulated straight to Kafka, by the way that `tierstream feed` takes."""

import time

from agents.errors import ConfigurationError
from agents.feed import Report, Told, at_rate, feed_in_time, feed_lines
from agents.feed_file import Ready, judged
from agents.settings import Settings
from agents.simulator.run import Simulated, feed_id
from agents.simulator.shop import Options, Shop
from schemas.clock import MS_PER_DAY, MS_PER_SECOND, format_instant

MARGIN_DAYS = 3
"""Between what is advised and the limits: the zone's midnight, and the time that sending takes."""


def by_event_clock(settings: Settings) -> bool:
    """Whether the application reads its input in order of time: then it is sent so, and tells the time."""
    return settings.intake.clock == "event"


def refuse_days_out_of_reach(settings: Settings, shop: Shop) -> None:
    """ConfigurationError when intake, on the broker's clock, would refuse events as too late or ahead of their time."""
    if by_event_clock(settings):
        return
    now, time_of_shop = int(time.time() * MS_PER_SECOND), shop.time
    ahead = time_of_shop.ends_at > now + settings.intake.ahead_limit_s * MS_PER_SECOND
    if not ahead and time_of_shop.begins_at >= now - settings.late_limit_ms:
        return
    days = max(1, min(shop.options.days, settings.intake.late_limit_days - MARGIN_DAYS))
    start = format_instant(now - (days + 1) * MS_PER_DAY)[:10]
    raise ConfigurationError(
        "The simulated days lie ahead of now." if ahead else "The simulated days lie too far back.",
        where=f"{format_instant(time_of_shop.begins_at)[:10]} and {shop.options.days} days on",
        why=f"on the broker's clock, intake refuses what is ahead or over {settings.intake.late_limit_days} days old",
        next_step=f"--days {days} --start {start}, or an application with [intake] clock = event",
    )


def send(
    settings: Settings, options: Options, shop: Shop, simulation: Simulated, *, rate: float | None, told: Told
) -> Report:
    """Send all events, not faster than `rate` a second. The same simulation sent again changes nothing."""
    lines = (judged(value, number) for number, value in enumerate(simulation.events, 1))
    paced = at_rate(lines, rate) if rate else lines
    if by_event_clock(settings):
        events = (line for line in paced if isinstance(line, Ready))
        return feed_in_time(settings, events, feed_id=feed_id(options), until=shop.time.ends_at, told=told)
    return feed_lines(settings, paced, feed_id=feed_id(options), told=told)
