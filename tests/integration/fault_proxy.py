"""A TCP proxy before a broker that loses what it is told to lose: a request, with its connection, or an answer."""

import asyncio
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

PRODUCE = 0
JOIN_GROUP = 11
LEAVE_GROUP = 13
INIT_PRODUCER_ID = 22
ADD_PARTITIONS_TO_TXN = 24
END_TXN = 26
WRITE_TXN_MARKERS = 27
API_NAMES: Mapping[int, str] = {
    PRODUCE: "Produce",
    JOIN_GROUP: "JoinGroup",
    LEAVE_GROUP: "LeaveGroup",
    INIT_PRODUCER_ID: "InitProducerId",
    ADD_PARTITIONS_TO_TXN: "AddPartitionsToTxn",
    END_TXN: "EndTxn",
    WRITE_TXN_MARKERS: "WriteTxnMarkers",
}
"""Of the requests that the proxy can be armed for, by API key."""


class FaultProxy:
    """Forwards requests. It is armed for one request of a kind at a time, the next one that comes."""

    def __init__(self, port: int, broker: str) -> None:
        self._port, self._broker = port, broker
        self._armed: int | None = None
        self._deaf = False
        self._released = asyncio.Event()
        self.held = asyncio.Event()
        """Set once the request came for which the proxy was armed."""
        self.delivered = asyncio.Event()
        """Set once a held request was answered by the broker."""
        self.seen: dict[int, int] = {}
        """How many requests came, by API key."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold_next(self, api: int = END_TXN) -> None:
        """Hold back the next request of this kind and cut its connection, as a network that breaks does."""
        self._arm(api, deaf=False)

    def lose_answer(self, api: int) -> None:
        """Let the next request of this kind pass, and nothing come back on its connection any more, which stays."""
        self._arm(api, deaf=True)

    def release(self) -> None:
        """Let the held request reach the broker now."""
        self._released.set()

    def _arm(self, api: int, *, deaf: bool) -> None:
        self._armed, self._deaf = api, deaf
        for event in (self._released, self.held, self.delivered):
            event.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        host, port = self._broker.split(":")
        try:
            upstream_reader, upstream = await asyncio.open_connection(host, int(port))
        except ConnectionError:  # the broker is down: so is its proxy
            writer.close()
            return
        answers = asyncio.create_task(_copy(upstream_reader, writer))
        try:
            await self._forward(reader, writer, upstream_reader, upstream, answers)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            answers.cancel()
            upstream.close()
            writer.close()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream_reader: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
        answers: "asyncio.Task[None]",
    ) -> None:
        while True:
            size = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">i", size)[0])
            api = struct.unpack(">h", body[:2])[0]
            self.seen[api] = self.seen.get(api, 0) + 1
            if api == self._armed:
                self._armed = None
                answers.cancel()
                if not self._deaf:
                    writer.close()  # the client sees a broken connection
                self.held.set()
                if not self._deaf:
                    await self._released.wait()
                    upstream.write(size + body)  # the delayed request reaches the broker now
                    await upstream_reader.readexactly(4)
                    self.delivered.set()
                    return
            upstream.write(size + body)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
