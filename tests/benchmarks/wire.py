"""``python -m tests.benchmarks.wire RATE URL...``: a slow wire in front of each server, RATE bytes a second each way.

Every connection has the rate for itself. Its own addresses stand as a line of JSON on its standard output; it ends with
its standard input.
"""

import asyncio
import json
import sys
from functools import partial
from urllib.parse import urlsplit

_PIECE = 65536
_LATE = 0.02  # seconds: a timer that rings too late must not take away from the rate


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: int) -> None:
    """Hand on what comes, no faster than the rate; hardly any of what was not used while nothing came is saved up."""
    clock = asyncio.get_running_loop().time
    free = 0.0
    try:
        while piece := await reader.read(_PIECE):
            free = max(free, clock() - _LATE) + len(piece) / rate
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(free - clock())
    except OSError:
        pass
    finally:
        writer.close()


async def _serve(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter, url: str, rate: int) -> None:
    parts = urlsplit(url)
    far_in, far_out = await asyncio.open_connection(parts.hostname, parts.port)
    await asyncio.gather(_pump(near_in, far_out, rate), _pump(far_in, near_out, rate))


async def _main(rate: int, urls: list[str]) -> None:
    addresses = {}
    for url in urls:
        server = await asyncio.start_server(partial(_serve, url=url, rate=rate), "127.0.0.1", 0)
        addresses[url] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps(addresses), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2:]))
