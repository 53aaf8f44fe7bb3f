"""Saves what the default branch may see of OBS and Packagecloud, for the pull requests of forks.

Reads PKGSYNC_CONFIG, and what GitHub sets. Exits as `pkgsync snapshot`.
"""

import github
import plans
import runner


def main() -> int:
    config = runner.variable("PKGSYNC_CONFIG")
    path = github.work_folder(config) / "snapshot.json"
    # of an earlier step of this job
    path.unlink(missing_ok=True)
    code, told = plans.run("snapshot", "-c", config, "-o", str(path))
    if path.exists():
        runner.output("snapshot", path)
        runner.output("artifact", plans.artifact("snapshot", config))
    if code:
        runner.annotate("error", f"{config}: pkgsync snapshot ended with exit code {code}: {told}")
    return code


if __name__ == "__main__":
    runner.main(main)
