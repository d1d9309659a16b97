"""Reads the settings: a TOML file, overlaid by the environment. The only reader of `TIERSTREAM_` variables.

All mistakes are reported together, each with its line, or its variable, and what is wrong with it.
"""

import difflib
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs
from msgspec.structs import FieldInfo, fields

from agents.errors import ConfigurationError
from agents.kafka_security import contradictions, is_loopback
from agents.secrets import REDACTED, SecretReference, anchored
from agents.settings import EVENT_CLOCK_TOPIC, RedisSettings, Section, Settings
from agents.user_files import text_of_file
from schemas.formats.record import MAPPED_FORMATS
from streams.policy.positions import lines_of

DEFAULT_FILE = "tierstream.toml"
PREFIX = "TIERSTREAM_"
NOT_SETTINGS = frozenset({"TIERSTREAM_CONFIG"})
"""Variables of ours that are not settings: the path of the file itself."""
PATHS = frozenset(
    {
        ("worker", "data_dir"),
        ("policy", "file"),
        *(("kafka", key) for key in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")),
        *(("redis", key) for key in ("tls_ca", "tls_cert", "tls_key")),
    }
)
"""Settings that name a file: in the file they are relative to it, in the environment to the working folder."""

SECTIONS: Mapping[str, type[Section]] = {field.name: field.type for field in fields(Settings)}


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file (`tierstream.toml` in the working folder, if there is one) and an environment.

    ConfigurationError lists every mistake of both.
    """
    named = path or (Path(environ["TIERSTREAM_CONFIG"]) if "TIERSTREAM_CONFIG" in environ else None)
    file = named or Path(DEFAULT_FILE)
    text = _read(file, must_exist=named is not None)
    reader = _Reader(file, text)
    values = {name: reader.from_file(name, cls) for name, cls in SECTIONS.items()}
    reader.refuse_unknown_tables()
    for name, cls in SECTIONS.items():
        values[name].update(reader.from_environment(name, cls, environ))
    settings = msgspec.convert(values, Settings)
    reader.mistakes.extend(_contradictions(settings))
    if reader.mistakes:
        count = len(reader.mistakes)
        raise ConfigurationError(
            "The settings have a mistake." if count == 1 else f"The settings have {count} mistakes.",
            where=str(file) if text else "the environment",
            why="".join(f"\n    {mistake}" for mistake in reader.mistakes),
            next_step="docs/reference/settings.md lists every setting with its limits",
        )
    return settings


class _Reader:
    """Collects values and mistakes from one file and one environment."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.mistakes: list[str] = []
        try:
            self.document: dict[str, Any] = tomllib.loads(text)
            self.lines = lines_of(text)
        except tomllib.TOMLDecodeError as error:
            self.mistakes.append(f"{file}: not TOML: {error}")
            self.document, self.lines = {}, {}

    def from_file(self, section: str, cls: type[Section]) -> dict[str, Any]:
        """The valid values of a table."""
        table = self.document.get(section, {})
        if not isinstance(table, dict):
            self._report((section,), f"`{section}` is a table: write [{section}]")
            return {}
        known = {field.name: field for field in fields(cls)}
        values = {}
        for key, value in table.items():
            if key not in known:
                self._report((section, key), f"[{section}] has no `{key}`{_meant(key, known)}")
                continue
            try:
                values[key] = _convert(value, known[key], strict=True)
            except msgspec.ValidationError as error:
                shown = REDACTED if _is_secret(known[key]) else repr(value)
                self._report((section, key), f"[{section}] {key} = {shown}: {error}")
            else:
                values[key] = self._from_here(section, key, values[key])
                if _is_secret(known[key]):
                    values[key] = anchored(str(value), self.file.parent)
        return values

    def _from_here(self, section: str, key: str, value: object) -> object:
        """Paths in the file are relative to it."""
        if (section, key) in PATHS and value:
            return str(self.file.parent / str(value))
        if isinstance(value, tuple):
            return tuple(
                structs.replace(source, map=str(self.file.parent / source.map)) if source.map else source
                for source in value
            )
        return value

    def refuse_unknown_tables(self) -> None:
        """Report what stands at the top of the file and is no table of ours."""
        for name in self.document.keys() - SECTIONS.keys():
            self._report((name,), f"there is no [{name}]{_meant(name, SECTIONS)}")

    def from_environment(self, section: str, cls: type[Section], environ: Mapping[str, str]) -> dict[str, Any]:
        """The valid values of a table's variables. Variables of no table of ours are somebody else's."""
        prefix = f"{PREFIX}{section.upper()}_"
        known = {field.name.upper(): field for field in fields(cls)}
        values = {}
        for variable in sorted(environ):
            if not variable.startswith(prefix) or variable in NOT_SETTINGS:
                continue
            field = known.get(variable.removeprefix(prefix))
            if field is None or _is_list(field):
                meant = "" if field else _meant(variable, [prefix + key for key in known])
                reason = "can only be set in the file" if field else f"sets nothing{meant}"
                self.mistakes.append(f"{variable}: {reason}")
                continue
            try:
                values[field.name] = _convert(environ[variable], field, strict=False)
            except msgspec.ValidationError as error:
                shown = REDACTED if _is_secret(field) else environ[variable]
                self.mistakes.append(f"{variable}={shown}: {error}")
        return values

    def _report(self, at: tuple[str, ...], message: str) -> None:
        self.mistakes.append(f"{self.file}:{self.lines.get(at, 1)}: {message}")


def _read(file: Path, *, must_exist: bool) -> str:
    if file.exists():
        return text_of_file(file, "The settings file")
    if not must_exist:
        return ""
    raise ConfigurationError(
        "The settings file does not exist.", where=str(file), next_step="give its path with --config"
    )


def _convert(value: object, field: FieldInfo, *, strict: bool) -> object:
    return msgspec.convert(value, field.type, strict=strict)


def _is_secret(field: FieldInfo) -> bool:
    """Whether the setting names a secret: a wrong value of it may be the secret itself, and is not shown."""
    return SecretReference in (field.type, *typing.get_args(field.type))


def _is_list(field: FieldInfo) -> bool:
    return typing.get_origin(field.type) is tuple


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _contradictions(settings: Settings) -> list[str]:
    """What is valid key by key but not together."""
    mistakes = []
    if settings.policy.file and settings.policy.preset:
        mistakes.append("[policy] names both a `file` and a `preset`: keep one")
    mistakes += contradictions(settings.kafka)
    bound = [source.topic for source in settings.intake.source]
    mistakes += [f"[[intake.source]] binds {topic} twice" for topic in sorted({t for t in bound if bound.count(t) > 1})]
    if settings.intake.clock == "event" and any(topic != EVENT_CLOCK_TOPIC for topic in bound):
        mistakes.append('[intake] clock = "event" reads only the topic `imports`: [[intake.source]] cannot be bound')
    for source in settings.intake.source:
        needs_map = source.format in MAPPED_FORMATS
        if needs_map and source.map is None:
            mistakes.append(f'[[intake.source]] {source.topic}: format = "{source.format}" needs a `map`')
        if source.map is not None and not needs_map:
            mistakes.append(f'[[intake.source]] {source.topic}: format = "{source.format}" takes no `map`')
        if settings.intake.clock == "event" and source.format != "tierstream":
            mistakes.append(f'[[intake.source]] {source.topic}: clock = "event" reads only format = "tierstream"')
    return mistakes + _redis_contradictions(settings.redis)


def _redis_contradictions(redis: RedisSettings) -> list[str]:
    mistakes = []
    if bool(redis.tls_cert) != bool(redis.tls_key):
        mistakes.append("[redis] tls_cert and tls_key belong together: give both or neither")
    if not redis.tls and (redis.tls_ca or redis.tls_cert):
        mistakes.append("[redis] names certificates, but tls is off: set tls = true")
    if redis.host and not (redis.tls or redis.allow_plaintext or is_loopback(redis.host)):
        mistakes.append(
            f"[redis] host = {redis.host} is another machine, and tls is off: set tls = true "
            "(or allow_plaintext = true where the network itself is encrypted)"
        )
    return mistakes
