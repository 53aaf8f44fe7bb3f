"""The values that a config makes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.config import Config, Connections, load, managed_distributions
from pkgsync.config.units import duration, size
from pkgsync.errors import UsageError
from pkgsync.model import DistributionLimits, GoneRule, Limits, OrphanAction, OrphanPolicy, Policy

Make = Callable[..., Config]
MINIMAL = """\
version: 1
obs:
  projects:
    - name: home:a
packagecloud:
  repository: a/b
distributions:
  Leap: opensuse/15.6
"""


@pytest.fixture
def config(tmp_path: Path) -> Make:
    def make(text: str, env: dict[str, str] | None = None) -> Config:
        path = tmp_path / "pkgsync.yaml"
        path.write_text(text)
        return load(path, env or {})

    return make


def test_defaults(config: Make) -> None:
    made = config(MINIMAL)
    assert made.obs.api == "https://api.opensuse.org"
    assert made.packagecloud.url == "https://packagecloud.io"
    assert made.obs.published_url is None
    assert made.policy == Policy()
    assert (made.warnings, made.legacy, made.allow_http) == ((), False, False)
    assert managed_distributions(made) == ("opensuse/15.6",)


def test_expand_makes_every_combination_with_the_first_placeholder_changing_slowest(config: Make) -> None:
    text = MINIMAL.replace(
        "- name: home:a\n",
        '- name: "home:{release}:{arch}"\n      expand: {release: ["2", "1"], arch: [x86_64, aarch64]}\n',
    )
    assert [project.name for project in config(text).obs.projects] == [
        "home:2:x86_64",
        "home:2:aarch64",
        "home:1:x86_64",
        "home:1:aarch64",
    ]


def test_a_project_overrides_the_distributions_by_key_and_adds_its_own_behind(config: Make) -> None:
    text = MINIMAL.replace(
        "- name: home:a\n", "- name: home:a\n      distributions: {Old: null, Leap: [opensuse/15.5, opensuse/15.6]}\n"
    ).replace("  Leap: opensuse/15.6\n", '  Leap: opensuse/15.6\n  RHEL: el/9\n  "*": null\n')
    project = config(text).obs.projects[0]
    assert list(project.distributions.items()) == [
        ("Leap", ("opensuse/15.5", "opensuse/15.6")),
        ("RHEL", ("el/9",)),
        ("*", None),
        ("Old", None),
    ]
    assert project.target("RHEL") == ("el/9",)
    assert project.target("anything else") is None


def test_without_a_catch_all_an_unmapped_repository_has_no_target(config: Make) -> None:
    with pytest.raises(KeyError):
        config(MINIMAL).obs.projects[0].target("other")


def test_a_catch_all_may_map(config: Make) -> None:
    project = config(MINIMAL.replace("  Leap:", '  "*":')).obs.projects[0]
    assert project.target("other") == ("opensuse/15.6",)


def test_filters_of_a_project(config: Make) -> None:
    text = MINIMAL.replace(
        "- name: home:a\n",
        "- name: home:a\n      repositories: ['Leap*']\n      architectures: [x86_64]\n"
        "      ignore_architectures: [riscv64]\n      may_be_empty: [Leap]\n      optional: true\n",
    )
    project = config(text).obs.projects[0]
    assert (project.repositories, project.architectures) == (("Leap*",), ("x86_64",))
    assert (project.ignore_architectures, project.may_be_empty, project.optional) == (("riscv64",), ("Leap",), True)
    assert project.selects("Leap_15.6")
    assert not project.selects("RHEL_9")


def test_optional_projects_are_matched_by_expanded_name_or_glob(config: Make) -> None:
    text = MINIMAL.replace(
        "    - name: home:a\n", "    - name: home:a\n    - name: home:b\n    - name: home:b:c\n"
    ).replace("packagecloud:\n", "  optional_projects: ['home:b:*', home:a]\npackagecloud:\n")
    assert [(p.name, p.optional) for p in config(text).obs.projects] == [
        ("home:a", True),
        ("home:b", False),
        ("home:b:c", True),
    ]


def test_policy(config: Make) -> None:
    policy = config(
        MINIMAL
        + """\
