"""The example workflows against the schemas of those who run them, and their commands against our command line."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from hera.workflows.models import Workflow
from jsonschema import Draft7Validator

from pkgsync.cli.commands.apply import apply

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARDS = ("argo/shards.yaml", "github/shards.yml", "gitlab/shards.yml", "kubernetes/shards.yaml")
KUBERNETES = "1.33"


def documents(name: str) -> list[Any]:
    """The file's documents, in YAML 1.2 as far as keys go: 1.1 would read the key ``on`` as true."""
    found = list(yaml.safe_load_all((EXAMPLES / name).read_text()))
    return [{"on" if key is True else key: value for key, value in document.items()} for document in found]


def with_inputs(name: str) -> Any:
    """A GitLab file as it is included with its defaults."""
    text = (EXAMPLES / name).read_text()
    head, _ = documents(name)
    given = {key: value.get("default", f"the-{key}") for key, value in head["spec"]["inputs"].items()}
    return yaml.safe_load(
        re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda m: str(given[m[1]]), text.split("\n---\n")[1])
    )


def wrong(schema: str, document: Any) -> list[str]:
    """What the schema of SchemaStore says against the document."""
    folder = resources.files("check_jsonschema") / "builtin_schemas/vendor"
    validator = Draft7Validator(json.loads((folder / f"{schema}.json").read_text()))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", ["pkgsync", "shards"])
def test_github_takes_the_workflow(name: str) -> None:
    (document,) = documents(f"github/{name}.yml")
    assert wrong("github-workflows", document) == []
    assert wrong("github-workflows", {**document, "job": {}}) != []


@pytest.mark.parametrize("name", ["pkgsync", "shards"])
def test_gitlab_takes_the_jobs(name: str) -> None:
    head, _ = documents(f"gitlab/{name}.yml")
    jobs = with_inputs(f"gitlab/{name}.yml")
    assert wrong("gitlab-ci", {**head, **jobs}) == []
    assert wrong("gitlab-ci", {**jobs, "more": {"script": "true", "parallel": "4"}}) != []


def test_kubernetes_takes_the_jobs() -> None:
    jobs = documents("kubernetes/shards.yaml")
    for job in jobs:
        kubernetes_validate.validate(job, KUBERNETES, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**jobs[0], "more": 1}, KUBERNETES, strict=True)


def test_argo_takes_the_workflow() -> None:
    """Its model leaves out what it does not know: what it gives back must be all that it got."""
    (document,) = documents("argo/shards.yaml")
    taken = Workflow.model_validate(document).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert taken == document


def test_no_other_example_with_shares_is_left_untested() -> None:
    assert sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("shards.*")) == list(SHARDS)


# the commands


def arguments(name: str) -> Iterator[list[str]]:
    """What follows ``pkgsync apply`` in the file, command by command."""
    if name.startswith("argo"):
        (document,) = documents(name)
        yield from (t["container"]["args"][1:] for t in document["spec"]["templates"] if "container" in t)
        return
    joined = re.sub(r"\n\s+(?=--)", " ", (EXAMPLES / name).read_text())
    for line in re.findall(r"pkgsync apply (.*)", joined):
        yield shlex.split(line)


def parsed(given: list[str]) -> Mapping[str, Any]:
    context = click.Context(apply)
    options, rest, _ = apply.make_parser(context).parse_args(args=list(given))
    assert rest == []
    return options


@pytest.mark.parametrize("name", SHARDS)
def test_shares_come_first_then_each_later_phase_and_all_of_the_approved_plan(name: str) -> None:
    found = [parsed(given) for given in arguments(name)]
    phases = ["shard" if "shard" in options else options["only"] for options in found]
    expected = (
        ["shard", "{{inputs.parameters.phase}}"] if name.startswith("argo") else ["shard", "replacements", "deletions"]
    )
    assert phases == expected
    assert all(options["expect_digest"] and options["file"] == "plan.json" for options in found)


def test_shares_are_numbered_from_one() -> None:
    (job, _) = documents("kubernetes/shards.yaml")
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (4, 4)
    assert '--shard "$((JOB_COMPLETION_INDEX + 1))/4"' in job["spec"]["template"]["spec"]["containers"][0]["args"][0]
    (workflow,) = documents("github/shards.yml")
    assert workflow["jobs"]["upload"]["strategy"]["matrix"] == {"share": [1, 2, 3, 4]}
    (argo,) = documents("argo/shards.yaml")
    uploading = argo["spec"]["templates"][0]["steps"][0][0]
    assert uploading["withSequence"] == {"start": "1", "end": "{{workflow.parameters.shares}}"}


# signatures


def scripts() -> Iterator[tuple[str, str]]:
    """What each job that applies runs, and the variable that it has its signatures in."""
    for name in ("pkgsync", "shards"):
        jobs = with_inputs(f"gitlab/{name}.yml")
        for job in jobs.values():
            lines = [*jobs.get(job.get("extends"), {}).get("before_script", ()), *job.get("script", ())]
            if any(line.startswith("pkgsync apply ") for line in lines):
                yield "\n".join(lines), "PKGSYNC_SIGNATURES"
    (workflow,) = documents("github/shards.yml")
    for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
        if "pkgsync apply " in step.get("run", ""):
            (variable,) = [name for name, value in step["env"].items() if value == "${{ vars.PKGSYNC_SIGNATURES }}"]
            yield step["run"], variable


def test_each_job_that_applies_has_the_signatures_beside_the_plan(tmp_path: Path) -> None:
    """As services keep a variable: without the line break at its end."""
    block = "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----"
    (tmp_path / "pkgsync").write_text('#!/bin/sh\nfor plan; do :; done\ncat "$plan.sig"\n')
    (tmp_path / "pkgsync").chmod(0o755)
    found = list(scripts())
    for script, variable in found:
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PLAN": "plan-abc.json", variable: block}
        done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        assert done.stdout == f"{block}\n" * script.count("pkgsync apply ")
    assert len(found) == 5


def test_what_else_applies_is_told_of_signatures() -> None:
    (workflow,) = documents("github/pkgsync.yml")
    (step,) = [step for step in workflow["jobs"]["apply"]["steps"] if "/actions/apply@" in step["uses"]]
    assert step["with"] == {"signatures": "${{ vars.PKGSYNC_SIGNATURES }}"}
    for name in ("argo", "kubernetes"):
        assert "plan.json.sig" in (EXAMPLES / name / "shards.yaml").read_text()
