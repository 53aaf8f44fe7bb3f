"""What the embedded Packagecloud says about a row: fragments, details, links."""

from typing import Any
from urllib.parse import quote

from .distributions import id_of
from .packagecloud_world import PackagecloudWorld, Row


class Links:
    """The links of a row. All are host-relative, but for download_url."""

    def __init__(self, world: PackagecloudWorld, row: Row, base: str) -> None:
        """`base` is the server's origin, without a slash at the end."""
        self.world, self.row, self.base = world, row, base

    def segment(self, text: str) -> str:
        """A path segment, encoded as the switch wants it."""
        return quote(text, safe="" if self.world.encode_urls else "+^:@")

    @property
    def package(self) -> str:
        """Without the version."""
        row = self.row
        name, arch = self.segment(row.header.name), row.header.architecture
        return f"/api/v1/repos/{row.repository}/package/{row.header.kind}/{row.distribution}/{name}/{arch}"

    @property
    def detail(self) -> str:
        """The version part carries no epoch; rpm has version/release, deb version-release."""
        header = self.row.header
        glue = "/" if header.kind == "rpm" else "-"
        parts = [self.segment(part) for part in (header.version, header.release) if part is not None]
        return f"{self.package}/{glue.join(parts)}"

    @property
    def file(self) -> str:
        """What DELETE takes."""
        return f"/api/v1/repos/{self.row.repository}/{self.row.distribution}/{self.segment(self.row.filename)}"

    @property
    def download(self) -> str:
        """Absolute; of a private repository with a read token in it: a secret."""
        row, token = self.row, self.world.read_token
        path = f"/{row.repository}/packages/{row.distribution}/{self.segment(row.filename)}/download"
        if row.repository not in self.world.private:
            kind = row.header.kind
            return f"{self.base}{path}.{kind}?distro_version_id={id_of(kind, row.distribution)}"
        match self.world.token_in:
            case "userinfo":
                return self.base.replace("://", f"://{token}:@") + path
            case "path":
                return f"{self.base}/priv/{token}{path}"
        return f"{self.base}{path}?token={token}"


def fragment(world: PackagecloudWorld, row: Row, base: str) -> dict[str, Any]:
    """A PackageFragment: a row as listings show it. It has no size."""
    links, header = Links(world, row, base), row.header
    html = f"/{row.repository}/packages/{row.distribution}/{links.segment(row.filename)}"
    return {
        "name": header.name,
        "distro_version": row.distribution,
        "created_at": row.created_at,
        "version": header.version,
        "release": header.release,
        "epoch": header.epoch,
        "architecture": header.architecture,
        "scope": None,
        "private": row.repository in world.private,
        "type": header.kind,
        "filename": row.filename,
        "uploader_name": row.uploader,
        "indexed": row.indexed,
        "sha256sum": world.shown_sum(row),
        "repository_html_url": f"/{row.repository}",
        "package_html_url": html,
        "package_url": f"{links.detail}.json",
        "downloads_detail_url": f"{links.detail}/stats/downloads/detail.json",
        "downloads_series_url": f"{links.detail}/stats/downloads/series/daily.json",
        "downloads_count_url": f"{links.detail}/stats/downloads/count.json",
        "promote_url": f"{links.file}/promote.json",
        "destroy_url": links.file,
        "download_url": links.download,
    }


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
    shown = fragment(world, row, base)
    del shown["type"]
    known = shown["sha256sum"] is not None
    sums = {f"{name}sum": row.blob.digest(name) if known else None for name in ("md5", "sha1", "sha512")}
    links = Links(world, row, base)
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