include: ["a*"]
exclude: ["*-devel*"]
include_classes: [source, debug]
rebuilds: hold
orphans:
  action: archive
  archive_to: a/old
  keep_versions: 2
  min_age: 2w
  grace: 0
  gone: delete
  protect: [p]
  names: [n]
  uploaders: [u]
  without_files: [w]
limits: {deletions: 0, deletions_percent: 100, in_use_days: 14, installable: true, distributions: {opensuse/15.6: {deletions: 5}}}
"""
    ).policy
    assert policy.include == ("a*",)
    assert policy.exclude == ("*-devel*",)
    assert policy.include_classes == ("debug", "source")
    assert policy.rebuilds == "hold"
    assert policy.orphans == OrphanPolicy(
        action=OrphanAction.ARCHIVE,
        archive_to="a/old",
        keep_versions=2,
        min_age=timedelta(days=14),
        grace=timedelta(0),
        gone=GoneRule.DELETE,
        protect=("p",),
        names=("n",),
        uploaders=("u",),
        without_files=("w",),
    )
    assert policy.limits == Limits(
        deletions=0,
        deletions_percent=100,
        in_use_days=14,
        installable=True,
        distributions={"opensuse/15.6": DistributionLimits(deletions=5)},
    )
    assert policy.limits.of("opensuse/15.6") == replace(policy.limits, deletions=5)
    assert policy.limits.of("el/9") == policy.limits


def test_orphans_as_a_word(config: Make) -> None:
    assert config(MINIMAL + "orphans: keep\n").policy.orphans.action is OrphanAction.KEEP


def test_the_rest_of_orphans_may_be_set_for_a_run_that_asks_for_another_action(config: Make) -> None:
    orphans = config(MINIMAL + "orphans: {keep_versions: 3, archive_to: a/old}\n").policy.orphans
    assert (orphans.action, orphans.keep_versions) == (OrphanAction.KEEP, 3)


@pytest.mark.parametrize(
    ("api", "published", "more"),
    [
        ("http://127.0.0.1:1", "http://localhost:2", ""),
        ("https://10.0.0.1", "https://192.168.7.7", ""),
        ("https://api.opensuse.org", "https://10.0.0.1", "allow_private: true\n"),
        ("https://10.0.0.1", "https://download.example.org", ""),
    ],
)
def test_published_files_may_be_where_the_api_is_or_where_it_is_allowed(
    config: Make, api: str, published: str | None, more: str
) -> None:
    urls = f"obs:\n  api: {api}\n  published_url: {published}/{{project}}/{{repository}}\n"
    made = config(MINIMAL.replace("obs:\n", urls, 1) + more)
    assert (made.obs.published_url, made.allow_private) == (f"{published}/{{project}}/{{repository}}", bool(more))


def test_connections_are_no_part_of_what_decides(config: Make) -> None:
    plain, some = config(MINIMAL), config(MINIMAL + "connections: {obs: 1, downloads: 64}\n")
    assert plain.connections == Connections(obs=4, listing=8, uploads=4, downloads=8)
    assert some.connections == Connections(obs=1, listing=8, uploads=4, downloads=64)
    assert some.digest == plain.digest


def test_allow_private_changes_the_digest_only_where_it_is_set(config: Make) -> None:
    digests = [config(MINIMAL + more).digest for more in ("", "allow_private: false\n", "allow_private: true\n")]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "http://127.8.8.8", "HTTPS://X.example"]
)
def test_loopback_may_be_plain_http(config: Make, url: str) -> None:
    text = MINIMAL.replace("  repository:", f"  url: '{url}'\n  repository:")
    if url.startswith("HTTPS"):
        url = url.replace("HTTPS", "https")
        text = text.replace("HTTPS", "https")
    assert config(text).packagecloud.url == url


def test_plain_http_can_be_allowed_and_is_warned_of(config: Make) -> None:
    made = config(MINIMAL.replace("  repository:", "  url: http://pc.example\n  repository:") + "allow_http: true\n")
    assert made.allow_http
    assert made.warnings == ("plain http is allowed: packages and credentials can be read and changed on their way",)


def test_a_trailing_slash_of_a_url_does_not_count(config: Make) -> None:
    made = config(MINIMAL.replace("  repository:", "  url: https://pc.example/\n  repository:"))
    assert made.packagecloud.url == "https://pc.example"


def test_a_plain_secret_works_with_a_warning_and_never_shows(config: Make) -> None:
    made = config(MINIMAL.replace("  repository:", "  token: hunter2\n  repository:"))
    assert made.secrets.packagecloud_token == "hunter2"
    assert len(made.warnings) == 1
    assert made.warnings[0].startswith("packagecloud.token is a plain secret in the config")
    assert "hunter2" not in repr(made) + repr(made.secrets) + made.warnings[0] + made.digest


def test_a_variable_that_is_not_set_is_a_warning_and_no_error(config: Make) -> None:
    text = MINIMAL.replace("  repository:", "  token: ${TOKEN}\n  repository:")
    assert config(text).warnings == ("packagecloud.token names the environment variable TOKEN, which is not set",)
    assert config(text, {"TOKEN": "x"}).warnings == ()


def test_the_digest_is_known(config: Make) -> None:
    """The expected value was computed by hashlib over the RFC 8785 JSON, written by hand."""
    assert config(MINIMAL).digest == DIGEST, "a new key of the policy is field(default=..., metadata=LATER)"


def test_the_digest_does_not_depend_on_comments_order_of_keys_credentials_or_defaults_written_out(config: Make) -> None:
    same = """\
