"""An explanation in words, line by line: what support can read out on the phone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from schemas.clock import parse_instant
from schemas.decisions import Missing
from schemas.money import minor_to_decimal
from streams.calendar import EPOCH, rules_of
from streams.explain.phrases import PHRASES, Phrases
from streams.explain.report import (
    ByHand,
    Condition,
    Contribution,
    Decided,
    Explanation,
    Judgement,
    LadderExplained,
    RiskExplained,
)
from streams.policy.metrics import METRICS, TRAIT_PREFIX
from streams.policy.phrases import PHRASES as RULE_PHRASES
from streams.policy.phrases import Language, Phrase

LANGUAGES: Final[tuple[Language, ...]] = tuple(PHRASES)
EVENTS_MAX: Final = 12
"""More events of one value are summed up in a line: JSON has them all."""
_MONEY: Final = "_minor"


class Line(NamedTuple):
    """A line and how far it is indented."""

    depth: int
    text: str


def lines_of(explanation: Explanation, language: Language) -> list[Line]:
    """The whole explanation; instants in the policy's time zone, to the second."""
    return list(_Teller(explanation, language).lines())


class _Teller:
    """Tells one explanation in one language."""

    def __init__(self, explanation: Explanation, language: Language) -> None:
        self._told, self._language = explanation, language
        self._say: Phrases = PHRASES[language]
        self._zone = rules_of(explanation.time_zone)

    def lines(self) -> Iterator[Line]:
        told = self._told
        yield Line(
            0,
            self._say.head.format(
                customer=told.customer_id,
                at=self._local(told.as_of),
                zone=told.time_zone,
                policy=told.policy.name,
                hash=told.policy.hash[:12],
                records=told.records,
            ),
        )
        for ladder in told.ladders:
            yield Line(0, "")
            yield from self._ladder(ladder)
        if told.risk is not None:
            yield Line(0, "")
            yield from self._risk(told.risk)
        yield Line(0, "")
        yield Line(0, self._say.checked.format(count=told.rechecked))

    def _ladder(self, ladder: LadderExplained) -> Iterator[Line]:
        say, tier = self._say, ladder.tier
        if tier is None:
            yield Line(0, say.no_tier.format(ladder=ladder.ladder))
        else:
            name, since = self._name(ladder, tier.id), self._local(ladder.since)
            yield Line(0, say.tier.format(ladder=ladder.ladder, tier=name, since=since))
        if ladder.decision is None:
            yield Line(1, say.never)
        else:
            yield Line(1, self._decision(ladder, ladder.decision))
        if (judged := ladder.decided_by) is not None:
            of_tier, _, kind = judged.rule.removeprefix(f"{ladder.ladder}.").rpartition(".")
            sentence = say.why[kind == "enter", judged.met]
            yield from self._judgement(sentence, judged, self._name(ladder, of_tier))
        for hand in ladder.by_hand:
            yield Line(1, self._by_hand(ladder, hand))
        if ladder.held_by != "rules":
            yield Line(1, say.rules_beneath.format(tier=self._name(ladder, ladder.rules_tier)))
        if ladder.keep is not None:
            sentence = say.kept if ladder.keep.met else say.not_kept
            yield from self._judgement(sentence, ladder.keep, self._name(ladder, ladder.rules_tier))
        yield from self._next(ladder)
        yield from self._ahead(ladder)
        for each in ladder.corrections:
            text = say.correction.format(
                at=self._local(each.at),
                after=self._name(ladder, each.tier),
                before=self._name(ladder, each.corrected_tier),
                then=self._local(each.corrected_at),
                event=each.event_id or "-",
            )
            yield Line(1, text)

    def _name(self, ladder: LadderExplained, tier: str | None) -> str:
        """A tier's name in this language; one that the policy no longer has by its id."""
        if tier is None:
            return self._say.none
        names = ladder.names.get(tier, {})
        return names.get(self._language) or names.get("en") or next(iter(names.values()), tier)

    def _decision(self, ladder: LadderExplained, decided: Decided) -> str:
        before = self._name(ladder, decided.previous)
        after = self._name(ladder, ladder.tier.id if ladder.tier else None)
        move = self._say.moves[decided.direction or "lateral"].format(before=before, after=after)
        return self._say.causes[decided.cause].format(move=move, event=decided.event_id or decided.id)

    def _by_hand(self, ladder: LadderExplained, hand: ByHand) -> str:
        say = self._say
        until = say.always if hand.until is None else say.until.format(until=self._local(hand.until))
        text = say.by_hand if hand.kind == "override" else say.match
        tier = self._name(ladder, hand.tier)
        return text.format(tier=tier, actor=hand.actor or say.unknown, until=until, reason=hand.reason or say.unknown)

    def _judgement(self, sentence: str, judged: Judgement, tier: str) -> Iterator[Line]:
        yield Line(1, sentence.format(asked=judged.asked[self._language], tier=tier))
        for condition in judged.conditions:
            yield Line(2, self._condition(condition))
            yield from (Line(3, text) for text in self._events(condition))

    def _condition(self, condition: Condition) -> str:
        say = self._say
        first, last = condition.from_day, condition.to_day
        return say.asked.format(
            mark=say.met if condition.met else say.missed,
            asked=condition.asked[self._language],
            value=self._value(condition),
            span=say.life.format(last=last) if first is None else say.span.format(first=first, last=last),
        )

    def _events(self, condition: Condition) -> Iterator[str]:
        if not condition.contributions and condition.how not in {"stated", "days_since"}:
            yield self._say.no_event
        yield from self._newest(condition, condition.contributions, "{event}")
        yield from self._newest(condition, condition.left, self._say.left)

    def _newest(self, condition: Condition, found: tuple[Contribution, ...], sentence: str) -> Iterator[str]:
        if len(found) > EVENTS_MAX:
            yield sentence.format(event=f"… {len(found) - EVENTS_MAX}")
        for each in found[-EVENTS_MAX:]:
            told = self._say.event.format(
                day=each.day,
                amount=self._amount(condition, each),
                type=self._say.types.get(each.type, each.type.replace(".", " ").replace("_", " ")),
                what=each.what or "",
                id=each.event_id or "-",
            )
            yield sentence.format(event=told)

    def _amount(self, condition: Condition, each: Contribution) -> str:
        if condition.how == "refund_rate":
            return self._say.part.format(amount=self._money(each.amount), of=self._money(each.amount + each.of))
        amount = self._money(each.amount) if condition.unit == "money" else f"{each.amount:+d}"
        if condition.how in {"average", "share", "satisfaction"}:
            return self._say.part.format(amount=amount, of=each.of)
        return amount

    def _value(self, condition: Condition) -> str:
        value, unit = condition.value, condition.unit
        if value is None:
            return self._say.unknown
        if isinstance(value, bool):
            return self._say.yes if value else self._say.no
        if unit == "money" and isinstance(value, int):
            return self._money(value)
        if unit in {"share", "probability"} and isinstance(value, float):
            return f"{value * 100:.2f} %"
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    def _next(self, ladder: LadderExplained) -> Iterator[Line]:
        following = ladder.next
        if following is None:
            return
        name = self._name(ladder, following.tier.id)
        if following.missing:
            yield Line(1, self._say.missing.format(tier=name, missing=self._missing(following.missing)))
        else:
            yield Line(1, self._say.nothing_missing.format(tier=name, asked=following.asked[self._language]))

    def _ahead(self, ladder: LadderExplained) -> Iterator[Line]:
        say = self._say
        for each in ladder.ahead:
            yield Line(1, say.ahead[each.kind].format(at=self._local(each.at), tier=self._name(ladder, each.tier)))
        if ladder.to_keep and ladder.tier is not None:
            yield Line(
                1, say.to_keep.format(tier=self._name(ladder, ladder.tier.id), missing=self._missing(ladder.to_keep))
            )
        if not ladder.ahead and ladder.tier is not None:
            yield Line(1, say.quiet)

    def _missing(self, missing: tuple[Missing, ...]) -> str:
        return self._say.comma.join(dict.fromkeys(self._one_missing(each) for each in missing))

    def _one_missing(self, each: Missing) -> str:
        words, metric = RULE_PHRASES[self._language], each.metric.removesuffix(_MONEY)
        value = self._money(int(each.value)) if each.metric.endswith(_MONEY) else f"{each.value:g}"
        if metric == "balance":
            phrase = words.balances["money" if each.metric.endswith(_MONEY) else "count"]
        elif metric in words.metrics:
            phrase = words.metrics[metric]
        else:
            phrase = Phrase(words.number_trait)
        pattern = phrase.one if phrase.one and each.value == 1 else phrase.many
        told = pattern.format(
            limit=value if self._language == "en" else f" {value}",
            value=value,
            name=words.traits.get(metric.removeprefix(TRAIT_PREFIX), each.where or ""),
            window=self._window(each.window) if metric in METRICS and METRICS[metric].windows != "none" else "",
            where=f" ({each.where}) " if each.where else "",
        )
        return " ".join(told.split())

    def _window(self, name: str) -> str:
        words = RULE_PHRASES[self._language]
        if name == "1d":
            return words.today
        if name.removesuffix("d").isdigit():
            return words.windows["days"].format(days=name.removesuffix("d"))
        kind, _, first = name.partition("_from_")
        if first:
            month, _, day = first.partition("-")
            return words.windows["fixed-year"].format(month=words.months[int(month) - 1], day=int(day))
        found = {str(known): told for known, told in words.windows.items()}
        return found.get(kind.replace("_", "-"), f" {name}")

    def _risk(self, risk: RiskExplained) -> Iterator[Line]:
        say = self._say
        text = say.risk.format(
            band=say.bands[risk.band],
            since=self._local(risk.since),
            days=risk.horizon_days,
            score=f"{risk.score:.1%}",
            alive=f"{risk.p_alive:.1%}",
            count=risk.purchase_days,
            last=risk.last_purchase_day,
        )
        yield Line(0, text)
        if risk.next_band is not None and risk.next_band_at is not None:
            text = say.risk_next.format(at=self._local(risk.next_band_at), band=say.bands[risk.next_band])
            yield Line(1, text)
        else:
            yield Line(1, say.risk_stays)

    def _money(self, minor: int) -> str:
        return f"{minor_to_decimal(minor, self._told.currency)} {self._told.currency}"

    def _local(self, instant: str | None) -> str:
        if instant is None:
            return "-"
        seconds = parse_instant(instant) / 1000
        at = datetime.fromtimestamp(seconds, EPOCH.tzinfo).astimezone(self._zone)
        return at.strftime("%Y-%m-%d %H:%M:%S")
