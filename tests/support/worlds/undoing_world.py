"""Undo over the real sockets of a test's world."""

from pkgsync import planfile
from pkgsync.model import Overrides, Plan, Receipt
from pkgsync.reconcile import Setting, undo_plan
from pkgsync.sandbox import PROJECT
from pkgsync.services import look_back
from tests.support.worlds.apply_world import MANAGED, World, surroundings_of


def undo(world: World, receipt: Receipt) -> Plan:
    """The plan back, as if read from its file."""
    endpoints, config = world.endpoints, world.config()
    setting = Setting(
        obs_api=endpoints.obs_url,
        projects=(PROJECT,),
        packagecloud_url=endpoints.packagecloud_url,
        config_digest=config.digest,
        pkgsync_version="1.0.0",
        overrides=Overrides(),
    )
    found = look_back(receipt, config, world.client(), surroundings_of(world.folder, world.pauses.append))
    plan = undo_plan(receipt, *found, world.policy, MANAGED, world.now(), setting)
    return planfile.loads(planfile.dumps(plan), "undo.json")
