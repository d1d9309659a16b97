"""The JSON Schema of policy files, for editors: made from the tables that the files are read by.

It catches what stands in one place: unknown keys, wrong types and units, filters and windows that a metric does not
take. What depends on other places (unreachable tiers, unknown ladders) `tierstream policy check` tells.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from streams.policy import keys
from streams.policy.ladders import CLOCKS
from streams.policy.metrics import METRICS, NUMBER_TRAITS, TRAIT_PREFIX, TRAITS, Metric, Unit
from streams.policy.model import BAND_NAMES
from streams.policy.presets import preset_names
from streams.policy.thresholds import EQUALITY, ORDERING
from streams.policy.windows import PLAIN_SPELLINGS

Schema: TypeAlias = dict[str, Any]

SCHEMA_PATH: Final = "docs/reference/policy.schema.json"
_ID: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}
_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 200}
_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _TEXT}]}
_DAYS: Final[Schema] = {"type": "string", "pattern": r"^\d{1,4} days?$"}
_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
_MONTH_AND_DAY: Final = (
    r"(02-(0[1-9]|1\d|2[0-8])|(0[469]|11)-(0[1-9]|[12]\d|30)|(0[13578]|1[02])-(0[1-9]|[12]\d|3[01]))"
)
_ROLLING: Final = rf"^([1-9]|[1-9]\d|[1-3]\d\d|400) days?$|^year from {_MONTH_AND_DAY}$"
_SINCE_CHANGE: Final = "since last change"


def file_schema() -> Schema:
    """The whole schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tierstream policy",
        "description": "Rules of customer tiers and of churn risk; each key is explained in docs/reference/policy.md",
        **_table({"policy": _policy(), "ladder": {"type": "array", "items": _ladder()}, "churn": _churn()}, ["policy"]),
        "if": {"properties": {"policy": {"required": ["extends"]}}},
        "else": {
            "required": ["ladder"],
            "properties": {
                "ladder": {"minItems": 1, "items": {"required": ["id", "tier"], **_complete_tiers()}},
                "churn": {"required": ["model", "horizon", "bands"]},
            },
        },
        "$defs": {
            "amount": {
                "anyOf": [_AMOUNT, {"type": "object", "propertyNames": {"pattern": "^[A-Z]{3}$"}, **_values(_AMOUNT)}]
            },
            "group": {"anyOf": [_group(word) for word in keys.GROUPS], "description": "`any`, `all` or `not`"},
            "part": {"anyOf": [{"$ref": "#/$defs/group"}, {"$ref": "#/$defs/condition"}]},
            "condition": {"anyOf": [_condition(*case) for case in _cases()]},
        },
    }


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"


def _policy() -> Schema:
    given = {"name": _TEXT, "extends": {"enum": list(preset_names())}, "currency": {"pattern": "^[A-Z]{3}$"}}
    return _table(_described({**given, "time_zone": _TEXT}, keys.POLICY), ["name"])


def _ladder() -> Schema:
    given: Mapping[str, Schema] = {
        "id": _ID,
        "audience": {"enum": ["public", "internal"]},
        "review": _review(),
        "validity": {"type": "string", "pattern": r"^\d{1,4} (day|month|year|period)s?$"},
        "grace": _DAYS,
        "keep_ratio": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "step_down": {"type": "integer", "minimum": 1},
        "minimum": {"$ref": "#/$defs/group"},
        "balance": {"enum": ["spend", "orders"]},
        "tier": {"type": "array", "items": _tier()},
    }
    return _table(_described(given, keys.LADDER), [])


def _review() -> Schema:
    given: Mapping[str, Schema] = {
        "clock": {"enum": list(CLOCKS)},
        "of": {"enum": ["tier", "membership"]},
        "starts": {"type": "string", "pattern": f"^{_MONTH_AND_DAY}$"},
    }
    fixed: Schema = {"properties": {"clock": {"const": "fixed-year"}}}
    anniversary: Schema = {"properties": {"clock": {"const": "anniversary"}}}
    return {
        **_table(_described(given, keys.REVIEW), ["clock"]),
        "allOf": [
            {"if": fixed, "then": {"required": ["starts"]}, "else": {"not": {"required": ["starts"]}}},
            {"if": anniversary, "else": {"not": {"required": ["of"]}}},
        ],
    }


