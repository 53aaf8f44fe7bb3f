"""Serves one world in a process of its own, ordered about by lines of JSON on its standard input.

So neither its memory nor its processor time counts as a client's, and no client waits for its interpreter lock.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Sandbox
from tests.benchmarks.worlds import DISTRIBUTIONS, SIZES, Load, fill, mapping, offer


def main() -> None:
    """Take one world order, tell the addresses, then obey until the input ends."""
    order = json.loads(sys.stdin.readline())
    with Sandbox() as sandbox:
        repositories = _make(sandbox, order)
        changes = {
            "distributions": mapping(repositories),
            "orphans": {"action": "delete", "keep_versions": 1},
            "connections": {"downloads": order.get("jobs", 4)},  # as many as uploads, and as curl's
        }
        config = sandbox.write_config(Path(order["folder"]), changes)
        _tell(
            obs=sandbox.obs_url,
            packagecloud=sandbox.packagecloud_url,
            project=PROJECT,
            repository=REPOSITORY,
            config=str(config),
            environment=sandbox.environment,
            distribution_id=282,
            distribution=DISTRIBUTIONS[0],
        )
        for line in sys.stdin:
            _tell(**_obey(sandbox, json.loads(line)))


def _make(sandbox: Sandbox, order: dict[str, Any]) -> int:
    """Put the world into the sandbox; how many OBS repositories it has."""
    if "size" in order:
        size = SIZES[order["size"]]
        fill(sandbox, size)
        return size.repositories
    offer(sandbox, Load(**order["load"]), sandbox.folder)
    return 1


def _obey(sandbox: Sandbox, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "begin":
            _begin(sandbox, order["latency"])
            return {}
        case "empty":
            for row in list(sandbox.packagecloud.listing(REPOSITORY)):
                sandbox.packagecloud.delete(REPOSITORY, row.distribution, row.filename)
                Path(str(row.blob.source)).unlink()
            return {}
        case "result":
            return {"requests": sandbox.log.count(), "rows": len(sandbox.packagecloud.repositories[REPOSITORY])}
    raise ValueError(order)


def _begin(sandbox: Sandbox, latency: float) -> None:
    """Every answer waits for ``latency`` seconds from now on, and requests are counted anew."""
    sandbox.log.clear()
    for board in (sandbox.obs.faults, sandbox.packagecloud.faults, sandbox.packagecloud.cdn_faults):
        board.clear()
        if latency:
            board.add(Fault(kind=Kind.NOTHING, times=None, delay=latency))


def _tell(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
