"""Undo over the real sockets of a test's world."""

from pkgsync import planfile
from pkgsync.apply.kept import look_back
from pkgsync.cache import Cache
from pkgsync.model import Overrides, Plan, Receipt
from pkgsync.progress import SILENT
from pkgsync.reconcile import Setting, undo_plan
from pkgsync.sandbox import PROJECT
from tests.apply_world import CONFIG_DIGEST, MANAGED, World


def undo(world: World, receipt: Receipt) -> Plan:
    """The plan back, as if read from its file."""
    services = world.services
    setting = Setting(
        obs_api=services.obs_url,
        projects=(PROJECT,),
        packagecloud_url=services.packagecloud_url,
        config_digest=CONFIG_DIGEST,
        pkgsync_version="1.0.0",
        overrides=Overrides(),
    )
    store = Cache(world.folder / "backups")
    found = look_back(receipt, world.client(), world.policy, store, MANAGED, now=world.now, progress=SILENT)
    plan = undo_plan(receipt, *found, world.policy, MANAGED, world.now(), setting)
    return planfile.loads(planfile.dumps(plan), "undo.json")
