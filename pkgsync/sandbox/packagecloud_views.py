"""What the embedded Packagecloud says about a row: fragments, details, links."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from .distributions import id_of
from .headers import PackageHeader
from .packagecloud_world import PackagecloudWorld, Row


class Links(NamedTuple):
    """The links of a row, and all that they are made of. All are host-relative, but for download_url.

    base: the server's origin, without a slash at the end. token: the read token of a private repository.
    """

    repository: str
    distribution: str
    filename: str
    header: PackageHeader
    base: str
    encode_urls: bool
    token: str | None
    token_in: str

    def segment(self, text: str) -> str:
        """A path segment, encoded as the switch wants it."""
        return quote(text, safe="" if self.encode_urls else "+^:@")

    @property
    def package(self) -> str:
        """Without the version."""
        name, header = self.segment(self.header.name), self.header
        return f"/api/v1/repos/{self.repository}/package/{header.kind}/{self.distribution}/{name}/{header.architecture}"

    @property
    def detail(self) -> str:
        """The version part carries no epoch; rpm has version/release, deb version-release."""
        header = self.header
        glue = "/" if header.kind == "rpm" else "-"
        parts = [self.segment(part) for part in (header.version, header.release) if part is not None]
        return f"{self.package}/{glue.join(parts)}"

    @property
    def file(self) -> str:
        """What DELETE takes."""
        return f"/api/v1/repos/{self.repository}/{self.distribution}/{self.segment(self.filename)}"

    @property
    def html(self) -> str:
        """The page for browsers."""
        return f"/{self.repository}/packages/{self.distribution}/{self.segment(self.filename)}"

    @property
    def download(self) -> str:
        """Absolute; of a private repository with a read token in it: a secret."""
        path = f"{self.html}/download"
        if self.token is None:
            kind = self.header.kind
            return f"{self.base}{path}.{kind}?distro_version_id={id_of(kind, self.distribution)}"
        match self.token_in:
            case "userinfo":
                return self.base.replace("://", f"://{self.token}:@") + path
            case "path":
                return f"{self.base}/priv/{self.token}{path}"
        return f"{self.base}{path}?token={self.token}"


def links_of(world: PackagecloudWorld, row: Row, base: str) -> Links:
    """The links of a row as the switches of the world want them now."""
    token = world.read_token if row.repository in world.private else None
    return Links(
        row.repository, row.distribution, row.filename, row.header, base, world.encode_urls, token, world.token_in
    )


def fragment(world: PackagecloudWorld, row: Row, base: str) -> str:
    """The JSON of a PackageFragment: a row as listings show it. It has no size."""
    told = links_of(world, row, base), row.created_at, row.uploader, row.indexed, world.shown_sum(row)
    kept = row.told
    if kept is None or kept[0] != told:
        kept = row.told = told, _fragment(*told)
    return kept[1]


def _fragment(links: Links, created_at: str, uploader: str, indexed: bool, sha256sum: str | None) -> str:
    """All that the JSON is made of stands in the arguments: it is kept while they are the same."""
    header, detail, file = links.header, links.detail, links.file
    fields = {
        "name": header.name,
        "distro_version": links.distribution,
        "created_at": created_at,
        "version": header.version,
        "release": header.release,
        "epoch": header.epoch,
        "architecture": header.architecture,
        "scope": None,
        "private": links.token is not None,
        "type": header.kind,
        "filename": links.filename,
        "uploader_name": uploader,
        "indexed": indexed,
        "sha256sum": sha256sum,
        "repository_html_url": f"/{links.repository}",
        "package_html_url": links.html,
        "package_url": f"{detail}.json",
        "downloads_detail_url": f"{detail}/stats/downloads/detail.json",
        "downloads_series_url": f"{detail}/stats/downloads/series/daily.json",
        "downloads_count_url": f"{detail}/stats/downloads/count.json",
        "promote_url": f"{file}/promote.json",
        "destroy_url": file,
        "download_url": links.download,
    }
    return json.dumps(fields)


def repository(world: PackagecloudWorld, name: str, base: str) -> dict[str, Any]:
    """A repository; `paths` and `urls` are what the official command-line client goes by."""
    path = f"/api/v1/repos/{name}"
    return {
        "name": name.split("/")[1],
        "fqname": name,
        "created_at": "2020-01-01T00:00:00.000Z",
        "url": f"{base}/{name}",
        "last_push_human": "3 days ago",
        "package_count_human": f"{len(world.repositories[name])} packages",
        "private": name in world.private,
        "paths": {
            "self": path,
            "create_package": f"{path}/packages.json",
            "package_contents": f"{path}/packages/contents.json",
            "gpg_keys": f"{path}/gpg_keys.json",
            "master_tokens": f"{path}/master_tokens",
            "create_master_token": f"{path}/master_tokens",
        },
        "urls": {"install_script": f"{base}/install/repositories/{name}/script.:package_type.sh"},
    }


def details(world: PackagecloudWorld, row: Row, base: str) -> dict[str, Any]:
    """PackageDetails: the fragment without type, with size (a string), the other sums and the statistics."""
    shown = json.loads(fragment(world, row, base))
    del shown["type"]
    known = shown["sha256sum"] is not None
    sums = {f"{name}sum": row.blob.digest(name) if known else None for name in ("md5", "sha1", "sha512")}
    links = links_of(world, row, base)
    return {
        **shown,
        **sums,
        "size": str(row.blob.size),
        "repository": row.repository.split("/")[1],
        "summary": row.header.name,
        "description": None,
        "dependencies": None,
        "licenses": [],
        "repository_url": f"/api/v1/repos/{row.repository}.json",
        "versions_url": f"{links.package}/versions.json",
        "self_url": f"{links.detail}.json",
        "total_downloads_count": row.downloads,
    }
