"""Holds what a play has led to against what its story expects: every difference in words, none left out."""

import json
from collections.abc import Iterator
from typing import Any

from agents.stage_metrics import REPEATED
from schemas.clock import format_instant
from streams.customer import daylog
from tests.journal import Published
from tests.scenarios.language import Expected, Output, Step
from tests.scenarios.playing import Play

NONE = "none"
STANDING = ("tier", "since", "grace_until", "band", "contactable", "block", "waiting", "sequences", "purchase_days")
TOLD_IN = {"tier": "tier-changes", "band": "churn-risk"}


class Judge:
    """Knows what it has seen of a play already, so that each step is judged by what it alone brought."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._seen = dict.fromkeys((*TOLD_IN.values(), "dead-letters"), 0)
        self._refused = self._repeats = 0

    def differences(self, step: Step) -> list[str]:
        """What is not as the step expects it."""
        return [
            *self._outputs(step.expect),
            *self._refusals(step),
            *self._repeated(step.expect),
            *self._standing(step.expect),
            *self._sums(step),
        ]

    def _outputs(self, expected: Expected) -> Iterator[str]:
        for word, topic in TOLD_IN.items():
            found = [record.data for record in self._new(topic)]
            if topic not in self._play.story.watch:
                continue
            told = [output for output in expected.publishes if getattr(output, word)]
            if len(found) != len(told):
                said = [f"{data['effective_at']} {_name(data[word])} ({data['cause']})" for data in found]
                yield f"{topic}: {len(told)} expected, {len(found)} published: {said}"
            for output, data in zip(told, found, strict=False):
                yield from _differing(f"{topic} ", self._told(output, word), _published(data, word))

    def _told(self, output: Output, word: str) -> dict[str, Any]:
        """What the story says about an output, with times as outputs write them."""
        told: dict[str, Any] = {
            name: value for name in output.__struct_fields__ if (value := getattr(output, name)) not in ("", None)
        }
        for name in ("at", "valid_until", "grace_until", "next_band_at"):
            if name in told:
                told[name] = self._time(told[name])
        if "corrects" in told and told["corrects"] != NONE:
            changes = self._play.committed.of(TOLD_IN[word], self._play.key)
            told["corrects"] = changes[int(told["corrects"]) - 1].data["id"]
        if "value_at_risk" in told:
            told["value_at_risk"] = self._play.minor(told["value_at_risk"])
        return told

    def _refusals(self, step: Step) -> Iterator[str]:
        play = self._play
        found = play.refused_by_intake[self._refused :]
        self._refused = len(play.refused_by_intake)
        for record in self._new("dead-letters"):
            found.append((record.header["tierstream-dlq-reason"].decode(), record.value or b""))
        told = [(refusal.reason, play.sent[refusal.sent or step.at]) for refusal in step.expect.refuses]
        if told != found:
            yield f"refused: expected {told}, found {found}"

    def _repeated(self, expected: Expected) -> Iterator[str]:
        total = self._play.stage.counts[REPEATED, "customers"]
        found, self._repeats = total - self._repeats, total
        yield from _differing("", {"repeats": expected.repeats}, {"repeats": str(found)})

    def _standing(self, expected: Expected) -> Iterator[str]:
        told = {word: value for word in STANDING if (value := getattr(expected, word)) not in ("", None)}
        if not told:
            return
        for word in ("since", "grace_until"):
            if word in told:
                told[word] = self._time(told[word])
        state, profile = self._play.state(), self._play.profile().data
        place = profile["tiers"][0] if profile["tiers"] else {"tier": None, "since": None, "grace_until": None}
        found: dict[str, Any] = {
            "tier": _name(place["tier"]),
            "since": place["since"],
            "grace_until": place["grace_until"],
            "band": _name(profile["customer"]["risk_band"]),
            "contactable": {k: v for k, v in profile["customer"]["contactable"].items() if v != "unknown"},
            "block": {name: _text(profile["customer"][name]) for name in told.get("block", ())},
            "waiting": str(len(state.waiting)),
            "sequences": {
                topic: str(n)
                for topic, n in zip((*TOLD_IN.values(), "notices"), state.sequences, strict=True)
                if topic in told["sequences"]
            }
            if "sequences" in told
            else {},
            "purchase_days": str(state.purchase_days),
        }
        yield from _differing("", told, found)

    def _sums(self, step: Step) -> Iterator[str]:
        """Windows as of the step's day, also where nothing happened since."""
        for metric in ("spend", "orders", "visits", "tickets"):
            told = getattr(step.expect, metric)
            if told is None:
                continue
            state = self._play.state()
            as_of = self._play.day(step)
            daylog.advance(state, as_of)
            for window, amount in told.items():
                days = None if window == "lifetime" else int(window.removesuffix("d"))
                value = daylog.total(state, metric, days, as_of)
                wanted = self._play.minor(amount) if metric == "spend" else int(amount)
                yield from _differing(f"{metric} ", {window: wanted}, {window: value})

    def _new(self, topic: str) -> list[Published]:
        records = self._play.committed.of(topic, self._play.key)
        new, self._seen[topic] = records[self._seen[topic] :], len(records)
        return new

    def _time(self, told: str) -> str | None:
        return None if told == NONE else format_instant(self._play.instant(told))


def _name(value: Any) -> str:  # noqa: ANN401 - a tier, a band or null
    if value is None:
        return NONE
    return str(value["id"]) if isinstance(value, dict) else str(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _published(data: dict[str, Any], word: str) -> dict[str, Any]:
    """An output in the story's words."""
    return {
        "at": data["effective_at"],
        word: _name(data[word]),
        "previous": _name(data[f"previous_{word}"]),
        "direction": data.get("direction"),
        "cause": data["cause"],
        "reasons": [
            f"{r['rule']}: {r['metric']} {r['window']} {r['value']} {r['operator']} {r['threshold']}"
            for r in data["reasons"]
        ],
        "corrects": data["corrects"] or NONE,
        "valid_until": data.get("valid_until"),
        "grace_until": data.get("grace_until"),
        "missing": [
            f"{m['metric']} {m['window']} {m['value']}" for m in (data.get("next_tier") or {"missing": []})["missing"]
        ],
        "next_band": _name(data.get("next_band")),
        "next_band_at": data.get("next_band_at"),
        "value_at_risk": data.get("value_at_risk_minor"),
        "drivers": [("+" if d["contribution"] > 0 else "-") + d["code"] for d in data.get("drivers", ())],
        "action": data.get("suggested_action") or NONE,
        "model": (data.get("model") or {}).get("name"),
    }


def _differing(where: str, told: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for word, value in told.items():
        if found[word] != value:
            yield f"{where}{word}: expected {value}, found {found[word]}"