# the same
packagecloud: {repository: a/b, url: "https://packagecloud.io/", token: secret}
distributions: {Leap: [opensuse/15.6]}
obs: {projects: [{name: "home:{x}", expand: {x: [a]}, content: published}], api: https://api.opensuse.org}
orphans: keep
rebuilds: replace
version: 1
"""
    assert config(same).digest == DIGEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("home:a", "home:b"),
        ("a/b", "a/c"),
        ("opensuse/15.6", "opensuse/15.5"),
        ("version: 1\n", "version: 1\nexclude: [x]\n"),
        ("version: 1\n", "version: 1\norphans: {keep_versions: 2}\n"),
        ("version: 1\n", "version: 1\norphans: {grace: 1s}\n"),
        ("version: 1\n", "version: 1\norphans: {gone: delete}\n"),
        ("version: 1\n", "version: 1\nlimits: {deletions: 21}\n"),
        ("version: 1\n", "version: 1\nlimits: {in_use_days: 1}\n"),
        ("version: 1\n", "version: 1\nlimits: {installable: true}\n"),
        ("version: 1\n", "version: 1\nlimits: {distributions: {opensuse/15.6: {deletions: 20}}}\n"),
        ("version: 1\n", "version: 1\nlimits: {approvals: {signers: x}}\n"),
        ("version: 1\n", "version: 1\nrebuilds: hold\n"),
        ("obs:\n", "obs:\n  api: https://obs.example\n"),
    ],
)
def test_the_digest_depends_on_all_that_decides(config: Make, old: str, new: str) -> None:
    assert config(MINIMAL.replace(old, new, 1)).digest != DIGEST


def test_the_digest_depends_on_the_order_of_distributions(config: Make) -> None:
    first = config(MINIMAL + "  RHEL: el/9\n").digest
    second = config(MINIMAL.replace("  Leap:", "  RHEL: el/9\n  Leap:")).digest
    assert first != second


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no config file"):
        load(tmp_path / "none.yaml", {})


def test_a_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        load(tmp_path, {})


def test_aliases_work(config: Make) -> None:
    text = MINIMAL.replace(
        "    - name: home:a\n",
        "    - {name: home:a, architectures: &a [x86_64]}\n    - {name: home:b, architectures: *a}\n",
    )
    assert [p.architectures for p in config(text).obs.projects] == [("x86_64",), ("x86_64",)]


def test_a_byte_order_mark_and_windows_line_ends_work(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(path, {}).packagecloud.repository == "a/b"


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("45s", 45), ("30m", 1800), ("12h", 43200), ("14d", 1209600), ("2w", 1209600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "14", "d", "-1d", "1.5d", "1 d", "1d\n", "1D", "1y", "999999d", "٣d"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="such as 14d"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("5B", 5), ("2KiB", 2048), ("20MiB", 20971520), ("1GiB", 1073741824)]
)
def test_sizes(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "MiB", "10", "-1", "1.5GiB", "1MB", "1 MiB", "1MiB\n"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="such as 20MiB"):
        size(text)


DIGEST = "sha256:cf4fe7a3ffa6c0cc03da49ee127792676dcc6feac37a29ef82047840cffad2e4"
