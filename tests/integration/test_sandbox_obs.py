"""The embedded OBS answers as the real one does (compared with answers of Debian's obs-server)."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests

from pkgsync.sandbox import PROJECT, Sandbox, demo_world_day1, demo_world_day2, make_deb, make_rpm
from pkgsync.sandbox.signing import has_gpg

LEAP, JAMMY = "openSUSE_Leap_15.6", "xUbuntu_22.04"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        demo_world_day1(running)
        yield running


@pytest.fixture
def backend(sandbox: Sandbox) -> Sandbox:
    sandbox.obs.frontend = "backend"
    return sandbox


def ask(sandbox: Sandbox, path: str, **more: Any) -> requests.Response:
    return requests.get(sandbox.obs_url + path, auth=(sandbox.obs.user, sandbox.obs.password), timeout=10, **more)


def one(parent: ET.Element, tag: str) -> ET.Element:
    (found,) = parent.findall(tag)
    return found


def tree(sandbox: Sandbox, path: str) -> ET.Element:
    answer = ask(sandbox, path)
    assert answer.status_code == 200
    return ET.fromstring(answer.content)


def names(sandbox: Sandbox, path: str) -> list[str]:
    return [entry.attrib["name"] for entry in tree(sandbox, path)]


def files(sandbox: Sandbox, repository: str, arch: str) -> dict[str, tuple[str, str]]:
    """Name -> size and mtime, of all packages of one result element."""
    root = tree(sandbox, f"/build/{PROJECT}/_result?view=binarylist&repository={repository}&arch={arch}")
    return {one.attrib["filename"]: (one.attrib["size"], one.attrib["mtime"]) for one in root.iter("binary")}


def test_listings(backend: Sandbox) -> None:
    assert names(backend, "/build") == ["Ubuntu:22.04", PROJECT, "openSUSE:Factory", "openSUSE:Leap:15.6"]
    assert names(backend, f"/build/{PROJECT}") == [LEAP, JAMMY, "openSUSE_Tumbleweed"]
    assert names(backend, f"/build/{PROJECT}/{LEAP}") == ["x86_64", "aarch64"]
    assert "demo-multi:small" in names(backend, f"/build/{PROJECT}/{LEAP}/x86_64")
    assert "demo-multi:small" in names(backend, f"/source/{PROJECT}")
    assert names(backend, f"/source/{PROJECT}?deleted=1") == []
    backend.obs.frontend = "rails"
    assert "demo-multi:small" not in names(backend, f"/source/{PROJECT}")


def test_headers_are_those_of_the_backend(backend: Sandbox) -> None:  # 01
    answer = ask(backend, f"/build/{PROJECT}/{LEAP}")
    assert answer.headers["Content-Type"] == "text/xml"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Connection"] == "close"
    assert "ETag" not in answer.headers
    assert answer.text == '<directory>\n  <entry name="x86_64" />\n  <entry name="aarch64" />\n</directory>\n'


def test_a_package_with_and_without_md5(backend: Sandbox) -> None:
    root = tree(backend, f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool?withmd5=1")
    sums = {one.attrib["filename"]: one.attrib["md5"] for one in root}
    body = ask(backend, f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool/hello-tool-1.2-lp156.1.1.x86_64.rpm").content
    assert sums["hello-tool-1.2-lp156.1.1.x86_64.rpm"] == hashlib.md5(body).hexdigest()
    assert "hello-tool-1.2-lp156.1.1.src.rpm" in sums
    without = tree(backend, f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool?nosource=1")
    assert "hello-tool-1.2-lp156.1.1.src.rpm" not in [one.attrib["filename"] for one in without]
    assert "md5" not in without[0].attrib


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/build/no:such", 404, "project 'no:such' does not exist"),
        (f"/build/{PROJECT}/nosuch", 404, f"project '{PROJECT}' has no repository 'nosuch'"),
        (f"/build/{PROJECT}/{LEAP}/ppc64", 404, f"repository '{PROJECT}/{LEAP}' has no architecture 'ppc64'"),
        (f"/build/{PROJECT}/{LEAP}/x86_64?view=nosuch", 400, "unknown view 'nosuch'"),
        (f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool/nosuch.rpm", 404, "nosuch.rpm: No such file or directory"),
        (f"/published/{PROJECT}/{LEAP}/x86_64/nosuch.rpm", 404, "no such file"),
        (f"/build/{PROJECT}/_result?view=nosuch", 400, "unknown view parameter: 'nosuch'"),
        (f"/build/{PROJECT}/_result?nosuch=1", 400, "unknown parameter 'nosuch'"),
        (f"/build/{PROJECT}/_result?repository=nosuch", 404, "unknown repository 'nosuch'"),
        (f"/build/{PROJECT}/_result?package=nosuch", 404, "unknown package 'nosuch'"),
        (f"/build/{PROJECT}//{LEAP}", 400, "repoid is empty"),
        (f"/published/{PROJECT}/{LEAP}/repodata/nosuch.xml", 404, "no such file"),
        (f"/published/{PROJECT}/{LEAP}/nosuch/repomd.xml", 404, "no such file"),
        (f"/published/{PROJECT}/{LEAP}/a/b/c/d", 400, f"unknown request: GET:/published/{PROJECT}/{LEAP}/a/b/c/d"),
        (f"/published/{PROJECT}/{LEAP}//x86_64", 400, "filename is empty"),
        (f"/published/{PROJECT}/{LEAP}/.hidden", 400, "filename '.hidden' is illegal"),
        (f"/source/{PROJECT}/nosuch/_meta", 404, f"package 'nosuch' does not exist in project '{PROJECT}'"),
        (f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool/_log", 404, "remote error: package 'hello-tool' has no logfile"),
        ("/nosuch", 400, "unknown request: GET:/nosuch"),
    ],
)
def test_errors_of_the_backend(backend: Sandbox, path: str, status: int, text: str) -> None:  # 29, 60 to 74
    answer = ask(backend, path)
    root = ET.fromstring(answer.content)
    assert (answer.status_code, root.attrib["code"], root.findtext("summary")) == (status, str(status), text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/build/{PROJECT}/{LEAP}/x86_64/nosuch", "<binarylist />\n"),
        ("/published/no:such", "<directory>\n</directory>\n"),
        (f"/published/{PROJECT}/nosuch", "<directory>\n</directory>\n"),
        (f"/published/{PROJECT}/nosuch/Release", "<directory>\n</directory>\n"),
        (f"/published/{PROJECT}/{LEAP}/Release", "<directory>\n</directory>\n"),
        (f"/published/{PROJECT}/{LEAP}/nosuch", "<directory>\n</directory>\n"),
    ],
)
def test_false_empty_answers_of_the_backend(backend: Sandbox, path: str, body: str) -> None:  # 64, 66, 67
    answer = ask(backend, path)
    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize(
    ("path", "word"),
    [("/build/no:such", "unknown_project"), ("/published/no:such", "unknown_project"),
     (f"/build/{PROJECT}/{LEAP}/x86_64/nosuch", "unknown_package")],
)  # fmt: skip
def test_rails_uses_words(sandbox: Sandbox, path: str, word: str) -> None:
    answer = ask(sandbox, path)
    assert (answer.status_code, ET.fromstring(answer.content).attrib["code"]) == (404, word)


def test_rails_wants_a_login_but_for_public(sandbox: Sandbox) -> None:
    for login in (None, ("demo", "wrong")):
        refused = requests.get(f"{sandbox.obs_url}/build/{PROJECT}", auth=login, timeout=10)
        assert refused.status_code == 401
        assert 'code="authentication_required"' in refused.text
    for path in (f"/public/build/{PROJECT}/_result", f"/public/source/{PROJECT}/_meta"):
        assert requests.get(sandbox.obs_url + path, timeout=10).status_code == 200
    assert requests.get(f"{sandbox.obs_url}/public/published/{PROJECT}", timeout=10).status_code == 400


def test_views_of_result(sandbox: Sandbox) -> None:
    root = tree(sandbox, f"/build/{PROJECT}/_result?view=binarylist&view=status&view=stats")
    [result] = [one for one in root if (one.get("repository"), one.get("arch")) == (LEAP, "aarch64")]
    codes = {one.attrib["package"]: one.attrib["code"] for one in result.iter("status")}
    assert codes["demo-fails"] == "failed"
    assert codes["demo-x86only"] == "disabled"
    assert codes["demo-excluded"] == "excluded"
    assert codes["demo-multi:small"] == "succeeded"
    assert codes.keys() == {
        "demo-data", "demo-excluded", "demo-fails", "demo-multi", "demo-multi:small", "demo-snapshot", "demo-x86only",
        "hello-tool", "libdemo", "netdemo", "old-tool",
    }  # fmt: skip
    empty = {one.attrib["package"] for one in result.iter("binarylist") if not len(one)}
    assert empty == {"demo-fails", "demo-x86only", "demo-excluded"}
    assert result.attrib["code"] == result.attrib["state"] == "published"
    assert one(result, "stats").attrib["lastpublished"] == "1795350000"
    only = tree(sandbox, f"/build/{PROJECT}/_result?view=binarylist")
    assert not list(only.iter("status"))


def test_every_package_of_the_project_is_on_every_architecture(sandbox: Sandbox) -> None:  # 21, 22
    sandbox.obs.finish(PROJECT, JAMMY, "aarch64", "only-there", [make_deb("only-there", arch="arm64")])
    root = tree(sandbox, f"/build/{PROJECT}/_result?view=binarylist&view=status&package=only-there")
    found = {
        (each.get("repository"), each.get("arch")): (one(each, "status").get("code"), len(one(each, "binarylist")))
        for each in root
    }
    assert found == {
        (LEAP, "x86_64"): ("excluded", 0),
        (LEAP, "aarch64"): ("excluded", 0),
        (JAMMY, "x86_64"): ("excluded", 0),
        (JAMMY, "aarch64"): ("succeeded", 1),
        ("openSUSE_Tumbleweed", "x86_64"): ("excluded", 0),
    }
    assert "only-there" in names(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64")
    assert len(tree(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64/only-there")) == 0


def test_versions_of_what_is_built(sandbox: Sandbox) -> None:  # 08, 09
    """The sums are those that `rpm -qp --qf %{SIGMD5}` and `ar p FILE control.tar.gz | md5sum` give."""
    root = tree(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool?view=binaryversions")
    found = {one.attrib["name"]: one.attrib for one in root}
    assert found["hello-tool-1.2-lp156.1.1.x86_64.rpm"] == {
        "name": "hello-tool-1.2-lp156.1.1.x86_64.rpm", "sizek": "6",
        "hdrmd5": "dc374d96ceedd93828c0ab43788d5801", "leadsigmd5": "da4da064c216ea7be7365dd956ab1f8d",
    }  # fmt: skip
    assert [name for name in found if not name.endswith(".rpm")] == []
    everything = tree(sandbox, f"/build/{PROJECT}/{JAMMY}/x86_64?view=binaryversions")
    assert "demo-fails" not in [one.attrib["package"] for one in everything]
    only = tree(sandbox, f"/build/{PROJECT}/{JAMMY}/x86_64?view=binaryversions&package=old-tool&package=demo-fails")
    [[deb]] = only
    assert (only.tag, only[0].attrib, deb.attrib) == (
        "packagebinaryversionlist",
        {"package": "old-tool"},
        {"name": "old-tool_0.5_amd64.deb", "sizek": "1", "hdrmd5": "43f60f74e0fb10b3ac1c8ed1b0ee02f3"},
    )


def test_the_pool_of_an_architecture(sandbox: Sandbox) -> None:  # 15
    listed = [one.attrib["filename"] for one in tree(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64/_repository")]
    assert listed == [
        "demo-data.rpm", "demo-multi-small.rpm", "demo-multi.rpm", "demo-snapshot.rpm", "demo-x86only.rpm",
        "hello-tool-doc.rpm", "hello-tool.rpm", "libdemo++1.rpm", "libdemo-devel.rpm", "libdemo1.rpm", "netdemo.rpm",
        "old-tool.rpm",
    ]  # fmt: skip
    pooled = ask(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64/_repository/hello-tool.rpm").content
    name = "hello-tool-1.2-lp156.1.1.x86_64.rpm"
    assert pooled == ask(sandbox, f"/build/{PROJECT}/{LEAP}/x86_64/hello-tool/{name}").content


def test_config_meta_and_keys_of_a_project(sandbox: Sandbox) -> None:
    config = ask(sandbox, f"/source/{PROJECT}/_config")
    assert (config.status_code, config.text, config.headers["Content-Type"]) == (200, "", "text/plain")
    paths = [path.attrib for path in tree(sandbox, f"/source/{PROJECT}/_meta").iter("path")]
    assert paths == [
        {"project": "openSUSE:Leap:15.6", "repository": "standard"},
        {"project": "Ubuntu:22.04", "repository": "universe"},
        {"project": "openSUSE:Factory", "repository": "snapshot"},
    ]
    for path in paths:
        assert path["repository"] in {
            r.attrib["name"] for r in tree(sandbox, f"/source/{path['project']}/_meta").iter("repository")
        }
    meta = tree(sandbox, f"/source/{PROJECT}/hello-tool/_meta")
    assert (meta.tag, meta.attrib) == ("package", {"name": "hello-tool", "project": PROJECT})
    sandbox.obs.signer = None
    assert ask(sandbox, f"/source/{PROJECT}/_pubkey").status_code == 404
    assert len(tree(sandbox, f"/source/{PROJECT}/_keyinfo")) == 0


@pytest.mark.skipif(not has_gpg(), reason="gpg signs the repositories; it is not installed")
def test_repositories_are_signed(sandbox: Sandbox, tmp_path: Path) -> None:
    """Judged by gpgv, which knows only the published key."""
    key = ask(sandbox, f"/source/{PROJECT}/_pubkey").content
    keyring = tmp_path / "key.gpg"
    keyring.write_bytes(subprocess.run(["gpg", "--dearmor"], input=key, check=True, capture_output=True).stdout)
    [info] = tree(sandbox, f"/source/{PROJECT}/_keyinfo")
    assert (info.attrib["algo"], info.attrib["keysize"], info.text) == ("rsa", "2048", key.decode())
    for repository, signed, signature, beside in (
        (LEAP, "repodata/repomd.xml", "repodata/repomd.xml.asc", "repodata/repomd.xml.key"),
        (JAMMY, "Release", "Release.gpg", "Release.key"),
        (JAMMY, "Release", "InRelease", "Release.key"),
    ):
        files = {
            path: ask(sandbox, f"/published/{PROJECT}/{repository}/{path}") for path in (signed, signature, beside)
        }
        assert files[beside].content == key
        for path, answer in files.items():
            (tmp_path / path.replace("/", "_")).write_bytes(answer.content)
        detached = [tmp_path / signed.replace("/", "_")] if signature != "InRelease" else ["--output", "-"]
        told = ["gpgv", "--keyring", keyring, *(detached if signature == "InRelease" else ())]
        told += [tmp_path / signature.replace("/", "_"), *(detached if signature != "InRelease" else ())]
        verified = subprocess.run(told, capture_output=True)
        assert verified.returncode == 0, verified.stderr
        if signature == "InRelease":
            assert verified.stdout == files[signed].content


def test_nothing_is_signed_without_gpg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Sandbox() as sandbox:
        demo_world_day1(sandbox)
        assert names(sandbox, f"/published/{PROJECT}/{JAMMY}") == [
            "Packages", "Packages.gz", "Release", "Sources", "Sources.gz", "all", "amd64", "arm64",
        ]  # fmt: skip
        assert "gpgkey" not in ask(sandbox, f"/published/{PROJECT}/{LEAP}/{PROJECT}.repo").text


def test_root_state_follows_codes_and_not_files(sandbox: Sandbox) -> None:
    def state(query: str = "") -> str | None:
        return tree(sandbox, f"/build/{PROJECT}/_result{query}").get("state")

    before = state()
    sandbox.clock.advance(5)
    sandbox.obs.finish(PROJECT, LEAP, "x86_64", "netdemo", [make_rpm("netdemo", salt="again")])
    sandbox.obs.publish(PROJECT, LEAP)
    assert state() == before
    sandbox.obs.set_arch(PROJECT, LEAP, "x86_64", "publishing")
    assert state() != before
    assert state("?arch=ppc64") == "0" * 32
    sandbox.obs.repserver_down = True
    assert state() is None


def test_dirty_and_details_are_shown(sandbox: Sandbox) -> None:
    sandbox.obs.set_arch(PROJECT, LEAP, "x86_64", "finished", dirty=True, details="delayed")
    root = tree(sandbox, f"/build/{PROJECT}/_result?repository={LEAP}&arch=x86_64")
    assert (root[0].get("dirty"), root[0].get("details")) == ("true", "delayed")


def test_a_scheduler_that_never_ran_lists_nothing(sandbox: Sandbox) -> None:
    sandbox.obs.set_arch(PROJECT, LEAP, "x86_64", "unknown")
    assert files(sandbox, LEAP, "x86_64") == {}


def test_a_rebuild_shows_in_build_first_and_is_published_later(sandbox: Sandbox) -> None:
    def published() -> list[str]:
        return names(sandbox, f"/published/{PROJECT}/{LEAP}/x86_64")

    old, new = "hello-tool-1.2-lp156.1.1.x86_64.rpm", "hello-tool-9-1.x86_64.rpm"
    sandbox.obs.start_rebuild(PROJECT, LEAP, "x86_64", "hello-tool")
    assert tree(sandbox, f"/build/{PROJECT}/_result?repository={LEAP}&arch=x86_64")[0].get("code") == "building"
    assert old in files(sandbox, LEAP, "x86_64")
    sandbox.obs.finish(PROJECT, LEAP, "x86_64", "hello-tool", [make_rpm("hello-tool", "9")])
    assert new in files(sandbox, LEAP, "x86_64")
    assert old not in files(sandbox, LEAP, "x86_64")
    assert old in published()
    sandbox.obs.publish(PROJECT, LEAP)
    assert new in published()
    assert old not in published()


def test_a_publish_takes_no_unfinished_architecture(sandbox: Sandbox) -> None:
    sandbox.obs.finish(PROJECT, LEAP, "x86_64", "netdemo", [make_rpm("netdemo", "5")])
    sandbox.obs.publish(PROJECT, LEAP)
    sandbox.obs.start_rebuild(PROJECT, LEAP, "x86_64", "libdemo")
    sandbox.obs.finish(PROJECT, LEAP, "x86_64", "netdemo", [make_rpm("netdemo", "6")])
    sandbox.obs.publish(PROJECT, LEAP)
    assert "netdemo-5-1.x86_64.rpm" in names(sandbox, f"/published/{PROJECT}/{LEAP}/x86_64")


def test_failed_keeps_the_files_and_excluded_and_wipe_drop_them(sandbox: Sandbox) -> None:
    name = "old-tool-0.5-lp156.1.1.x86_64.rpm"
    sandbox.obs.fail(PROJECT, LEAP, "x86_64", "old-tool")
    assert name in files(sandbox, LEAP, "x86_64")
    sandbox.obs.set_code(PROJECT, LEAP, "x86_64", "old-tool", "excluded")
    assert name not in files(sandbox, LEAP, "x86_64")
    sandbox.obs.wipe(PROJECT, LEAP, "aarch64", "old-tool")
    assert "old-tool-0.5-lp156.1.1.aarch64.rpm" not in files(sandbox, LEAP, "aarch64")


def test_the_published_noarch_copy_stays_while_it_is_offered(sandbox: Sandbox) -> None:
    def published_sum() -> str:
        answer = ask(sandbox, f"/published/{PROJECT}/demo/noarch/one-1.0-1.noarch.rpm")
        return hashlib.sha256(answer.content).hexdigest()

    first, second = (make_rpm("one", arch="noarch", salt=salt) for salt in ("arm", "x86"))
    sandbox.obs.add_repository(PROJECT, "demo", "rpm")
    sandbox.obs.finish(PROJECT, "demo", "aarch64", "one", [first])
    sandbox.obs.publish(PROJECT, "demo")
    sandbox.obs.finish(PROJECT, "demo", "x86_64", "one", [second])
    sandbox.obs.publish(PROJECT, "demo")
    assert published_sum() == first.blob.digest("sha256")
    sandbox.obs.remove_package(PROJECT, "one")
    sandbox.obs.finish(PROJECT, "demo", "x86_64", "one", [second])
    sandbox.obs.publish(PROJECT, "demo")
    assert published_sum() == second.blob.digest("sha256")


def test_a_half_done_publish_has_new_files_under_an_old_index(sandbox: Sandbox) -> None:
    path = f"/published/{PROJECT}/{JAMMY}/Packages"
    before = ask(sandbox, path).text
    sandbox.obs.finish(PROJECT, JAMMY, "x86_64", "netdemo", [make_deb("netdemo", "4.0", "1", epoch=2, salt="new")])
    sandbox.obs.publish_files(PROJECT, JAMMY)
    body = ask(sandbox, f"/published/{PROJECT}/{JAMMY}/amd64/netdemo_4.0-1_amd64.deb").content
    assert ask(sandbox, path).text == before
    assert hashlib.sha256(body).hexdigest() not in before
    sandbox.obs.publish_indexes(PROJECT, JAMMY)
    assert hashlib.sha256(body).hexdigest() in ask(sandbox, path).text


def test_only_packages_are_published(sandbox: Sandbox) -> None:
    assert names(sandbox, f"/published/{PROJECT}/{JAMMY}") == [
        *(["InRelease"] if has_gpg() else []), "Packages", "Packages.gz", "Release",
        *(["Release.gpg", "Release.key"] if has_gpg() else []), "Sources", "Sources.gz", "all", "amd64", "arm64",
    ]  # fmt: skip
    assert names(sandbox, f"/published/{PROJECT}/{LEAP}") == [
        "aarch64", f"{PROJECT}.repo", "noarch", "repodata", "src", "x86_64",
    ]  # fmt: skip
    assert "hello-tool_1_amd64.changes" in files(sandbox, JAMMY, "x86_64")


def test_range_is_ignored_unless_switched_on(sandbox: Sandbox) -> None:  # 52
    path, span = f"/published/{PROJECT}/{JAMMY}/Release", {"Range": "bytes=0-9"}
    whole = ask(sandbox, path).content
    ignored = ask(sandbox, path, headers=span)
    assert (ignored.status_code, ignored.content) == (200, whole)
    sandbox.obs.ranges = True
    part = ask(sandbox, path, headers=span)
    assert (part.status_code, part.content) == (206, whole[:10])
    assert part.headers["Content-Range"] == f"bytes 0-9/{len(whole)}"
    assert ask(sandbox, path, headers={"Range": "bytes=99999-"}).status_code == 416


def test_the_download_server_redirects_packages_to_a_lagging_mirror(sandbox: Sandbox) -> None:
    root = f"{sandbox.download_url}/demo:/release/{JAMMY}"
    name = "amd64/libdemo++1_0.9.1_amd64.deb"
    direct = requests.get(f"{root}/{name}", timeout=10)
    assert (direct.status_code, direct.history) == (200, [])
    sandbox.obs.redirect_to_mirror = True
    sandbox.obs.freeze_mirror()
    sandbox.obs.finish(PROJECT, JAMMY, "x86_64", "libdemo", [make_deb("libdemo++1", "0.9.1", salt="rebuilt")])
    sandbox.obs.publish(PROJECT, JAMMY)
    mirrored = requests.get(f"{root}/{name}", timeout=10)
    assert mirrored.url.startswith(sandbox.mirror_url)
    assert mirrored.content == direct.content
    assert direct.headers["ETag"].strip('"') not in requests.get(f"{root}/Packages", timeout=10).text
    assert requests.get(f"{root}/./Packages", timeout=10).status_code == 200
    assert requests.get(f"{root}/nosuch", timeout=10).headers["Content-Type"].startswith("text/html")


def test_day2_has_a_new_version_a_rebuild_and_a_removal(sandbox: Sandbox) -> None:
    deb = f"/published/{PROJECT}/{JAMMY}/amd64/netdemo_4.0-1_amd64.deb"
    before = ask(sandbox, deb).content
    demo_world_day2(sandbox)
    rpms = names(sandbox, f"/published/{PROJECT}/{LEAP}/x86_64")
    assert "hello-tool-1.3-lp156.2.1.x86_64.rpm" in rpms
    assert "hello-tool-1.2-lp156.1.1.x86_64.rpm" not in rpms
    assert "old-tool-0.5-lp156.1.1.x86_64.rpm" not in rpms
    assert "libdemo1-0.9.1-lp156.1.1.x86_64.rpm" in rpms
    assert ask(sandbox, deb).content != before
    result = tree(sandbox, f"/build/{PROJECT}/_result?view=stats")[0]
    assert one(result, "stats").attrib["lastpublished"] == "1795436400"


def test_another_order_of_elements_is_the_same_content(sandbox: Sandbox) -> None:
    path = f"/build/{PROJECT}/_result?view=binarylist&view=status"
    first = ask(sandbox, path).text
    sandbox.obs.order_seed = 7
    second = ask(sandbox, path).text
    assert first != second
    assert sorted(first.splitlines()) == sorted(second.splitlines())
