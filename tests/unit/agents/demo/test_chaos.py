"""Kills come at random moments, often enough and not for ever."""

from agents.demo.chaos import KILLS_MAX, LIVE_PAUSE_S, UNPACED_PAUSE_S, Chaos


def strikes(chaos: Chaos, until_s: int) -> list[float]:
    moments = [tenth / 10 for tenth in range(until_s * 10)]
    return [moment for moment in moments if chaos.strikes(moment)]


def test_pauses_between_kills_are_within_their_limits() -> None:
    """Random, but neither in a burst nor never."""
    struck = strikes(Chaos(live=True), 600)
    pauses = [after - before for before, after in zip([0.0, *struck], struck, strict=False)]
    assert min(pauses) >= LIVE_PAUSE_S[0]
    assert max(pauses) <= LIVE_PAUSE_S[1] + 0.2
    assert len({round(pause, 1) for pause in pauses}) > 3


def test_a_paced_demo_is_struck_several_times() -> None:
    """Ninety seconds are enough for half a dozen kills."""
    assert 5 <= len(strikes(Chaos(live=True), 90)) <= KILLS_MAX


def test_kills_end_so_that_the_workers_can_finish() -> None:
    """However long it takes, no more than the maximum."""
    assert len(strikes(Chaos(live=False), int(UNPACED_PAUSE_S[1] * KILLS_MAX * 2))) == KILLS_MAX
