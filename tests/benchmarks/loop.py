"""Finds out what is to be transferred in the predecessor's manner: request after request, by file name only.

One listing per {repository, architecture, package}, then Packagecloud's pages in their default size, each awaited before the
next is asked for. It is better than the predecessor in one respect: file names are compared as sets, where the
predecessor compared every file of OBS with every row of Packagecloud.
"""

import base64
import http.client
import json
import sys
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET


class Client:
    """Plain GETs to one server."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._host = urlsplit(url).netloc
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        self._connection = http.client.HTTPConnection(self._host)

    def get(self, path: str) -> tuple[bytes, http.client.HTTPMessage]:
        """The body and the headers; http.client connects again by itself where the server has closed."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return body, answer.headers

    def names(self, path: str) -> list[str]:
        return [element.get("name", "") for element in ET.fromstring(self.get(path)[0])]


def built(client: Client, project: str) -> set[str]:
    """The file names of every package of the project."""
    top = f"/build/{quote(project)}"
    found: set[str] = set()
    for repository in client.names(top):
        for architecture in client.names(f"{top}/{repository}"):
            for package in client.names(f"{top}/{repository}/{architecture}"):
                listing, _ = client.get(f"{top}/{repository}/{architecture}/{package}")
                found.update(str(element.get("filename")) for element in ET.fromstring(listing))
    return found


def held(client: Client, repository: str) -> set[str]:
    """The file names of all rows of Packagecloud."""
    names: list[str] = []
    page = 1
    while True:
        body, headers = client.get(f"/api/v1/repos/{repository}/packages.json?page={page}")
        rows: list[dict[str, Any]] = json.loads(body)
        names += [row["filename"] for row in rows]
        if not rows or len(names) >= int(headers["Total"]):
            return set(names)
        page += 1


def main() -> None:
    """Read the server's addresses from standard input; print how many files are to be transferred."""
    told = json.load(sys.stdin)
    login = told["environment"]
    obs = Client(told["obs"], login["OSC_USERNAME"], login["OSC_PASSWORD"])
    packagecloud = Client(told["packagecloud"], login["PACKAGECLOUD_TOKEN"], "")
    missing = built(obs, told["project"]) - held(packagecloud, told["repository"])
    print(f"{len(missing)} to transfer")
    if missing:
        sys.exit("everything should be there")


if __name__ == "__main__":
    main()
