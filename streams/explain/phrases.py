"""The sentences of an explanation, in English and Chinese; every placeholder is the name of what goes there."""

from typing import Final, NamedTuple

from streams.explain.report import AheadKind
from streams.policy.condition_words import Language


class Phrases(NamedTuple):
    """The words of one language."""

    head: str
    tier: str
    no_tier: str
    never: str
    none: str
    causes: dict[str, str]
    """Of a change of tier, by its cause; `{what}` is what moved."""
    moves: dict[str, str]
    """By direction."""
    why: dict[tuple[bool, bool], str]
    """By whether the rule is a tier's `enter`, and whether it was met."""
    by_hand: str
    match: str
    rules_beneath: str
    until: str
    always: str
    asked: str
    met: str
    missed: str
    unknown: str
    span: str
    life: str
    no_event: str
    event: str
    left: str
    part: str
    kept: str
    not_kept: str
    missing: str
    nothing_missing: str
    to_keep: str
    ahead: dict[AheadKind, str]
    quiet: str
    correction: str
    risk: str
    risk_next: str
    risk_stays: str
    bands: dict[str, str]
    types: dict[str, str]
    yes: str
    no: str
    comma: str
    checked: str


_ENGLISH: Final = Phrases(
    head='Customer {customer} at {at} ({zone}), by the policy "{policy}" ({hash}), from {records} own records:',
    tier="{ladder}: {tier} since {since}.",
    no_tier="{ladder}: no tier.",
    never="Nothing was ever decided on this ladder: no rule has been met yet.",
    none="no tier",
    causes={
        "initial": "{move}.",
        "event": "{move}, after {event}.",
        "time": "{move}, because time passed: nothing had to happen for it.",
        "policy": "{move}, because a new policy took effect.",
        "override": "{move}, because somebody decided so ({event}).",
        "correction": "{move}, to correct what had been said before ({event}).",
        "backfill": "{move}, while the history was loaded.",
        "model": "{move}, because a new model took effect.",
    },
    moves={
        "initial": "The first tier: {after}",
        "upgrade": "A rise from {before} to {after}",
        "downgrade": "A fall from {before} to {after}",
        "lateral": "A change from {before} to {after}",
    },
    why={
        (True, True): "Why: {tier} is reached with {asked}. That was so:",
        (False, True): "Why: {tier} is kept with {asked}. That was so:",
        (False, False): "Why: {tier} is kept with {asked}. That was missing:",
    },
    by_hand="Set by hand to {tier} by {actor}, {until}. The reason given: {reason}",
    match="Matched to {tier} by {actor} because of a standing elsewhere, {until}. The reason given: {reason}",
    rules_beneath="By the rules alone it would be {tier}.",
    until="until {until}",
    always="without an end",
    asked="{mark} {asked}: it was {value}{span}",
    met="✓",
    missed="✗",
    unknown="unknown",
    span=" ({first} to {last})",
    life=" (up to {last})",
    no_event="nothing happened that counts",
    event="{day}  {amount}  {type} {what} [{id}]",
    left="no longer counts: {event}",
    part="{amount} of {of}",
    kept="What keeps {tier}: {asked}. As of now that is so:",
    not_kept="What keeps {tier}: {asked}. As of now that is missing:",
    missing="Still wanted for {tier}: {missing}.",
    nothing_missing="{tier} asks for {asked}.",
    to_keep="To keep {tier} beyond that: {missing}.",
    ahead={
        "fall": "{at}: falls to {tier}, if nothing more happens.",
        "review": "{at}: the tier is reviewed.",
        "notice": "{at}: a notice of the coming fall is sent.",
        "grace_ends": "{at}: the grace period ends.",
        "held_until": "{at}: until then the tier is held, whatever happens.",
        "override_ends": "{at}: what was set by hand ends.",
        "match_ends": "{at}: the match ends.",
    },
    quiet="Time alone changes nothing here.",
    correction="{at}: {after} corrected {before} of {then}, as orders were taken back or came late ({event}).",
    risk="Churn risk: {band} since {since}. Probability of no purchase within {days} days: {score}; of still being a "
    "customer: {alive}. Bought on {count} days, last on {last}.",
    risk_next="{at}: silence alone makes the risk {band}.",
    risk_stays="Silence alone raises the risk no further.",
    bands={"low": "low", "medium": "medium", "high": "high", "very_high": "very high"},
    types={
        "order.completed": "order",
        "order.refunded": "refund of",
        "order.cancelled": "cancellation of",
        "order.state": "state of",
        "browse.activity": "visit",
        "support.ticket_created": "ticket",
        "policy.activated": "new policy",
    },
    yes="yes",
    no="no",
    comma=", ",
    checked="Checked: {count} values were computed again from these events alone, and every decision follows.",
)

