"""The AsyncAPI 3.1 document: the catalogue's topics as channels, the JSON Schemas as payloads."""

from collections.abc import Iterable
from typing import Any, Final, get_args

from schemas.catalog import RAW_TOPICS, TOPICS, TopicSpec
from schemas.decisions import Cause
from schemas.envelope import ATTRIBUTE_PREFIX
from schemas.events import EVENT_CLASSES, TOPIC_OF
from schemas.faults import TYPE_PREFIX, TYPE_SUFFIX
from schemas.publishing import CAUSE_HEADER, CONTENT_TYPE, OUTPUT_CLASSES
from schemas.reflection import Struct
from schemas.rejections import HEADER_PREFIX, RefusalReason

Part = dict[str, Any]

ASYNCAPI_VERSION: Final = "3.1.0"
_BINDING_VERSION: Final = "0.5.0"
_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_CLOUDEVENT: Final = ".cloudevent"
_JOURNAL: Final = "journal"
_DEAD_LETTERS: Final = "dead-letters"
_DEAD_LETTER: Final = "dead-letter"
_CAUSE_TRAIT: Final = "cause"
_IMPORTS: Final = "imports"
_CLOCK_TYPES: Final = {"clock.advanced": "ClockAdvanced", "clock.closed": "ClockClosed"}
_INTEGER_SETTINGS: Final = "0123456789-"


def asyncapi_document() -> Part:
    """The whole document, ready to be written as YAML beside the folder `jsonschema`."""
    messages_of = {name: _messages_of(spec) for name, spec in TOPICS.items()}
    traits = {"cloudevents": _cloudevents_trait(), _CAUSE_TRAIT: _cause_trait()}
    public = {name: messages for name, messages in messages_of.items() if messages}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "tierstream",
            "version": TYPE_SUFFIX[2:],
            "description": (
                "Purchases, browsing, support and other events of customers in; changes of their tier and churn risk"
                " out. Values come as plain JSON, as structured CloudEvents, or in binary mode with `ce_` headers and"
                " the CloudEvent's data as value. Instants are RFC 3339, money is whole minor units."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(TOPICS[name], messages) for name, messages in public.items()},
        "operations": {_operation_name(name): _operation(name) for name in public},
        "components": {"messages": _messages(), "messageTraits": traits},
    }


def _messages_of(spec: TopicSpec) -> list[str]:
    """Names of the messages on a topic; none for topics that are nobody else's business."""
    if spec.name == "customer-events":
        return [_JOURNAL]
    if spec.name == _DEAD_LETTERS:
        return [_DEAD_LETTER]
    inputs = [name for name in spec.types if name in EVENT_CLASSES]
    return [*spec.types, *(name + _CLOUDEVENT for name in inputs)]


def _channel(spec: TopicSpec, messages: Iterable[str]) -> Part:
    return {
        "address": spec.name,
        "description": spec.purpose,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topicConfiguration": {
                    name: [value] if name == "cleanup.policy" else _number_or_text(value)
                    for name, value in spec.config.items()
                },
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _number_or_text(value: str) -> int | str:
    return int(value) if not value.strip(_INTEGER_SETTINGS) else value


def _receives(topic: str) -> bool:
    return topic in (*RAW_TOPICS, _IMPORTS)


def _operation_name(topic: str) -> str:
    return f"{'receive' if _receives(topic) else 'send'}-{topic}"


def _operation(topic: str) -> Part:
    return {
        "action": "receive" if _receives(topic) else "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": TOPICS[topic].purpose.partition(".")[0].partition(":")[0],
    }


def _messages() -> Part:
    messages: Part = {}
    for name, event_class in EVENT_CLASSES.items():
        key = f"Any; events of {TOPIC_OF[name]} are keyed by their customer on the way to the journal."
        messages[name] = _message(name, event_class, f"{name}{TYPE_SUFFIX}.json", key=key)
        messages[name + _CLOUDEVENT] = _message(
            TYPE_PREFIX + name + TYPE_SUFFIX, event_class, f"cloudevents/{name}{TYPE_SUFFIX}.json", key=key
        ) | {"contentType": CONTENT_TYPE.decode(), "traits": [{"$ref": "#/components/messageTraits/cloudevents"}]}
    for name, output_class in OUTPUT_CLASSES.items():
        bare = name.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
        messages[bare] = _message(name, output_class, f"{bare}{TYPE_SUFFIX}.json", key="The customer's id.") | {
            "contentType": CONTENT_TYPE.decode(),
            "traits": [{"$ref": f"#/components/messageTraits/{trait}"} for trait in ("cloudevents", _CAUSE_TRAIT)],
        }
    for name, definition in _CLOCK_TYPES.items():
        messages[name] = _payload_message(
            name,
            "A feed with its own clock says how far its time has come.",
            f"journal{TYPE_SUFFIX}.json#/$defs/{definition}",
            key="A zero byte and the type.",
        )
    messages[_JOURNAL] = _payload_message(
        _JOURNAL,
        "An accepted event, or a control record.",
        f"journal{TYPE_SUFFIX}.json",
        key=TOPICS["customer-events"].key,
    )
    messages[_DEAD_LETTER] = _dead_letter()
    return messages


def _message(name: str, struct: Struct, schema_file: str, *, key: str) -> Part:
    summary = (struct.__doc__ or "").strip().partition("\n")[0]
    return _payload_message(name, summary, schema_file, key=key)


def _payload_message(name: str, summary: str, schema_file: str, *, key: str) -> Part:
    return {
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./jsonschema/{schema_file}"}},
        "bindings": _key_binding(key),
    }


def _key_binding(description: str) -> Part:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": _BINDING_VERSION}}


def _cloudevents_trait() -> Part:
    """The attributes that also stand in headers."""
    names = ("specversion", "id", "source", "type", "subject", "partitionkey", "time", "sequence")
    return {
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"type": "string"},
                **{ATTRIBUTE_PREFIX + name: {"type": "string"} for name in names},
            },
        }
    }


def _cause_trait() -> Part:
    """Why a decision was made, for readers that filter without parsing."""
    causes = {"type": "string", "enum": list(get_args(Cause))}
    return {"headers": {"type": "object", "properties": {CAUSE_HEADER: causes}}}


def _dead_letter() -> Part:
    words = ("stage", "detail", "topic", "partition", "offset", "timestamp", "attempts", "app-version")
    return {
        "name": _DEAD_LETTER,
        "summary": "An input that could not be used: value, key and headers as they came, and why.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": [HEADER_PREFIX + "reason"],
            "properties": {
                HEADER_PREFIX + "reason": {"type": "string", "enum": [reason.value for reason in RefusalReason]},
                **{HEADER_PREFIX + word: {"type": "string"} for word in words},
            },
        },
        "payload": {"description": "The original bytes."},
        "bindings": _key_binding("The original's."),
    }
