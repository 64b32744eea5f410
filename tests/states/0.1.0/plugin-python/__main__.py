import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)
import json
from pathlib import Path

import pulumi
import pulumi_togetherai as togetherai


def revealed(value):
    if isinstance(value, dict):
        if list(value) == ["fn::secret"]:
            return pulumi.Output.secret(revealed(value["fn::secret"]))
        return {name: revealed(item) for name, item in value.items()}
    return value


for name, declared in json.loads(Path("declared.json").read_text()).items():
    options = pulumi.ResourceOptions(**declared["options"])
    arguments = {argument: revealed(value) for argument, value in declared["arguments"].items()}
    made = getattr(togetherai, declared["kind"])(name, **arguments, opts=options)
    for output in ("reason", "triggers", "comment", "review_comment", "states"):
        if hasattr(made, output):
            pulumi.export(f"{name}-{output}", getattr(made, output))
