"""A TCP proxy before the broker that holds back one EndTxn and cuts the client off, as a lost connection does."""

import asyncio
import struct
from contextlib import suppress
from typing import Self

END_TXN = 26


class EndTxnProxy:
    """Forwards requests; `hold_next` arms it for one EndTxn, `release` lets the held one reach the broker."""

    def __init__(self, port: int, broker: str) -> None:
        self._port, self._broker = port, broker
        self._armed = False
        self._released = asyncio.Event()
        self.held = asyncio.Event()
        """Set once a request is being held."""
        self.delivered = asyncio.Event()
        """Set once the held request was answered by the broker."""
        self.seen = 0
        """How many EndTxn requests came."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold_next(self) -> None:
        """Hold back the next EndTxn and cut its connection."""
        self._armed = True
        self._released.clear()
        self.held.clear()
        self.delivered.clear()

    def release(self) -> None:
        """Let the held request reach the broker now."""
        self._released.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        host, port = self._broker.split(":")
        upstream_reader, upstream = await asyncio.open_connection(host, int(port))
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
            if struct.unpack(">h", body[:2])[0] == END_TXN:
                self.seen += 1
                if self._armed:
                    self._armed = False
                    answers.cancel()
                    writer.close()  # the client sees a broken connection
                    self.held.set()
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
