"""Holds what a play has led to against what its story expects: every difference in words, none left out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from agents.stage_metrics import REPEATED
from schemas.clock import format_instant
from streams.customer import daylog
from tests.journal import Published
from tests.scenarios.language import Expected, Output, Step
from tests.scenarios.playing import Play

NONE = "none"
PLACE = ("tier", "since", "valid_until", "grace_until", "override")
STANDING = (*PLACE, "band", "contactable", "block", "waiting", "sequences", "purchase_days")
TOLD_IN = {"tier": "tier-changes", "band": "churn-risk", "notice": "notices"}
TIMES = ("at", "valid_until", "grace_until", "next_band_at", "falls_at", "would_have_fallen_at")


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
            *self._ladders(step.expect),
            *self._sums(step),
        ]

    def _outputs(self, expected: Expected) -> Iterator[str]:
        for word, topic in TOLD_IN.items():
            found = [record.data for record in self._new(topic)]
            if topic not in self._play.story.watch:
                continue
            told = [output for output in expected.publishes if _topic_word(output) == word]
            if len(found) != len(told):
                said = [f"{data['effective_at']} {_published(data, word)[word]} ({data['cause']})" for data in found]
                yield f"{topic}: {len(told)} expected, {len(found)} published: {said}"
            for output, data in zip(told, found, strict=False):
                yield from _differing(f"{topic} ", self._told(output, word), _published(data, word))

    def _told(self, output: Output, word: str) -> dict[str, Any]:
        """What the story says about an output, with times as outputs write them."""
        told: dict[str, Any] = {
            name: value for name in output.__struct_fields__ if (value := getattr(output, name)) not in ("", None)
        }
        for name in TIMES:
            if name in told:
                told[name] = self._time(told[name])
        if "override" in told:
            told["override"] = self._override(told["override"])
        if "withdraws" in told:
            told["withdraws"] = self._play.committed.of("notices", self._play.key)[int(told["withdraws"]) - 1].data[
                "id"
            ]
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
        told |= self._told_place(told)
        state, profile = self._play.state(), self._play.profile().data
        found: dict[str, Any] = {
            **self._place(self._play.policy.ladders[0].id),
            "band": _name(profile["customer"]["risk_band"]),
            "contactable": {k: v for k, v in profile["customer"]["contactable"].items() if v != "unknown"},
            "block": {name: _text(profile["customer"][name]) for name in told.get("block", ())},
            "waiting": str(len(state.waiting)),
            "sequences": {
                topic: str(n)
                for topic, n in zip(TOLD_IN.values(), state.sequences, strict=True)
                if topic in told["sequences"]
            }
            if "sequences" in told
            else {},
            "purchase_days": str(state.purchase_days),
        }
        yield from _differing("", told, found)

    def _ladders(self, expected: Expected) -> Iterator[str]:
        """The places on ladders beside the first."""
        for ladder, told in (expected.on or {}).items():
            yield from _differing(f"{ladder} ", self._told_place(told), self._place(ladder))

    def _told_place(self, told: dict[str, Any]) -> dict[str, Any]:
        place = {word: value for word, value in told.items() if word in PLACE}
        for word in PLACE[1:4]:
            if word in place:
                place[word] = self._time(place[word])
        if "override" in place:
            place["override"] = self._override(place["override"])
        return place

    def _place(self, ladder: str) -> dict[str, Any]:
        """A place as the profile tells it."""
        places: list[dict[str, Any]] = self._play.profile().data["tiers"]
        held = next((place for place in places if place["ladder"] == ladder), None)
        if held is None:
            return {"tier": NONE, **dict.fromkeys(PLACE[1:])}
        return held | {"tier": _name(held["tier"])}

    def _override(self, told: str) -> dict[str, Any] | None:
        if told == NONE:
            return None
        reason, _, until = told.partition(" until ")
        return {"reason": reason, "valid_until": self._time(until) if until else None}

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


def _topic_word(output: Output) -> str:
    return "notice" if output.notice else "tier" if output.tier else "band"


def _name(value: Any) -> str:  # noqa: ANN401 - a tier, a band or null
    if value is None:
        return NONE
    return str(value["id"]) if isinstance(value, dict) else str(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _published(data: dict[str, Any], word: str) -> dict[str, Any]:
    """An output in the story's words."""
    if word == "notice":
        return _noticed(data)
    return {
        "at": data["effective_at"],
        "ladder": data.get("ladder"),
        word: _name(data[word]),
        "previous": _name(data[f"previous_{word}"]),
        "direction": data.get("direction"),
        "cause": data["cause"],
        "reasons": _reasons(data),
        "corrects": data["corrects"] or NONE,
        "valid_until": data.get("valid_until"),
        "grace_until": data.get("grace_until"),
        "missing": _amounts((data.get("next_tier") or {"missing": []})["missing"]),
        "to_keep": _amounts(data.get("to_keep", ())),
        "override": data.get("override"),
        "next_band": _name(data.get("next_band")),
        "next_band_at": data.get("next_band_at"),
        "value_at_risk": data.get("value_at_risk_minor"),
        "drivers": [("+" if d["contribution"] > 0 else "-") + d["code"] for d in data.get("drivers", ())],
        "action": data.get("suggested_action") or NONE,
        "model": (data.get("model") or {}).get("name"),
    }


def _noticed(data: dict[str, Any]) -> dict[str, Any]:
    """A notice in the story's words."""
    return {
        "at": data["effective_at"],
        "ladder": data["ladder"],
        "notice": "averted" if "withdraws" in data else "upcoming",
        "tier": _name(data["tier"]),
        "cause": data["cause"],
        "reasons": _reasons(data),
        "falls_at": data["falls_at"],
        "falls_to": _name(data.get("falls_to")),
        "days_before": str(data.get("days_before")),
        "to_keep": _amounts(data.get("to_keep", ())),
        "withdraws": data.get("withdraws"),
        "would_have_fallen_at": data.get("would_have_fallen_at"),
    }


def _reasons(data: dict[str, Any]) -> list[str]:
    """The rule with its metric, the window with the filter where there is one, then the comparison."""
    return [
        f"{r['rule']}: {_measure(r)} {_text(r['value'])} {r['operator']} {_text(r['threshold'])}"
        for r in data["reasons"]
    ]


def _amounts(missing: Iterable[dict[str, Any]]) -> list[str]:
    return [f"{_measure(m)} {m['value']}" for m in missing]


def _measure(measured: dict[str, Any]) -> str:
    return " ".join(filter(None, (measured["metric"], measured["window"], measured["where"])))


def _differing(where: str, told: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for word, value in told.items():
        if found[word] != value:
            yield f"{where}{word}: expected {value}, found {found[word]}"
