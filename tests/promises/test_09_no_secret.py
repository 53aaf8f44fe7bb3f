"""Promise 9: no credential in anything that is written, at any verbosity, and none sent where it does not belong.

Canaries stand for the credentials. Everything that pkgsync writes is searched for them, also encoded; so is the log of
every server.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, quote_plus

import pytest

from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Reply, make_deb, make_rpm, set_headers
from tests.support.scope import EVERYTHING
from tests.support.worlds.cli_world import DEB, DELETE, RPM, Cli, Done, open_cli

TOKEN, READ_TOKEN, PASSWORD = "canary+T0K3N/of=packagecloud", "canaryREADtoken0123456789", "canary p@ss/w%rd+of OBS"
USER = "canary-user"
VERBOSITIES = [(), ("-q",), ("-v",), ("--debug",), ("--debug", "--log-format", "json"), ("--debug", "--color")]
TELLING = [(), ("--debug",), ("--debug", "--log-format", "json")]
SEARCHED = TELLING if EVERYTHING else TELLING[1:2]
OLD_RPM, OLD_DEB = make_rpm("hello", "0.9"), make_deb("hello", "1.0", "1", salt="before the rebuild")

Scenario = Callable[[Cli], object]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """One upload, one replacement and one deletion are due."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.sandbox.packagecloud.private.add(REPOSITORY)
        cli.sandbox.packagecloud.token, cli.sandbox.packagecloud.read_token = TOKEN, READ_TOKEN
        cli.sandbox.obs.user, cli.sandbox.obs.password = USER, PASSWORD
        for name, value in cli.sandbox.environment.items():
            monkeypatch.setenv(name, value)
        cli.publish(RPM, make_rpm("more"))
        make_due(cli)
        cli.configure(**DELETE, limits={"deletions": 9, "deletions_percent": 100})
        yield cli


def make_due(cli: Cli) -> None:
    cli.sandbox.packagecloud.repositories[REPOSITORY].clear()
    cli.put(RPM, OLD_RPM, OLD_DEB)


def forms(secret: str) -> set[str]:
    """The secret as it is, and as it would stand in a URL, in JSON, in base64 at any offset, and in hex."""
    raw = secret.encode()
    shifted = {base64.b64encode(b"\0" * offset + raw)[4:-4].decode() for offset in range(3)}
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        raw.hex(),
        *shifted,
        *(text.replace("+", "-").replace("/", "_") for text in shifted),
    }


def leaks(cli: Cli, text: str) -> set[str]:
    """Which credentials the text holds, signatures of the CDN included."""
    secrets = {"token": TOKEN, "read token": READ_TOKEN, "password": PASSWORD}
    secrets |= {f"signature {number}": key for number, key in enumerate(cli.sandbox.packagecloud.signed)}
    return {name for name, secret in secrets.items() if any(form in text for form in forms(secret))}


def assert_nothing_written(cli: Cli, runs: list[Done], sealed: Path) -> None:
    for done in runs:
        assert leaks(cli, done.out + done.err) == set()
    for folder in (cli.folder, sealed):
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "written.yaml":
                assert leaks(cli, path.read_bytes().decode("latin-1")) == set(), path
            assert leaks(cli, path.name) == set()


def assert_nothing_sent_astray(cli: Cli) -> None:
    for entry in cli.sandbox.log.entries:
        where = (entry.service, entry.target)
        assert leaks(cli, entry.target) & {"token", "password"} == set(), where
        assert (entry.service == "packagecloud") or not _credentials(entry.headers), where
    for secret, home in ((TOKEN, "packagecloud"), (PASSWORD, "obs")):
        assert {entry.service for entry in cli.sandbox.log.mentions(secret)} <= {home}
    assert {entry.service for entry in cli.sandbox.log.mentions(READ_TOKEN)} <= {"packagecloud"}


def _credentials(headers: dict[str, str]) -> bool:
    """Whether the Packagecloud token is there; OBS has a login of its own."""
    return any(form in value for value in headers.values() for form in forms(TOKEN))


def everything(cli: Cli, verbosities: Sequence[tuple[str, ...]]) -> list[Done]:
    """Every command that reads or writes, with the same work to do for each verbosity."""
    runs = []
    for number, options in enumerate(verbosities):
        folders = ("--cache-dir", f"c{number}", "--state-dir", f"s{number}", "--backup-dir", f"b{number}")
        plan = f"plan{number}.json"
        make_due(cli)
        runs += [
            cli.run("plan", "-o", plan, *options, *folders),
            cli.run("audit", *options, *folders),
            cli.run("explain", "hello", *options, *folders),
            cli.run("snapshot", "-o", f"world{number}.json", *options, *folders),
            cli.run("show", plan, *options),
            cli.run("apply", plan, "--dry-run", *options, *folders),
            cli.run("apply", plan, "--verify-index", *options, *folders),
            cli.run("show", f"plan{number}.receipt.json", "-v", *options),
            cli.run("verify", f"plan{number}.receipt.json", *options, *folders),
            cli.run("verify", *options, *folders),
            cli.run("keys", PROJECT, *options, *folders),
            cli.run("doctor", *options, *folders),
            cli.run("validate", "--online", *options, *folders),
            cli.run("init", PROJECT, REPOSITORY, "-o", f"first{number}.yaml", *options, *folders),
        ]
    return runs