def _tier() -> Schema:
    given: Mapping[str, Schema] = {
        "id": _ID,
        "name": {"type": "object", "propertyNames": {"pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}, **_values(_TEXT)},
        "enter": {"$ref": "#/$defs/group"},
        "keep": {"$ref": "#/$defs/group"},
        "benefits": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "service_level": _ID,
        "notice": {"type": "array", "maxItems": 4, "items": _DAYS},
        "deduct": {"anyOf": [{"$ref": "#/$defs/amount"}, {"type": "integer", "minimum": 1}]},
    }
    return _table(_described(given, keys.TIER), ["id"])


def _complete_tiers() -> Schema:
    return {"properties": {"tier": {"minItems": 1, "items": {"required": ["id", "enter"]}}}}


def _churn() -> Schema:
    parameter: Schema = {"type": "number", "exclusiveMinimum": 0}
    own = _table({"name": _ID, **dict.fromkeys(("r", "alpha", "a", "b"), parameter)}, ["name", "r", "alpha", "a", "b"])
    edge: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    given: Mapping[str, Schema] = {
        "model": {"anyOf": [{"type": "string"}, own]},
        "horizon": _DAYS,
        "bands": {
            "type": "array",
            "minItems": 1,
            "items": _table({"name": {"enum": list(BAND_NAMES)}, "below": edge}, ["name"]),
        },
        "hysteresis": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        "actions": _table(dict.fromkeys(BAND_NAMES, _ID), []),
        "value_horizon": _DAYS,
        "discount": {"type": "number", "minimum": 0, "maximum": 1},
    }
    return _table(_described(given, keys.CHURN), [])


def _group(word: str) -> Schema:
    part: Schema = {"$ref": "#/$defs/part"}
    held: Schema = part if word == "not" else {"type": "array", "minItems": 1, "items": part}
    return _table({word: {**held, "description": keys.GROUPS[word]}}, [word])


def _cases() -> Iterable[tuple[list[str], Metric, tuple[Unit, ...]]]:
    """Names that a condition may give, their metric, and the units in which they are compared."""
    for name, metric in METRICS.items():
        if name != "trait":
            yield [name], metric, ("money", "count") if metric.unit == "word" else (metric.unit,)
    numbers = [TRAIT_PREFIX + trait for trait in TRAITS if trait in NUMBER_TRAITS]
    yield numbers, METRICS["trait"], ("count",)
    words = [TRAIT_PREFIX + trait for trait in TRAITS if trait not in NUMBER_TRAITS]
    yield words, METRICS["trait"], ("text",)


def _condition(names: list[str], metric: Metric, units: tuple[Unit, ...]) -> Schema:
    given: dict[str, Schema] = {"metric": {"enum": names, "description": metric.told}}
    required = ["metric"]
    if metric.windows != "none":
        plain = [text for text in PLAIN_SPELLINGS if text != _SINCE_CHANGE or metric.windows == "all"]
        given["window"] = {"anyOf": [{"enum": plain}, {"type": "string", "pattern": _ROLLING}]}
        required.append("window")
    if metric.filtered:
        given |= _described(_filters(), keys.FILTERS)
    if metric.parameter in keys.PARAMETERS:
        word = _DAYS if metric.parameter == "horizon" else _ID
        given |= _described({metric.parameter: word}, keys.PARAMETERS)
        required += [] if metric.parameter == "horizon" else [metric.parameter]
    compared = {operator: schema for unit in units for operator, schema in _compared(unit).items()}
    if len(units) > 1:
        first, second = (_compared(unit) for unit in units)
        compared = {operator: {"anyOf": [first[operator], second[operator]]} for operator in first}
    told = {word: {**schema, "description": keys.OPERATORS[word]} for word, schema in compared.items()}
    needs_filter = {"anyOf": [{"required": [word]} for word in _filters()]} if names == ["order_share"] else {}
    one: Schema = {"oneOf": [{"required": [operator]} for operator in compared]}
    return {**_table({**given, **told}, required), **one, **needs_filter}


def _filters() -> dict[str, Schema]:
    amount: Schema = {"$ref": "#/$defs/amount"}
    words = {"channel": _TEXTS, "channel_type": {"enum": ["online", "offline"]}, "category": _TEXTS, "store": _TEXTS}
    return {**words, "order_at_least": amount, "order_below": amount}


def _compared(unit: Unit) -> dict[str, Schema]:
    """Each comparison that a unit takes, with what may stand on its right."""
    match unit:
        case "flag":
            return {"is": {"type": "boolean"}}
        case "text":
            return dict(zip(EQUALITY, (_TEXT, _TEXTS), strict=True))
        case "money":
            return {word: {"$ref": "#/$defs/amount"} for word in ORDERING}
        case "count" | "days":
            least = {"at_least": 1, "below": 1}
            return {word: {"type": "integer", "minimum": least.get(word, 0)} for word in ORDERING}
        case _:
            upper = 100 if unit == "percent" else 1
            return {word: {"type": "number", "minimum": 0, "maximum": upper} for word in ORDERING}


def _table(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _values(schema: Schema) -> Schema:
    return {"minProperties": 1, "additionalProperties": schema}


def _described(given: Mapping[str, Schema], words: Mapping[str, keys.Key]) -> dict[str, Schema]:
    return {name: {**schema, "description": _sentence(words[name])} for name, schema in given.items()}


def _sentence(key: keys.Key) -> str:
    return f"{key.told} Default: {key.default}. {key.limits[:1].upper()}{key.limits[1:]}."
