"""A program: a way to a server on which whatever is sent arrives late, in either direction.

`slow_way.py ADDRESS:PORT SERVER:PORT SECONDS`. It stands for `tc qdisc … netem delay`, which not every kernel has.
"""

from __future__ import annotations

import asyncio
import sys


async def _late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        while True:
            data = await reader.read(65536)
            await arrived.put((loop.time() + seconds, data))
            if not data:
                return

    reading = asyncio.create_task(read())
    while True:
        due, data = await arrived.get()
        await asyncio.sleep(due - loop.time())
        if not data:
            writer.close()
            break
        writer.write(data)
        await writer.drain()
    await reading


async def _serve(here: tuple[str, int], there: tuple[str, int], seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*there)
        ways = (_late(reader, to_server, seconds), _late(from_server, writer, seconds))
        await asyncio.gather(*ways, return_exceptions=True)

    server = await asyncio.start_server(connected, *here)
    await server.serve_forever()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    asyncio.run(_serve(_address(sys.argv[1]), _address(sys.argv[2]), float(sys.argv[3])))