def nothing_wrong(cli: Cli) -> None:
    """The credentials are used, and that is all."""


def obs_echoes(status: int) -> Scenario:
    """The server sends back what it was sent."""
    login = f"{USER}:{PASSWORD}"
    body = (
        b"<status code='x'><summary>no "
        + f"{PASSWORD} {base64.b64encode(login.encode()).decode()}".encode()
        + b"</summary></status>"
    )

    def scenario(cli: Cli) -> None:
        cli.obs_fault(Kind.STATUS, times=None, nth=6, status=status, body=body, content_type="application/xml")

    return scenario


def packagecloud_echoes(status: int, method: str | None) -> Scenario:
    login = base64.b64encode(f"{TOKEN}:".encode()).decode()
    body = json.dumps({"error": f"no {TOKEN} {login}"}).encode()

    def scenario(cli: Cli) -> None:
        cli.packagecloud_fault(
            Kind.STATUS, times=None, method=method, status=status, body=body, content_type="application/json"
        )

    return scenario


def cdn(kind: Kind, **more: Any) -> Scenario:
    """Nothing can be backed up, so the replacement and the deletion fail, over and over."""

    def scenario(cli: Cli) -> None:
        cli.sandbox.packagecloud.cdn_faults.add(Fault(kind=kind, times=None, **more))

    return scenario


def cdn_echoes_the_signature(cli: Cli) -> None:
    """As S3 does when a signature does not match: the whole request is in the answer."""

    def change(reply: Reply) -> Reply:
        texts = "".join(f"<SignatureProvided>{key}</SignatureProvided>" for key in cli.sandbox.packagecloud.signed)
        return Reply(
            status=403,
            headers=(("Content-Type", "application/xml"),),
            body=f"<Error><Code>X</Code>{texts}</Error>".encode(),
        )

    cli.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.REWRITE, times=None, change=change))


def read_token_in(place: Literal["query", "userinfo", "path"], kind: Kind | None = None, **more: Any) -> Scenario:
    def scenario(cli: Cli) -> None:
        cli.sandbox.packagecloud.token_in = place
        if kind:
            cli.packagecloud_fault(kind, "/download", times=None, **more)

    return scenario


def elsewhere(service: Literal["obs", "packagecloud"], path: str) -> Scenario:
    """Redirects to another origin, which notes what it gets."""

    def scenario(cli: Cli) -> None:
        target = f"{cli.sandbox.mirror_url}/stolen"
        (cli.obs_fault if service == "obs" else cli.packagecloud_fault)(
            Kind.REDIRECT, path, times=None, location=target
        )

    return scenario


def foreign_links(cli: Cli) -> None:
    link = f'<{cli.sandbox.mirror_url}/page2>; rel="next"'
    cli.packagecloud_fault(Kind.REWRITE, "packages.json", times=None, change=set_headers(Link=link))


def foreign_rows(cli: Cli) -> None:
    """Every link of every row leads to another server."""
    here, there = cli.sandbox.packagecloud_url.encode(), cli.sandbox.mirror_url.encode()

    def change(reply: Reply) -> Reply:
        body = reply.body.replace(here, there).replace(b'": "/api/', b'": "' + there + b"/api/")
        return Reply(status=reply.status, headers=reply.headers, body=body)

    cli.packagecloud_fault(Kind.REWRITE, "packages.json|search.json|/package/", method="GET", times=None, change=change)


def mirrors(cli: Cli) -> None:
    """Files come from a download server and its mirror, which are no part of the API."""
    cli.sandbox.obs.redirect_to_mirror = True
    cli.sandbox.write_config(cli.folder, {**DELETE, "limits": {"deletions": 9, "deletions_percent": 100}}, "download")


