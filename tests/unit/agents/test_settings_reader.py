"""The settings: a file, overlaid by the environment; every mistake is reported at once, with its place."""

from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.settings import Settings, SourceSettings
from agents.settings_reader import load_settings


def _written(folder: Path, text: str) -> Path:
    path = folder / "tierstream.toml"
    path.write_text(text)
    return path


def _mistakes(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(path, environ or {})
    return [line.strip() for line in raised.value.why.strip().splitlines()]


def test_nothing_given_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file and without variables every setting has its default."""
    monkeypatch.chdir(tmp_path)

    assert load_settings(None, {}) == Settings()


def test_the_file_in_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tierstream.toml` needs no --config."""
    _written(tmp_path, "[kafka]\npartitions = 4\n")
    monkeypatch.chdir(tmp_path)

    assert load_settings(None, {}).kafka.partitions == 4


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """A variable wins over its key; its text becomes the key's type."""
    path = _written(tmp_path, '[kafka]\npartitions = 4\nbootstrap = "a:1"\n[intake]\ndedupe = true\n')

    settings = load_settings(path, {"TIERSTREAM_KAFKA_PARTITIONS": "6", "TIERSTREAM_INTAKE_DEDUPE": "false"})

    assert (settings.kafka.partitions, settings.kafka.bootstrap, settings.intake.dedupe) == (6, "a:1", False)


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    """Unknown tables and keys, wrong types, limits and variables: one report, each with its line or variable."""
    path = _written(
        tmp_path, '[kafka]\npartition = 4\nbootstrap = "nowhere"\n[worker]\ncommit_interval_ms = 1\n[kafak]\n'
    )

    mistakes = _mistakes(path, {"TIERSTREAM_KAFKA_PARTITIONS": "many", "TIERSTREAM_LOG_COLOUR": "red"})

    assert [mistake.removeprefix(str(tmp_path)).split(": ")[0] for mistake in mistakes] == [
        "/tierstream.toml:2",
        "/tierstream.toml:3",
        "/tierstream.toml:5",
        "/tierstream.toml:6",
        "TIERSTREAM_KAFKA_PARTITIONS=many",
        "TIERSTREAM_LOG_COLOUR",
    ]
    assert "did you mean `partitions`?" in mistakes[0]
    assert ">= 10" in mistakes[2]
    assert "did you mean `kafka`?" in mistakes[3]


def test_text_that_is_no_toml_is_one_mistake(tmp_path: Path) -> None:
    """The parser's own words say where."""
    mistakes = _mistakes(_written(tmp_path, "[kafka\n"))

    assert len(mistakes) == 1
    assert "not TOML" in mistakes[0]


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A mistyped --config never falls back to the defaults."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_settings(tmp_path / "other.toml", {})


def test_paths_in_the_file_start_at_the_file(tmp_path: Path) -> None:
    """The same file works from every working folder; a variable's path starts where the command runs."""
    path = _written(tmp_path, '[policy]\nfile = "rules.toml"\n[worker]\ndata_dir = "/var/lib/ts"\n')

    assert load_settings(path, {}).policy.file == str(tmp_path / "rules.toml")
    assert load_settings(path, {}).worker.data_dir == "/var/lib/ts"
    assert load_settings(path, {"TIERSTREAM_POLICY_FILE": "mine.toml"}).policy.file == "mine.toml"


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """A policy comes from a file or a preset; a topic is bound once; the event clock has one topic."""
    path = _written(
        tmp_path,
        '[policy]\nfile = "a"\npreset = "b"\n[intake]\nclock = "event"\n'
        '[[intake.source]]\ntopic = "shop"\n[[intake.source]]\ntopic = "shop"\n',
    )

    assert len(_mistakes(path)) == 3


def test_variables_of_no_table_are_left_alone() -> None:
    """A cluster injects variables named after its services: they are not ours to refuse."""
    assert load_settings(None, {"TIERSTREAM_SERVICE_HOST": "10.0.0.1"}) == Settings()


def test_the_prefix_is_for_our_topics_only() -> None:
    """A bound topic of somebody else keeps its name; a bound raw topic stays ours."""
    settings = load_settings(None, {"TIERSTREAM_KAFKA_TOPIC_PREFIX": "test."})
    bound = Settings(
        kafka=settings.kafka,
        intake=type(settings.intake)(source=(SourceSettings(topic="shop"), SourceSettings(topic="browsing"))),
    )

    assert settings.topic("tier-changes") == "test.tier-changes"
    assert set(bound.sources()) - set(settings.sources()) == {"shop"}


def test_the_event_clock_reads_its_own_topic_alone() -> None:
    """Order over several topics could not be reproduced."""
    settings = load_settings(None, {"TIERSTREAM_INTAKE_CLOCK": "event"})

    assert list(settings.sources()) == ["imports"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('format = "json"', 'format = "json" needs a `map`'),
        ('format = "debezium"', 'format = "debezium" needs a `map`'),
        ('format = "segment"\nmap = "m.toml"', 'format = "segment" takes no `map`'),
        ('map = "m.toml"', 'format = "tierstream" takes no `map`'),
        ('format = "csv"', "Invalid enum value 'csv'"),
    ],
)
def test_a_format_and_its_map_belong_together(tmp_path: Path, source: str, complaint: str) -> None:
    """What a format needs is asked for; a table is a file's format and no topic's."""
    path = _written(tmp_path, f'[[intake.source]]\ntopic = "shop"\n{source}\n')

    assert complaint in "\n".join(_mistakes(path))


def test_a_map_lies_relative_to_the_settings_file(tmp_path: Path) -> None:
    """As every path in it; an absolute one stands."""
    path = _written(
        tmp_path,
        '[[intake.source]]\ntopic = "a"\nformat = "json"\nmap = "m.toml"\n'
        '[[intake.source]]\ntopic = "b"\nformat = "json"\nmap = "/etc/m.toml"\n',
    )

    assert [source.map for source in load_settings(path, {}).intake.source] == [str(tmp_path / "m.toml"), "/etc/m.toml"]


def test_the_event_clock_reads_our_own_form_alone(tmp_path: Path) -> None:
    """A feed has translated what it sends."""
    path = _written(tmp_path, '[intake]\nclock = "event"\n[[intake.source]]\ntopic = "imports"\nformat = "segment"\n')

    assert "clock" in "\n".join(_mistakes(path))
