"""A plan as GitLab's merge request widget for Terraform reads it.

Source: https://docs.gitlab.com/user/infrastructure/iac/mr_integration/ (artifacts:reports:terraform).
"""

import json

from pkgsync.model import Plan


def plan_gitlab(plan: Plan) -> str:
    """The numbers of the widget, with a newline at the end. What is archived leaves, too: it counts as deleted."""
    counts = plan.summary.total
    numbers = {
        "create": counts.uploads,
        "update": counts.replacements,
        "delete": counts.deletions + counts.archivings,
    }
    return json.dumps(numbers) + "\n"