SCENARIOS: dict[str, Scenario] = {
    "nothing wrong": nothing_wrong,
    "OBS echoes 401": obs_echoes(401),
    "OBS echoes 403": obs_echoes(403),
    "OBS echoes 400": obs_echoes(400),
    "OBS echoes 500": obs_echoes(500),
    "Packagecloud echoes 401": packagecloud_echoes(401, None),
    "Packagecloud echoes 500": packagecloud_echoes(500, None),
    "Packagecloud echoes 422 to an upload": packagecloud_echoes(422, "POST"),
    "Packagecloud echoes 500 to an upload": packagecloud_echoes(500, "POST"),
    "Packagecloud echoes 402 to an upload": packagecloud_echoes(402, "POST"),
    "Packagecloud echoes 403 to a deletion": packagecloud_echoes(403, "DELETE"),
    "the CDN refuses": cdn(Kind.STATUS, status=403),
    "the CDN echoes": cdn_echoes_the_signature,
    "the CDN resets": cdn(Kind.RESET),
    "the CDN cuts": cdn(Kind.CUT, keep=10),
    "the CDN corrupts": cdn(Kind.CORRUPT),
    "the CDN redirects": cdn(Kind.REDIRECT, location="/elsewhere"),
    "the read token is in the path": read_token_in("path"),
    "the read token is in the path, and the download fails": read_token_in("path", Kind.STATUS, status=500),
    "the read token is in the path, and the download resets": read_token_in("path", Kind.RESET),
    "the read token is in the path, and the download is not there": read_token_in("path", Kind.STATUS, status=404),
    "the read token is in the query, and the download fails": read_token_in("query", Kind.STATUS, status=500),
    "the read token is in the query, and the download resets": read_token_in("query", Kind.RESET),
    "the read token is a user name": read_token_in("userinfo"),
    "the read token is a user name, and the download fails": read_token_in("userinfo", Kind.RESET),
    "OBS redirects its results": elsewhere("obs", "_result"),
    "OBS redirects its indexes": elsewhere("obs", "/published/.*(repodata|Packages|Release)"),
    "OBS redirects its packages": elsewhere("obs", r"/published/.*\.(rpm|deb)$"),
    "Packagecloud redirects its listing": elsewhere("packagecloud", "packages.json"),
    "Packagecloud redirects its search": elsewhere("packagecloud", "search.json"),
    "Packagecloud redirects its indexes": elsewhere("packagecloud", "/(dists|repodata)/"),
    "Packagecloud redirects its downloads": elsewhere("packagecloud", "/download"),
    "pages elsewhere": foreign_links,
    "rows elsewhere": foreign_rows,
    "mirrors": mirrors,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_secret_is_written_or_sent_astray(cli: Cli, sealed: Path, name: str) -> None:
    SCENARIOS[name](cli)
    runs = everything(cli, VERBOSITIES if name == "nothing wrong" else SEARCHED)
    assert_nothing_written(cli, runs, sealed)
    assert_nothing_sent_astray(cli)


def test_the_scenarios_reach_every_server(cli: Cli, sealed: Path) -> None:
    """Guards the tests above: the credentials are used, and all three kinds of actions are done."""
    runs = everything(cli, TELLING)
    assert [done.code for done in runs] == [0] * len(runs)
    applied = runs[6::14]
    assert all("1 uploaded, 1 replaced, 1 deleted" in done.out for done in applied)
    assert cli.sandbox.log.mentions(TOKEN, "packagecloud")
    assert cli.sandbox.log.mentions(PASSWORD, "obs")
    assert cli.sandbox.log.mentions(READ_TOKEN, "packagecloud")
    assert len(cli.sandbox.packagecloud.signed) == 2 * len(applied)
    assert cli.sandbox.log.count("cdn") == 2 * len(applied)


@pytest.mark.parametrize("service", ["obs", "packagecloud"])
@pytest.mark.parametrize("named", [True, False], ids=["the config names the variables", "the usual variables"])
def test_a_config_alone_sends_nothing_to_another_port_of_this_machine(
    cli: Cli, sealed: Path, service: str, named: bool
) -> None:
    """A config of somebody's pull request, on the machine where another service listens, or another user."""
    config = json.loads(json.dumps(cli.sandbox.config()))
    here = cli.sandbox.obs_url if service == "obs" else cli.sandbox.packagecloud_url
    if not named:
        for key in ("username", "password"):
            del config["obs"][key]
        del config["packagecloud"]["token"]
    (cli.folder / "pkgsync.yaml").write_text(json.dumps(config).replace(here, cli.sandbox.mirror_url))
    runs = [cli.run("plan", "-o", "plan.json", *options) for options in TELLING]
    assert [done.code for done in runs] == [7] * len(runs)
    assert cli.sandbox.log.count("mirror") == 0
    assert_nothing_written(cli, runs, sealed)


@pytest.mark.parametrize("service", ["mirror", "download"])
def test_the_mirror_scenario_reaches_the_mirror(cli: Cli, service: str) -> None:
    mirrors(cli)
    everything(cli, TELLING)
    assert cli.sandbox.log.count(service) > 0


@pytest.mark.parametrize("secret", [TOKEN, READ_TOKEN, PASSWORD])
def test_the_search_finds_what_it_is_for(cli: Cli, secret: str) -> None:
    login = base64.b64encode(f"someone:{secret}".encode()).decode()
    for text in (secret, f"https://x/?t={quote(secret, safe='')}&b", json.dumps({"a": secret}), f"Basic {login}"):
        assert leaks(cli, f"before {text} after")
    assert leaks(cli, "nothing of interest") == set()


@pytest.mark.parametrize("options", VERBOSITIES)
@pytest.mark.parametrize(
    "wrong",
    [
        "packagecloud: {token: [SECRET]}",
        "packagecloud: {token: {SECRET: 1}}",
        "packagecloud: {tokem: SECRET, url: https://packagecloud.io, repository: a/b}",
        "packagecloud: {token: SECRET, url: 'https://a:SECRET@packagecloud.io', repository: a/b}",
        "packagecloud: {token: SECRET, token: SECRET}",
        "packagecloud: {token: 'SECRET, url: x}",
        "packagecloud: {token: !!python/object SECRET}",
        "packagecloud: {token: SECRET\n\tx}",
        "obs: {password: [SECRET], username: [SECRET]}",
        "obs: {api: 'https://u:SECRET@api.opensuse.org', password: SECRET}",
        "packagecloud: {auth: {token: [SECRET], username: 1}}",
        "packagecloud: {token: '${SECRET', repository: a/b}",
        "packagecloud: {token: 'x${SECRET}', repository: a/b}",
    ],
)
def test_a_wrong_config_does_not_tell_its_secrets(cli: Cli, sealed: Path, wrong: str, options: tuple[str, ...]) -> None:
    secret = "canarySECRETinTheConfig"
    (cli.folder / "written.yaml").write_text(f"version: 1\n{wrong.replace('SECRET', secret)}\n")
    runs = [cli.run(command, "-c", "written.yaml", *options) for command in ("validate", "plan")]
    for done in runs:
        assert done.code == 1
        assert done.err
        assert secret not in done.out + done.err


@pytest.mark.parametrize("options", VERBOSITIES)
def test_plain_secrets_in_the_config_stay_there(cli: Cli, sealed: Path, options: tuple[str, ...]) -> None:
    text = (cli.folder / "pkgsync.yaml").read_text()
    for name, value in cli.sandbox.environment.items():
        text = text.replace(f"${{{name}}}", json.dumps(value))
    (cli.folder / "pkgsync.yaml").unlink()
    (cli.folder / "written.yaml").write_text(text)
    runs = [
        cli.run("validate", "-c", "written.yaml", *options),
        cli.run("plan", "-c", "written.yaml", "-o", "plan.json", *options),
        cli.run("apply", "-c", "written.yaml", "plan.json", *options),
    ]
    assert [done.code for done in runs] == [0, 0, 0]
    assert_nothing_written(cli, runs, sealed)


@pytest.mark.parametrize("place", ["pkgsync.session.session.Session._send", "pkgsync.session.session.Session._reply"])
def test_the_traceback_of_a_bug_tells_no_secret(cli: Cli, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def broken(session: object, *arguments: object, **more: Any) -> None:
        raise RuntimeError(f"a bug at {session!r} with {arguments!r} and {vars(session)!r}")

    monkeypatch.setattr(place, broken)
    for options in VERBOSITIES:
        done = cli.run("plan", *options)
        assert done.code == 1
        assert leaks(cli, done.out + done.err) == set()


def test_a_process_of_its_own_with_a_proxy_and_a_netrc_tells_and_sends_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, sealed: Path
) -> None:
    (sealed / ".netrc").write_text("machine 127.0.0.1 login canary-netrc password canary-netrc\n")
    (sealed / ".netrc").chmod(0o600)
    monkeypatch.setenv("http_proxy", cli.sandbox.mirror_url)
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    runs = [cli.call("plan", "--debug", "-o", "plan.json"), cli.call("apply", "--debug", "plan.json")]
    assert [done.code for done in runs] == [0, 0]
    assert_nothing_written(cli, runs, cli.folder)
    assert_nothing_sent_astray(cli)
    assert cli.sandbox.log.mentions("canary-netrc") == []
    assert cli.sandbox.log.count("mirror") == 0


def test_the_world_of_these_tests(cli: Cli) -> None:
    plan = cli.plan()
    assert [[a["filename"] for a in plan[kind]] for kind in ("uploads", "replacements", "deletions")] == [
        ["more-1.0-1.x86_64.rpm"],
        [DEB.filename],
        [OLD_RPM.filename],
    ]
    assert plan["source"]["projects"] == [PROJECT]
