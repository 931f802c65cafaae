"""What is changed at the insurer: each kind of change with its words, its plan, and on what it is done."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangeScenario:
    """One kind of change; `on` is the class of the CIs, `most` how many at once, `hours` how long the work takes (from, to)."""

    on: str
    weight: float
    type: str
    risk: str
    titles: Sequence[str]
    reason: str
    plan: str
    rollback: str
    hours: tuple[float, float]
    most: int = 1


CHANGES: tuple[ChangeScenario, ...] = (
    ChangeScenario(
        "server",
        20,
        "standard",
        "low",
        ("Monthly patches on {ci}", "Security patches, {ci} and its group", "Restart of {ci} after patches"),
        "The month's security updates.",
        "1. Take the server out of monitoring.\n2. Install the updates and restart.\n3. Check the services, end the quiet time.",
        "Remove the last update and restart.",
        (0.5, 2.5),
        most=6,
    ),
    ChangeScenario(
        "virtual_machine",
        24,
        "standard",
        "low",
        ("Monthly patches on {ci}", "More memory for {ci}", "New snapshot schedule for {ci}", "Move {ci} to another host"),
        "Asked for by the owner of the service, or due this month.",
        "1. Take a snapshot.\n2. Do the work in the window.\n3. Look at the service with its owner.",
        "Go back to the snapshot.",
        (0.3, 2.0),
        most=5,
    ),
    ChangeScenario(
        "network",
        14,
        "normal",
        "moderate",
        ("Firmware of {ci}", "New VLAN on {ci}", "Replace a line card in {ci}", "Quality of service for calls on {ci}"),
        "The maker has mended faults in this version; the old one is no longer looked after.",
        "1. Save the configuration.\n2. Load the new version on the standby half, switch over.\n3. Check the links of the floor.",
        "Switch back to the other half, load the saved configuration.",
        (0.5, 3.0),
        most=3,
    ),
    ChangeScenario(
        "database",
        12,
        "normal",
        "moderate",
        ("Minor version of {ci}", "New index on {ci}", "More space for {ci}", "Move {ci} to faster storage"),
        "Slow reports and a fault that the maker has mended.",
        "1. Back up, and read the backup.\n2. Do the work while the application is stopped.\n3. Run the application's smoke test.",
        "Restore the backup of the evening; the application stays stopped meanwhile.",
        (0.5, 4.0),
    ),
    ChangeScenario(
        "application",
        22,
        "normal",
        "moderate",
        (
            "Release {release} of {ci}",
            "Hotfix {release}.1 for {ci}",
            "Configuration of {ci} for the new tariff",
            "New certificate for {ci}",
        ),
        "What the business has asked for this quarter.",
        "1. Put up the maintenance page.\n2. Deploy, migrate the data.\n3. Smoke test with two users of the business.",
        "Deploy the version before and restore the data of the hour before.",
        (0.5, 3.5),
    ),
    ChangeScenario(
        "software",
        5,
        "standard",
        "low",
        ("New package of {ci}", "Settings of {ci} for everybody", "Licence file of {ci}"),
        "The maker's current version.",
        "1. Pilot group of twenty for two days.\n2. Everybody in three rings.\n3. Count the installations.",
        "Offer the package before again.",
        (1.0, 6.0),
    ),
    ChangeScenario(
        "storage",
        4,
        "normal",
        "high",
        ("Firmware of {ci}", "New shelf for {ci}", "Balance the pools of {ci}"),
        "Space runs out in the next quarter.",
        "1. Check the replicas.\n2. Work on one controller after the other.\n3. Watch the latency for an hour.",
        "Stay on the controller that was not touched and call the maker.",
        (1.0, 5.0),
    ),
    ChangeScenario(
        "other",
        3,
        "standard",
        "low",
        ("New cabling for {ci}", "Replace the display of {ci}"),
        "Asked for by the floor.",
        "Swap, test with a call.",
        "Put the old part back.",
        (0.5, 1.5),
    ),
)
BACKUP_AGENT = ChangeScenario(
    "software",
    0,
    "standard",
    "low",
    ("Update the VaultKeep agent to 7.4.2 on Windows 11",),
    "7.3.9 leaves support at the end of the year; 7.4.2 is faster on large folders.",
    "1. Pilot of twenty laptops.\n2. All laptops with Windows 11 in one evening, silent install.\n3. Count the agents that report 7.4.2.",
    "Offer 7.3.9 again by the software centre.",
    (3.0, 3.0),
)
REASONS_BACK = ("The rollback plan does not say who decides.", "Month end: not in this window.", "The owner of the service is not named.")
REASONS_CANCELLED = ("No longer needed.", "The maker has withdrawn the version.", "Done with another change.")
NOTES = {
    "successful": ("Done as planned.", "All checks green.", "No findings."),
    "with_issues": ("Took longer: one node had to be restarted twice.", "Monitoring was not silenced, three false alarms."),
    "backed_out": ("Smoke test failed, version before is back.", "Backed out at the end of the window."),
    "failed": ("The update did not install; nothing was changed.", "Stopped after step 2."),
}