# ruff: noqa: RUF001 - Chinese sentences are set with full-width punctuation
_CHINESE: Final = Phrases(
    head="客户 {customer}，截至 {at}（{zone}），依据策略“{policy}”（{hash}）和该客户自己的 {records} 条记录：",
    tier="{ladder}：{tier}，自 {since} 起。",
    no_tier="{ladder}：无等级。",
    never="该等级体系从未作出判定：尚未满足任何条件。",
    none="无等级",
    causes={
        "initial": "{move}。",
        "event": "{move}，由 {event} 引起。",
        "time": "{move}，由时间推移引起，无需任何事件。",
        "policy": "{move}，因新策略生效。",
        "override": "{move}，由人工决定（{event}）。",
        "correction": "{move}，用以更正此前的判定（{event}）。",
        "backfill": "{move}，在导入历史数据期间判定。",
        "model": "{move}，因新模型生效。",
    },
    moves={
        "initial": "首次定级：{after}",
        "upgrade": "由{before}升至{after}",
        "downgrade": "由{before}降至{after}",
        "lateral": "由{before}变为{after}",
    },
    why={
        (True, True): "原因：{tier}的升级条件：{asked}。当时已满足：",
        (False, True): "原因：{tier}的保级条件：{asked}。当时已满足：",
        (False, False): "原因：{tier}的保级条件：{asked}。当时未满足：",
    },
    by_hand="由 {actor} 人工定为{tier}，{until}。理由：{reason}",
    match="由 {actor} 依据其他平台的等级匹配为{tier}，{until}。理由：{reason}",
    rules_beneath="仅按规则应为{tier}。",
    until="有效期至 {until}",
    always="长期有效",
    asked="{mark} {asked}：实际为 {value}{span}",
    met="✓",
    missed="✗",
    unknown="未知",
    span="（{first} 至 {last}）",
    life="（截至 {last}）",
    no_event="没有计入的事件",
    event="{day}  {amount}  {type} {what} [{id}]",
    left="已不再计入：{event}",
    part="{amount} / {of}",
    kept="{tier}的保级条件：{asked}。目前已满足：",
    not_kept="{tier}的保级条件：{asked}。目前未满足：",
    missing="距{tier}还差：{missing}。",
    nothing_missing="{tier}的升级条件：{asked}。",
    to_keep="此后要保住{tier}还需：{missing}。",
    ahead={
        "fall": "{at}：若再无变化，将降为{tier}。",
        "review": "{at}：复核是否保级。",
        "notice": "{at}：发出降级预告。",
        "grace_ends": "{at}：宽限期结束。",
        "held_until": "{at}：在此之前等级保持不变。",
        "override_ends": "{at}：人工定级到期。",
        "match_ends": "{at}：等级匹配到期。",
    },
    quiet="仅凭时间推移不会有变化。",
    correction="{at}：更正为{after}，此前 {then} 判定的{before}所依据的内容已被撤回或补报（{event}）。",
    risk="流失风险：{band}，自 {since} 起。未来 {days} 天内不再购买的概率为 {score}，仍为客户的概率为 {alive}。"
    "共有 {count} 个购买日，最近一次为 {last}。",
    risk_next="{at}：若一直沉默，风险将变为{band}。",
    risk_stays="仅凭沉默，风险不会再升高。",
    bands={"low": "低", "medium": "中", "high": "高", "very_high": "极高"},
    types={
        "order.completed": "订单",
        "order.refunded": "退款，订单",
        "order.cancelled": "取消，订单",
        "order.returned": "退货，订单",
        "order.state": "订单状态",
        "browse.activity": "访问",
        "support.ticket_created": "工单",
        "support.ticket_updated": "工单更新",
        "support.ticket_solved": "工单解决",
        "support.satisfaction_rated": "服务评分",
        "membership.started": "入会",
        "membership.ended": "退会",
        "identity.identified": "资料",
        "tier.override_set": "人工定级",
        "tier.override_cleared": "取消人工定级",
        "tier.match_granted": "等级匹配",
        "policy.activated": "新策略",
    },
    yes="是",
    no="否",
    comma="、",
    checked="已复核：{count} 个数值均仅凭上述事件重新计算，每项判定都由此得出。",
)

PHRASES: Final[dict[Language, Phrases]] = {"en": _ENGLISH, "zh": _CHINESE}
