"""What a program declares about a remediation."""

from __future__ import annotations

from pulumi_resource_togetherai.clusters import messages
from pulumi_resource_togetherai.config import IfRecent
from pulumi_resource_togetherai.fields import Choice, Duration, Identifier, Inputs, Mode, Named


class IfActive(Choice):
    """What to do when the instance has another active remediation, which this resource did not start."""

    FAIL = ("FAIL", "Stop, and report that remediation.")
    ADOPT = ("ADOPT", "Wait for it instead of starting one. The provider never cancels it: it is somebody else's.")
    CREATE = ("CREATE", "Start a remediation beside it.")


class DeleteWhileRunning(Choice):
    """What deleting the resource does about a remediation that can no longer be cancelled."""

    WAIT = ("WAIT", "Wait until it has ended.")
    ABANDON = ("ABANDON", "Leave it running and forget it.")
    FAIL = ("FAIL", "Stop, and keep the resource.")


class Settings(Inputs):
    """The settings that one remediation and a RollingRemediation of many have in common."""

    reason: str | None = None
    """Why, for the people who read the remediation's record. The provider adds a marker that names the program."""
    triggers: dict[str, str] | None = None
    """Any values; changing one runs a new remediation. Use it to repair the same node in the same way again."""
    timeout: Duration = "1h"
    """How long to wait for the remediation to end, such as 45m or 1h30m. `customTimeouts` overrides it."""
    if_active: IfActive = IfActive.FAIL
    """What to do about another active remediation of the node, which this resource did not start. If two are started
    at the same moment, the provider cancels the later one before it begins, and this setting decides what that resource
    does then."""
    if_recent: IfRecent | None = None
    """What to do when another remediation of the node SUCCEEDED a short while ago. `recentWindow` says how short.
    Default: the provider's `ifRecent`."""
    recent_window: Duration | None = None
    """How long ago another remediation of the node may have succeeded and still be recent, such as 30m. It counts
    for `ifRecent`. Default: the provider's `recentWindow`."""
    retry_failed: bool = False
    """Whether to run a FAILED remediation again. If true, the next `pulumi up` does."""
    delete_while_running: DeleteWhileRunning = DeleteWhileRunning.WAIT
    """What deleting the resource does about a remediation that can no longer be cancelled."""


class RemediationInputs(Settings):
    """The inputs of a Remediation."""

    one_of = (("instanceId",), ("node",))

    cluster_id: Identifier
    """The cluster of the node. Changing it runs a new remediation."""
    instance_id: Identifier | None = None
    """The instance (a GPU worker node's VM) to repair; or give the node. Changing it runs a new remediation."""
    node: Named | None = None
    """The node to repair, by any name that the API knows for it. That is its node id, host name, Slurm host name,
    instance name or instance id. It is looked up when a remediation is about to start; give it or the `instanceId`.
    The resource stays the record of that remediation, whichever instance the name leads to later. Changing it runs a
    new remediation."""
    mode: Mode
    """How to repair the node. Write it in short (`VM_ONLY`) or in full (`REMEDIATION_MODE_VM_ONLY`). Changing it runs a
    new remediation."""
    idempotency_key: Identifier | None = None
    """The key under which the provider posts the remediation. Default: one derived from the resource's URN and inputs.
    Changing it runs a new remediation. With `pulumi do --stateless` the key is derived from this, the node and the
    mode, so it may be what the repair is for, such as an incident's number."""
    wait: bool = True
    """Whether to wait until the remediation has ended. If false, the resource counts as created once the API has
    accepted the remediation."""
    accept_failure: bool = False
    """Whether a remediation that FAILED or was CANCELLED is recorded like any other. If false, such an end is an
    error."""

    @property
    def again(self) -> str:
        """What to change to run it again, as messages name it. A key that the program chose is in use once it was
        sent, whatever the triggers are."""
        return "`idempotencyKey`" if self.idempotency_key is not None else "`triggers`"

    @property
    def target(self) -> str:
        """The node to repair, as messages name it."""
        if self.node is not None:
            return messages.node_named(self.cluster_id, self.node)
        return messages.node(self.cluster_id, self.instance_id or "")
