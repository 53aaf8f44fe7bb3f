"""Indexes count only with the pinned key's signature, and none that is older than one seen before."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from pkgsync.sandbox import PROJECT, IndexOptions, make_deb, make_rpm
from pkgsync.sandbox.blobs import Blob
from pkgsync.sandbox.signing import PublicKey, Signer
from tests.support.values.openpgp import needs_gpg
from tests.support.worlds.cli_world import DELETE, JAMMY, JAMMY_REPOSITORY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

pytestmark = needs_gpg

REPOMD, ASC = "repodata/repomd.xml", "repodata/repomd.xml.asc"
OLD = make_rpm("hello", "0.9")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """The key of the project is pinned, and there is something to delete."""
    with open_cli(tmp_path, monkeypatch) as cli:
        (tmp_path / "key.asc").write_bytes(key_of(cli).armor)
        cli.put(OLD, created_at="2026-01-01T00:00:00.000Z")
        pin(cli)
        yield cli


def pin(cli: Cli, **project: object) -> None:
    obs = cast("dict[str, object]", cli.sandbox.config()["obs"])
    key = {"name": PROJECT, "signing_key": "key.asc", **project}
    cli.configure(**DELETE, obs={**obs, "projects": [key]})


def key_of(cli: Cli) -> PublicKey:
    assert cli.sandbox.obs.signer
    return cli.sandbox.obs.signer.key


def fingerprint(cli: Cli) -> str:
    return key_of(cli).fingerprint.replace(" ", "").upper()


def tree(cli: Cli, repository: str = LEAP_REPOSITORY) -> dict[str, Blob]:
    return cli.sandbox.obs.repository(PROJECT, repository).tree


def damage(cli: Cli, how: str, folder: Path) -> None:
    """What somebody between OBS and us could do to the Leap repository."""
    leap = (PROJECT, LEAP_REPOSITORY)
    repomd = tree(cli)[REPOMD].read()
    match how:
        case "a changed byte":
            cli.sandbox.obs.replace_published(*leap, REPOMD, repomd.replace(b"<revision>", b"<revision >"))
        case "another key":
            other = Signer(folder / "other", "Somebody <else@example.test>")
            cli.sandbox.obs.replace_published(*leap, ASC, other.detached(repomd))
            other.close()
        case "no signature":
            cli.sandbox.obs.replace_published(*leap, ASC, None)


def actions(plan: dict[str, Any]) -> list[str]:
    kinds = ("uploads", "replacements", "deletions")
    return [f"{a['distribution']}/{a['filename']}" for kind in kinds for a in plan[kind]]


def test_a_plan_says_who_vouches_for_its_indexes(cli: Cli) -> None:
    plan = cli.plan()

    signed = {r["repository"]: r["signature"] for r in plan["source"]["repositories"]}
    assert {name: s["fingerprint"] for name, s in signed.items()} == {
        LEAP_REPOSITORY: fingerprint(cli),
        JAMMY_REPOSITORY: fingerprint(cli),
    }
    assert {(s["hash_algorithm"], "warnings" in s) for s in signed.values()} == {("SHA256", False)}
    assert plan["format_version"] == "1.3"
    vouched = f"{PROJECT} by {' '.join(re.findall('....', fingerprint(cli)))}"
    (cli.folder / "plan.json").write_text(json.dumps(plan))
    for form, said in (("text", "signed "), ("markdown", "Signed: "), ("html", "Signed</dt><dd>")):
        assert f"{said}{vouched}" in cli.run("show", "--format", form, "plan.json").out
    assert len(actions(plan)) == 3


def test_without_a_key_nothing_is_different(cli: Cli) -> None:
    pinned = cli.plan()
    cli.configure(**DELETE)
    plain = cli.plan()
    assert not any("signature" in r for r in plain["source"]["repositories"])
    assert plain["observed"]["obs_requests"] == pinned["observed"]["obs_requests"] - 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("a changed byte", f"{PROJECT}/{LEAP_REPOSITORY}/{REPOMD}: the signature is not of these bytes"),
        ("another key", f"{PROJECT}/{LEAP_REPOSITORY}/{REPOMD}: signed by the key "),
        ("no signature", f"{PROJECT}/{LEAP_REPOSITORY}/{REPOMD}: OBS has no signature of it ({ASC})"),
    ],
)
def test_what_nobody_vouches_for_changes_nothing(cli: Cli, tmp_path: Path, how: str, words: str) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    damage(cli, how, tmp_path)

    done = cli.run("plan", "-o", "later.json")

    assert done.code == 6
    later = cli.saved("later.json")
    [leap] = [r for r in later["source"]["repositories"] if r["repository"] == LEAP_REPOSITORY]
    [problem] = [p for p in leap["problems"] if p["reason"] == "signature"]
    assert problem["message"].startswith(words)
    assert actions(later) == [f"{JAMMY}/{name}" for name in ("hello_1.0-1_amd64.deb",)]
    applied = cli.run("apply", "plan.json")
    assert applied.code == 6
    assert cli.names == {f"{LEAP}/{OLD.filename}", f"{JAMMY}/hello_1.0-1_amd64.deb"}
    receipt = cli.saved("plan.receipt.json")
    assert receipt["exit_code"] == 6
    assert receipt["warnings"][0].startswith(words)


def test_a_debian_index_needs_its_signature_too(cli: Cli) -> None:
    cli.sandbox.obs.replace_published(PROJECT, JAMMY_REPOSITORY, "Release.gpg", None)

    done = cli.run("plan", "--json")

    assert done.code == 6
    [jammy] = [r for r in json.loads(done.out)["source"]["repositories"] if r["repository"] == JAMMY_REPOSITORY]
    assert (
        jammy["problems"][0]["message"]
        == f"{PROJECT}/{JAMMY_REPOSITORY}/Release: OBS has no signature of it (Release.gpg)"
    )
    cli.publish(make_deb("hello", "1.0", "1"))
    release = tree(cli, JAMMY_REPOSITORY)["Release"].read()
    cli.sandbox.obs.replace_published(PROJECT, JAMMY_REPOSITORY, "Release", release + b"Suite: x\n")
    assert cli.run("plan").code == 6


def test_while_obs_publishes_a_signature_may_be_missing(cli: Cli) -> None:
    damage(cli, "no signature", cli.folder)
    cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", "publishing")

    done = cli.run("plan", "--json")

    plan = json.loads(done.out)
    [leap] = [r for r in plan["source"]["repositories"] if r["repository"] == LEAP_REPOSITORY]
    assert (done.code, {p["reason"] for p in leap["problems"]}) == (0, {"index-changed", "publishing"})
    assert not [key for key in actions(plan) if key.startswith(LEAP)]


def test_nobody_vouches_for_an_index_that_is_not_there(cli: Cli) -> None:
    cli.sandbox.obs.wipe(PROJECT, LEAP_REPOSITORY, "x86_64", "hello")
    cli.sandbox.obs.publish(PROJECT, LEAP_REPOSITORY)
    cli.sandbox.obs.replace_published(PROJECT, LEAP_REPOSITORY, REPOMD, None)
    pin(cli, may_be_empty=[LEAP_REPOSITORY])
    assert [p["reason"] for p in leap_of(cli.plan())["problems"]] == ["index-empty"]


def test_a_plan_from_a_snapshot_is_the_live_one(cli: Cli, tmp_path: Path) -> None:
    damage(cli, "another key", tmp_path)
    assert cli.run("snapshot", "-o", "snap.json").code == 6
    moment = ("--now", "2026-06-01T00:00:00Z")
    live, later = cli.plan(*moment), cli.plan(*moment, "--from-snapshot", "snap.json")
    for plan in (live, later):
        del plan["digest"], plan["observed"]
    assert later == live


@pytest.mark.parametrize(
    ("repository", "options", "what"),
    [
        (LEAP_REPOSITORY, IndexOptions(checksum="sha"), "-primary.xml.gz"),
        (JAMMY_REPOSITORY, IndexOptions(deb_sums=("MD5sum", "SHA1")), "/hello_1.0-1_amd64.deb"),
    ],
)
def test_a_good_signature_over_sums_that_can_be_forged_is_none(
    cli: Cli, repository: str, options: IndexOptions, what: str
) -> None:
    cli.sandbox.obs.repository(PROJECT, repository).options = options
    cli.sandbox.obs.publish_all(PROJECT)
    done = cli.run("plan", "--json")
    assert done.code == 6
    [read] = [r for r in json.loads(done.out)["source"]["repositories"] if r["repository"] == repository]
    [problem] = read["problems"]
    assert problem["reason"] == "signature"
    assert problem["message"].endswith(f"{what}: nothing but MD5 or SHA-1 vouches for it, which can be forged")


def test_a_snapshot_that_looked_at_no_signature_proves_none(cli: Cli) -> None:
    cli.configure(**DELETE)
    assert cli.run("snapshot", "-o", "snap.json").code == 0
    pin(cli)
    done = cli.run("plan", "--json", "--from-snapshot", "snap.json")
    assert (done.code, actions(json.loads(done.out))) == (6, [])


def put_back(cli: Cli) -> None:
    """OBS publishes 1.1, which is planned; then somebody plays back the tree of before, and what is built fits it."""
    old = dict(tree(cli))
    built = dict(cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs["x86_64"].packages["hello"].files)
    cli.sandbox.clock.advance(60)
    cli.publish(make_rpm("hello", "1.1"))
    assert cli.run("plan", "-o", "plan.json").code == 0
    tree(cli).clear()
    tree(cli).update(old)
    cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs["x86_64"].packages["hello"].files = built


def leap_of(plan: dict[str, Any]) -> dict[str, Any]:
    [leap] = [r for r in plan["source"]["repositories"] if r["repository"] == LEAP_REPOSITORY]
    return cast("dict[str, Any]", leap)


@pytest.mark.parametrize("pinned", [True, False])
def test_an_index_that_is_older_than_one_seen_before_holds_what_it_does_not_share(cli: Cli, pinned: bool) -> None:
    if not pinned:
        cli.configure(**DELETE)
    put_back(cli)

    plan = cli.plan()

    assert [p["reason"] for p in leap_of(plan)["problems"]] == ["index-old"]
    assert not [key for key in actions(plan) if key.startswith(LEAP)]
    held = {f"{item['distribution']}/{item['filename']}": item["reason"] for item in plan["held"]}
    assert held == {f"{LEAP}/{RPM.filename}": "index-old", f"{LEAP}/{OLD.filename}": "newest-not-here"}
    cli.put(RPM)
    assert cli.plan()["summary"]["distributions"][LEAP]["unchanged"] == 1


def test_that_an_index_is_older_is_told_once_whatever_it_lists(cli: Cli) -> None:
    cli.publish(make_rpm("hello", "1.0"), make_rpm("tool", "1.0"))
    put_back(cli)
    [problem] = leap_of(cli.plan())["problems"]
    assert (problem["reason"], "more" in problem["message"]) == ("index-old", False)


def test_an_apply_knows_by_its_plan_that_the_index_is_older(cli: Cli) -> None:
    put_back(cli)
    done = cli.run("--state-dir", cli.folder / "fresh", "apply", "plan.json")
    assert done.code == 4
    assert {key for key in cli.names if key.startswith(LEAP)} == {f"{LEAP}/{OLD.filename}"}


def test_an_older_index_counts_where_it_is_accepted_by_name(cli: Cli) -> None:
    put_back(cli)
    name = f"{PROJECT}/{LEAP_REPOSITORY}"

    done = cli.run("plan", "--accept-older-index", name, "-o", "accepted.json")

    assert done.code == 0
    assert f"with --accept-older-index {name}" in done.out
    plan = cli.saved("accepted.json")
    assert (plan["overrides"], leap_of(plan)["settled"]) == ({"accept_older_index": [name]}, True)
    assert f"{LEAP}/{RPM.filename}" in actions(plan)
    assert cli.run("apply", "accepted.json").code == 0
    assert leap_of(cli.plan())["settled"]
    wrong = cli.run("plan", "--accept-older-index", name[:-1])
    assert (wrong.code, wrong.errors) == (
        64,
        [f"error: --accept-older-index {name[:-1]}: no such OBS repository was read"],
    )
    assert f"Did you mean {name}?" in wrong.err


def test_keys_shows_what_obs_offers_and_writes_it(cli: Cli) -> None:
    groups = key_of(cli).fingerprint.upper()

    done = cli.run("keys", PROJECT, "-o", "offered.asc")

    assert done.code == 0, done.err
    assert done.out.splitlines()[:3] == [f"{PROJECT} is signed by the key:", f"  {groups}", "  rsa 2048"]
    assert (cli.folder / "offered.asc").read_bytes().split() == key_of(cli).armor.split()
    again = cli.run("keys", PROJECT, "-o", "offered.asc")
    assert (again.code, again.errors) == (64, ["error: offered.asc is there already, and is not overwritten"])
    assert cli.run("keys", "nope").errors == ["error: nope: OBS has no such project"]
    cli.sandbox.obs.signer = None
    assert cli.run("keys", PROJECT).errors == [f"error: {PROJECT}: OBS offers no signing key for it"]


def test_init_pins_the_key_and_refuses_another_one_where_it_would_write_it(cli: Cli) -> None:
    done = cli.run("init", PROJECT, "demo/testing", "-o", "new.yaml")

    assert done.code == 0, done.err
    assert "      signing_key: keys/demo_release.asc  #" in (cli.folder / "new.yaml").read_text()
    assert key_of(cli).fingerprint.upper() in done.out
    (cli.folder / "keys/demo_release.asc").write_text("another")
    again = cli.run("init", PROJECT, "demo/testing", "-o", "other.yaml")
    assert again.errors == ["error: keys/demo_release.asc is there already, and OBS offers another key"]
    assert not (cli.folder / "other.yaml").exists()


def test_doctor_says_which_projects_are_pinned(cli: Cli) -> None:
    groups = key_of(cli).fingerprint.upper()
    assert f"signatures: {PROJECT}: by {groups}, verified by " in cli.run("doctor").out.replace("\n          ", " ")
    cli.configure()
    assert f"signatures: not checked, as no signing_key is set: {PROJECT}" in cli.run("doctor").out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: key.asc: No such file or directory"),
        (b"hello\n", "cannot be used: key.asc: it is cut off, or no OpenPGP"),
    ],
)
def test_a_key_file_that_is_none_is_an_error_of_the_config(cli: Cli, content: bytes | None, words: str) -> None:
    (cli.folder / "key.asc").unlink()
    if content is not None:
        (cli.folder / "key.asc").write_bytes(content)
    for command in ("plan", "validate"):
        done = cli.run(command)
        assert (done.code, done.errors) == (1, [f"error: pkgsync.yaml: the signing_key of {PROJECT} {words}"])


def test_what_is_only_built_has_no_signature(cli: Cli) -> None:
    pin(cli, content="build")
    [error] = cli.run("validate").errors
    assert error.endswith("`content: build` reads no index, so there is no signature for `signing_key` to check")
