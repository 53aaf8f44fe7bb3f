"""Finds out what is to be transferred with the reads of pkgsync, in threads, and without any check of what they say.

What a day's work would make of the task: it takes whatever it gets for the truth, so it must never delete anything.
"""

import base64
import gzip
import http.client
import json
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

_PER_PAGE = 250
_COMMON = "{http://linux.duke.edu/metadata/common}"


class Client:
    """GETs to one server, over a kept connection for each thread."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._host = urlsplit(url).netloc
        self._headers = {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
        self._own = threading.local()

    def get(self, path: str) -> tuple[bytes, http.client.HTTPMessage]:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._host)
        self._own.connection.request("GET", path, headers=self._headers)
        answer = self._own.connection.getresponse()
        return answer.read(), answer.headers


def repositories(result: bytes) -> dict[str, int]:
    """How many files each repository has."""
    found: dict[str, int] = {}
    for element in ET.fromstring(result):
        name = element.get("repository", "")
        found[name] = found.get(name, 0) + sum(1 for _ in element.iter("binary"))
    return found


def index(obs: Client, project: str, repository: str) -> dict[str, str | None]:
    """File name -> sha256 of what the repository publishes."""
    top = f"/published/{quote(project)}/{repository}"
    href = re.search(rb'href="(repodata/[^"]*primary[^"]*)"', obs.get(f"{top}/repodata/repomd.xml")[0])
    assert href is not None
    found = {}
    for package in ET.fromstring(gzip.decompress(obs.get(f"{top}/{href[1].decode()}")[0])):
        location = package.find(f"{_COMMON}location")
        assert location is not None
        found[location.get("href", "").rpartition("/")[2]] = package.findtext(f"{_COMMON}checksum")
    obs.get(f"{top}/repodata/repomd.xml")
    return found


def held(packagecloud: Client, repository: str, pool: ThreadPoolExecutor) -> dict[str, str]:
    """File name -> sha256 of all rows."""
    path = f"/api/v1/repos/{repository}/packages.json?per_page={_PER_PAGE}&page="
    first, headers = packagecloud.get(f"{path}1")
    others = range(2, -(-int(headers["Total"]) // _PER_PAGE) + 1)
    pages = [first, *(body for body, _ in pool.map(packagecloud.get, (f"{path}{number}" for number in others)))]
    return {row["filename"]: row["sha256sum"] for page in pages for row in json.loads(page)}


def main() -> None:
    """Read the servers' addresses from standard input; print how many files are to be transferred."""
    told: dict[str, Any] = json.load(sys.stdin)
    login, project = told["environment"], told["project"]
    obs = Client(told["obs"], login["OSC_USERNAME"], login["OSC_PASSWORD"])
    packagecloud = Client(told["packagecloud"], login["PACKAGECLOUD_TOKEN"], "")
    view = f"/build/{quote(project)}/_result?view=binarylist&view=status&view=stats"
    with ThreadPoolExecutor(16) as pool:
        there = pool.submit(held, packagecloud, told["repository"], pool)
        also = [pool.submit(packagecloud.get, "/api/v1/distributions.json")]
        also.append(pool.submit(obs.get, f"/source/{quote(project)}/_meta"))
        names = repositories(obs.get(view)[0])
        indexes = list(pool.map(lambda name: index(obs, project, name), names))
        repositories(obs.get(view)[0])
        offered = {name: sha256 for files in indexes for name, sha256 in files.items()}
        missing = [name for name, sha256 in offered.items() if there.result().get(name) != sha256]
        for one in also:
            one.result()
    print(f"{len(missing)} to transfer")
    if missing:
        sys.exit("everything should be there")


if __name__ == "__main__":
    main()
