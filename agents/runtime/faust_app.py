"""The Faust application: what of Faust is used, what is switched off, and how a stage becomes an agent."""

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.auth import Credentials, SASLCredentials, SSLCredentials

from agents.kafka_security import Security
from agents.runtime import names, transport
from agents.runtime.context import Context
from agents.runtime.engine_settings import EngineSettings
from agents.runtime.stage import Stage
from agents.runtime.table import BulkTableManager, TransactionalTable

HEARTBEATS_PER_SESSION = 3
GROUP_OFFSETS_EVERY_S = 5.0
REBALANCE_WITHIN_S = 10
SILENT_LOOP_MAX_S = 60
"""When the folding loop does not ask for chunks for so long, the consumer's thread gives up the membership."""
CHUNKS_ON_THE_WAY_MAX = 64
"""Between consumer and tasks; the agents pass them on at once."""


class Boot(BootStrategy):
    """Only the consumer's side: transactions have producers of their own, and metrics their own port."""

    enable_kafka_producer = False
    enable_web = False


class RuntimeApp(faust.App):
    """Calls back before Faust takes the consumer down."""

    logger = logging.getLogger(names.FAUST_LOGGER)
    BootStrategy = Boot
    before_stop: Callable[[], Awaitable[None]]

    async def on_stop(self) -> None:
        """Let open commits finish first."""
        await self.before_stop()
        await super().on_stop()


def new_app(settings: EngineSettings) -> RuntimeApp:
    """Make the application, without stages yet; needs a running event loop."""
    transport.register()
    app = RuntimeApp(
        settings.application,
        broker=[f"{transport.SCHEME}://{server}" for server in settings.bootstrap.split(",")],
        broker_credentials=credentials(settings.security),
        datadir=str(settings.data_dir),
        store="memory://",
        Table=TransactionalTable,
        TableManager=BulkTableManager,
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=CHUNKS_ON_THE_WAY_MAX,
        stream_recovery_delay=0,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / HEARTBEATS_PER_SESSION,
        broker_rebalance_timeout=REBALANCE_WITHIN_S,
        broker_max_poll_interval=SILENT_LOOP_MAX_S,
        broker_commit_interval=GROUP_OFFSETS_EVERY_S,
        consumer_group_instance_id=settings.instance_id,
    )
    app.finalize()
    return app


def credentials(security: Security) -> Credentials | None:
    """Return them in Faust's form, which speaks TLS only if it is given a context, whatever else it is told."""
    if security.password is not None:
        return SASLCredentials(
            username=security.username,
            password=security.password.reveal(),
            mechanism=security.mechanism,
            ssl_context=security.context,
        )
    return SSLCredentials(security.context) if security.context is not None else None


def add_stage(app: RuntimeApp, context: Context, stage: Stage, partitions: int) -> TransactionalTable:
    """Give a stage its table and its agent, which passes chunks on to the table's tasks."""
    raw: Mapping[str, Any] = {
        "key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw",
    }  # fmt: skip
    source = app.topic(*stage.sources, acks=False, **raw)
    table: TransactionalTable = app.Table(stage.name, key_type=bytes, value_type=bytes, partitions=partitions)
    table.bind(context, stage)

    async def agent(stream: AsyncIterable[Any]) -> None:
        async for event in stream.noack().events():  # type: ignore[attr-defined]  # Faust is untyped
            try:
                table.deliver(event.message.value)
            except Exception as error:  # noqa: BLE001 - Faust would restart the agent and go on without the chunk
                context.fail(error)

    app.agent(source, name=stage.name)(agent)
    return table
