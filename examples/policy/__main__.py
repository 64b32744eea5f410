"""The policy pack: hands what Pulumi tells to the rules."""

# pyright: basic, reportMissingImports=false
# (pulumi-policy wants an older protobuf than the provider's tests use, so it is installed in a place of its own.)

from __future__ import annotations

from datetime import UTC, datetime

import rules
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationPolicy,
    StackValidationPolicy,
)

HOURS = {
    "days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
    "from": "08:00",
    "to": "18:00",
    "timeZone": "UTC",
    "anytime": False,
}


def _known(properties):
    """What is known of the properties: the others cannot be judged yet, and are judged before they are created."""
    known = {}
    for name in ("reason", "mode", "expectedMode", "decision", "remediationId", "maxUnhealthy"):
        try:
            known[name] = properties[name]
        except Exception:  # not there, or not known yet
            continue
    return known


def _stack(urn):
    return urn.split("::")[0].rpartition(":")[2]


def reason_required(args, report):
    """A remediation needs a reason."""
    if wrong := rules.reason_missing(args.resource_type, _known(args.props)):
        report(wrong)


def limit_required(args, report):
    """A ClusterRepair needs `maxUnhealthy`."""
    if wrong := rules.limit_missing(args.resource_type, _known(args.props)):
        report(wrong)


def allowed_modes(args, report):
    """Only the modes allowed for the stack."""
    mode = rules.mode_of(args.resource_type, _known(args.props))
    if wrong := rules.mode_not_allowed(mode, _stack(args.urn), args.get_config().get("stacks", {})):
        report(wrong)


def power_cycle_hours(args, report):
    """No HOST_POWER_CYCLE outside working hours."""
    mode = rules.mode_of(args.resource_type, _known(args.props))
    if wrong := rules.power_cycle_out_of_hours(mode, datetime.now(UTC), {**HOURS, **args.get_config()}):
        report(wrong)


def at_most(args, report):
    """No more remediations in one update than that."""
    new = [
        resource.name
        for resource in args.resources
        if rules.is_remediation(resource.resource_type) and not _known(resource.props).get("remediationId")
    ]
    if wrong := rules.too_many(new, int(args.get_config()["most"])):
        report(wrong)


PolicyPack(
    name="remediations",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(name="reason-required", description=reason_required.__doc__, validate=reason_required),
        ResourceValidationPolicy(name="limit-required", description=limit_required.__doc__, validate=limit_required),
        ResourceValidationPolicy(
            name="allowed-modes",
            description=allowed_modes.__doc__,
            validate=allowed_modes,
            config_schema=PolicyConfigSchema(properties={"stacks": {"type": "object", "default": {}}}),
        ),
        ResourceValidationPolicy(
            name="power-cycle-hours",
            description=power_cycle_hours.__doc__,
            validate=power_cycle_hours,
            config_schema=PolicyConfigSchema(
                properties={
                    "days": {"type": "array", "default": HOURS["days"]},
                    "from": {"type": "string", "default": HOURS["from"]},
                    "to": {"type": "string", "default": HOURS["to"]},
                    "timeZone": {"type": "string", "default": HOURS["timeZone"]},
                    "anytime": {"type": "boolean", "default": False},
                }
            ),
        ),
        StackValidationPolicy(
            name="at-most",
            description=at_most.__doc__,
            validate=at_most,
            config_schema=PolicyConfigSchema(properties={"most": {"type": "integer", "default": 3}}),
        ),
    ],
)
