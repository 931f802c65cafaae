"""Draw the estate: 3,000 CIs with attributes by class, and how they hang together."""

from collections.abc import Sequence
from random import Random
from typing import Any

from pilothouse.demo.engine.company import LEEDS, PORTO, SITES
from pilothouse.demo.engine.specs import CISpec, Person, RelationSpec, ServiceSpec, TeamSpec

CIS = 3000
# CIs that planted facts speak of.
REBOOTING_SERVER = "LDS-SRV-017"
WRONG_SERVER = "OPO-SRV-031"
RETIRED_SERVER = "LDS-SRV-044"
CORE_SWITCHES = ("LDS-CORE-A", "LDS-CORE-B", "OPO-CORE-A", "OPO-CORE-B", "SIN-CORE-A", "SIN-CORE-B")
VPN_CLIENT, VPN_CLIENT_BEFORE = "GateLink 5.1.3", "GateLink 5.1.2"
VPN_OS, VPN_OS_VERSION = "macOS", "14.2"
BACKUP_AGENT, BACKUP_AGENT_BEFORE = "VaultKeep 7.4.2", "VaultKeep 7.3.9"
BACKUP_OS, BACKUP_BUILD = "Windows 11", "26100"

_LAPTOPS = ("Latitude 5450", "Latitude 5440", "ThinkPad T14", "EliteBook 840")
_SERVERS, _VMS, _SWITCHES, _PRINTERS, _MOBILES, _ROOMS, _WORKSTATIONS = 170, 520, 224, 120, 260, 80, 1300
_WINDOWS = (("Windows Server 2022", "21H2"), ("Windows Server 2019", "1809"))
_LINUX = (("Red Hat Enterprise Linux", "8.10"), ("Red Hat Enterprise Linux", "9.4"), ("Ubuntu", "22.04"))
_ENGINES = (("PostgreSQL", "16.4", 5432), ("Oracle", "19.22", 1521), ("SQL Server", "2022", 1433))
_TIERS = (("", "production"), (" acceptance", "acceptance"), (" test", "test"))
# Services that are bought or are not an application of our own.
_NO_APPLICATION = frozenset({"network", "workplace", "printing", "hosting", "telephony", "internet-access", "file-shares"})
_SOFTWARE = (
    "GateLink client",
    "VaultKeep agent",
    "Office suite",
    "Outlook client",
    "Teams client",
    "Chrome",
    "Edge",
    "Acrobat Reader",
    "Endpoint protection",
    "Disk encryption",
    "Secure print client",
    "Softphone",
    "Password manager",
    "Screen reader",
    "Citrix receiver",
    "7-Zip",
    "Power BI Desktop",
    "R",
    "RStudio",
    "Python",
    "SAS client",
    "ActuModel client",
    "Polaris client",
    "ClaimTrack scanner",
    "Java runtime",
    "VLC",
    "PDF signer",
    "Remote assistance",
    "Inventory agent",
    "Patch agent",
    "SSH client",
    "SQL client",
    "Diagram tool",
    "Drawing tool",
    "Time sheet",
    "Dictation",
    "Translation memory",
    "Video player",
    "Font pack",
    "Keyboard layouts",
)

_Drawn = tuple[tuple[CISpec, ...], tuple[RelationSpec, ...], dict[int, int]]


class _Estate:
    def __init__(self, rng: Random, people: Sequence[Person], teams: Sequence[TeamSpec], services: Sequence[ServiceSpec]) -> None:
        self.rng, self.people, self.services = rng, people, services
        self.team = {team.key: position for position, team in enumerate(teams)}
        self.service = {service.key: position for position, service in enumerate(services)}
        self.cis: list[CISpec] = []
        self.relations: dict[tuple[int, str, int], None] = {}
        self.laptop_of: dict[int, int] = {}

    def add(self, ci: CISpec) -> int:
        self.cis.append(ci)
        return len(self.cis) - 1

    def relate(self, source: int, relation: str, target: int) -> None:
        if source != target:
            self.relations[source, relation, target] = None

    def serial(self) -> str:
        return "".join(self.rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(7))

    def ip(self, site: int, block: int) -> str:
        return f"10.{20 + 10 * site + block}.{self.rng.randrange(1, 32)}.{self.rng.randrange(2, 255)}"

    def data_centre(self) -> int:
        return LEEDS if self.rng.random() < 0.6 else PORTO


def draw_estate(rng: Random, people: Sequence[Person], teams: Sequence[TeamSpec], services: Sequence[ServiceSpec]) -> _Drawn:
    """Draw every CI and relation; laptops lie with the people who use them."""
    estate = _Estate(rng, people, teams, services)
    storage = _storage(estate)
    core, floors = _network(estate)
    servers = _servers(estate, core)
    machines = _machines(estate, servers, storage)
    databases = _databases(estate, machines, storage)
    _applications(estate, machines, databases)
    software = _software(estate)
    _workstations(estate, software, floors)
    _small_things(estate, floors)
    assert len(estate.cis) == CIS, len(estate.cis)
    return tuple(estate.cis), tuple(RelationSpec(*key) for key in estate.relations), estate.laptop_of


def _storage(e: _Estate) -> list[int]:
    made = []
    for n in range(20):
        site = LEEDS if n % 2 else PORTO
        attributes = {
            "vendor": "Stratus",
            "model": e.rng.choice(("S4", "S6")),
            "firmware": e.rng.choice(("6.2", "6.3")),
            "capacity_tb": e.rng.choice((80, 120, 240)),
        }
        made.append(
            e.add(
                CISpec(f"{SITES[site].code}-STO-{n + 1:02d}", "storage", attributes, site, e.team["storage"], e.service["file-shares"], 2)
            )
        )
    return made


def _network(e: _Estate) -> tuple[list[int], dict[int, list[int]]]:
    core, floors = [], {site: [] for site in range(len(SITES))}  # type: tuple[list[int], dict[int, list[int]]]
    network = e.service["network"]
    for name in CORE_SWITCHES:
        site = [s.code for s in SITES].index(name[:3])
        attributes = {"vendor": "Norrwave", "model": "C9500", "firmware": "17.9.4", "ip": e.ip(site, 9), "location": SITES[site].building}
        core.append(e.add(CISpec(name, "network", attributes, site, e.team["network"], network, 1)))
    for n in range(_SWITCHES):
        site = e.rng.choices(range(3), [s.share for s in SITES])[0]
        kind = "AP" if n % 3 == 0 else "SW"
        floor = e.rng.randrange(1, SITES[site].floors + 1)
        attributes = {
            "vendor": "Norrwave",
            "model": "W6" if kind == "AP" else "C9300",
            "firmware": e.rng.choice(("17.6.5", "17.9.4")),
            "ip": e.ip(site, 9),
            "location": f"floor {floor}",
        }
        position = e.add(
            CISpec(f"{SITES[site].code}-{kind}-{floor:02d}-{n + 1:03d}", "network", attributes, site, e.team["network"], network, 2)
        )
        floors[site].append(position)
        e.relate(position, "connects_to", core[site * 2 + n % 2])
    for n in range(0, 6, 2):
        e.relate(core[n], "connects_to", core[n + 1])
    return core, floors


def _servers(e: _Estate, core: Sequence[int]) -> list[int]:
    made = []
    for n in range(1, _SERVERS + 1):
        site, windows = e.data_centre(), e.rng.random() < 0.45
        planted = _PLANTED_SERVERS.get(n)
        if planted is not None:
            site, windows = planted[0], True
        name = f"{SITES[site].code}-SRV-{n:03d}"
        os, version = e.rng.choice(_WINDOWS if windows else _LINUX) if planted is None else _WINDOWS[planted[1]]
        attributes: dict[str, Any] = {
            "os": os,
            "os_version": version,
            "ip": e.ip(site, 1),
            "cpu_cores": e.rng.choice((16, 32, 64)),
            "memory_gb": e.rng.choice((128, 256, 512)),
            "location": f"{SITES[site].city} room {e.rng.choice('AB')}, rack {e.rng.randrange(1, 30)}",
            "serial": e.serial(),
        }
        status = planted[2] if planted is not None else ("maintenance" if e.rng.random() < 0.02 else "in_use")
        service = e.service[planted[3]] if planted is not None else e.service["hosting"]
        position = e.add(
            CISpec(name, "server", attributes, site, e.team["windows-servers" if windows else "linux-servers"], service, 2, status=status)
        )
        e.relate(position, "connects_to", core[site * 2 + n % 2])
        made.append(position)
    return made


# number -> site, Windows edition, status, service
_PLANTED_SERVERS: dict[int, tuple[int, int, str, str]] = {
    int(REBOOTING_SERVER[-3:]): (LEEDS, 1, "in_use", "document-generation"),
    int(WRONG_SERVER[-3:]): (PORTO, 1, "in_use", "file-transfer"),
    int(RETIRED_SERVER[-3:]): (LEEDS, 1, "retired", "broker-feeds"),
}


def _machines(e: _Estate, servers: Sequence[int], storage: Sequence[int]) -> list[int]:
    made = []
    hosts = [s for s in servers if e.cis[s].name not in (REBOOTING_SERVER, WRONG_SERVER, RETIRED_SERVER)]
    for n in range(1, _VMS + 1):
        host = e.rng.choice(hosts)
        site, windows = e.cis[host].site, e.rng.random() < 0.5
        os, version = e.rng.choice(_WINDOWS if windows else _LINUX)
        attributes = {
            "os": os,
            "os_version": version,
            "ip": e.ip(site, 2),
            "cpu_cores": e.rng.choice((2, 4, 8)),
            "memory_gb": e.rng.choice((8, 16, 32)),
            "hypervisor": e.cis[host].name,
        }
        environment = e.rng.choices(("production", "acceptance", "test", "development"), (60, 15, 15, 10))[0]
        service = e.rng.randrange(len(e.services))
        position = e.add(
            CISpec(
                f"{SITES[site].code}-VM-{n:04d}",
                "virtual_machine",
                attributes,
                site,
                e.team["windows-servers" if windows else "linux-servers"],
                service,
                3,
                environment,
            )
        )
        e.relate(position, "runs_on", host)
        e.relate(position, "stores_on", e.rng.choice(storage))
        made.append(position)
    return made


def _databases(e: _Estate, machines: Sequence[int], storage: Sequence[int]) -> dict[int, list[int]]:
    made: dict[int, list[int]] = {}
    owners = [i for i, service in enumerate(e.services) if service.key not in _NO_APPLICATION]
    for n in range(150):
        service = owners[n % len(owners)]
        engine, version, port = e.rng.choice(_ENGINES)
        environment = ("production", "production", "acceptance", "test")[n // len(owners) % 4]
        attributes = {"engine": engine, "version": version, "port": port, "size_gb": e.rng.choice((20, 60, 140, 400, 1200))}
        name = f"{_code(e.services[service])}-DB{n // len(owners) + 1:02d}"
        position = e.add(CISpec(name, "database", attributes, PORTO, e.team["database"], service, 2, environment))
        e.relate(position, "runs_on", e.rng.choice(machines))
        e.relate(position, "stores_on", e.rng.choice(storage))
        made.setdefault(service, []).append(position)
    return made


def _code(service: ServiceSpec) -> str:
    word = service.short if service.short[0].isupper() else service.key
    return word.upper().replace(" ", "-")


def _applications(e: _Estate, machines: Sequence[int], databases: dict[int, list[int]]) -> None:
    owners = [i for i, service in enumerate(e.services) if service.key not in _NO_APPLICATION]
    bus = 0
    for n in range(110):
        service, (suffix, environment) = owners[n % len(owners)], _TIERS[min(n // len(owners), 2)]
        spec = e.services[service]
        label = spec.short if spec.short[0].isupper() else spec.name
        extra = f" {n // len(owners) + 1}" if n // len(owners) > 2 else ""
        attributes = {
            "vendor": "Larkfield" if spec.criticality == 1 else e.rng.choice(("Norden Software", "Castell", "Brightledger")),
            "version": f"{e.rng.randrange(3, 12)}.{e.rng.randrange(10)}",
            "url": f"https://{spec.key}.demo.example",
        }
        position = e.add(
            CISpec(f"{label}{suffix}{extra}", "application", attributes, LEEDS, spec.team, service, spec.criticality, environment)
        )
        bus = position if spec.key == "message-bus" and environment == "production" else bus
        for machine in e.rng.sample(machines, e.rng.randrange(1, 5)):
            e.relate(position, "runs_on", machine)
        for database in databases[service][:2]:
            e.relate(position, "depends_on", database)
        if spec.key == "document-generation" and environment == "production":
            e.relate(position, "runs_on", next(i for i, ci in enumerate(e.cis) if ci.name == REBOOTING_SERVER))
    for position, ci in enumerate(e.cis):
        if ci.ci_class == "application" and ci.environment == "production" and ci.criticality <= 2:
            e.relate(position, "uses", bus)


def _software(e: _Estate) -> list[int]:
    workplace = e.service["workplace"]
    return [
        e.add(
            CISpec(
                name,
                "software",
                {
                    "vendor": e.rng.choice(("Norden Software", "Castell", "Ostara")),
                    "version": f"{e.rng.randrange(1, 25)}.{e.rng.randrange(10)}",
                },
                LEEDS,
                e.team["endpoint"],
                workplace,
                4,
            )
        )
        for name in _SOFTWARE
    ]


def _workstations(e: _Estate, software: Sequence[int], floors: dict[int, list[int]]) -> None:
    workplace, endpoint = e.service["workplace"], e.team["endpoint"]
    for n in range(_WORKSTATIONS):
        owner = n if n < len(e.people) else None
        site = e.people[n].site if owner is not None else e.rng.randrange(3)
        mac = e.rng.random() < 0.14 and owner is not None
        name = f"MAC-{20100 + n}" if mac else f"WS-{10100 + n}"
        attributes = _mac(e) if mac else _windows(e)
        attributes |= {"serial": e.serial(), "location": SITES[site].city}
        if owner is not None:
            attributes["user"] = e.people[owner].email
        status = "in_use" if owner is not None and e.people[owner].is_active else "planned"
        position = e.add(CISpec(name, "workstation", attributes, site, endpoint, workplace, 4, status=status, owner=owner))
        e.relate(position, "uses", software[0])
        e.relate(position, "uses", software[1])
        e.relate(position, "connects_to", e.rng.choice(floors[site]))
        if owner is not None:
            e.laptop_of[owner] = position


def _mac(e: _Estate) -> dict[str, Any]:
    version, build = e.rng.choices((("13.6", "22G120"), ("14.1", "23B74"), (VPN_OS_VERSION, "23C64")), (30, 30, 40))[0]
    return {
        "os": VPN_OS,
        "os_version": version,
        "os_build": build,
        "model": e.rng.choice(("MacBook Pro 14", "MacBook Air 13")),
        "vpn_client": VPN_CLIENT if e.rng.random() < 0.88 else VPN_CLIENT_BEFORE,
        "backup_agent": BACKUP_AGENT_BEFORE,
    }


def _windows(e: _Estate) -> dict[str, Any]:
    os, version, build = e.rng.choices(
        ((BACKUP_OS, "24H2", BACKUP_BUILD), (BACKUP_OS, "23H2", "22631"), ("Windows 10", "22H2", "19045")), (48, 27, 25)
    )[0]
    return {
        "os": os,
        "os_version": version,
        "os_build": build,
        "model": e.rng.choice(_LAPTOPS),
        "vpn_client": VPN_CLIENT if e.rng.random() < 0.9 else VPN_CLIENT_BEFORE,
        "backup_agent": BACKUP_AGENT if os == BACKUP_OS else BACKUP_AGENT_BEFORE,
    }


def _small_things(e: _Estate, floors: dict[int, list[int]]) -> None:
    for n in range(_PRINTERS):
        site = e.rng.choices(range(3), [s.share for s in SITES])[0]
        floor = e.rng.randrange(1, SITES[site].floors + 1)
        attributes = {
            "vendor": "Papyra",
            "model": e.rng.choice(("MX 450", "MX 620c")),
            "ip": e.ip(site, 8),
            "location": f"{SITES[site].building}, floor {floor}",
            "serial": e.serial(),
        }
        position = e.add(
            CISpec(f"{SITES[site].code}-PRN-{floor:02d}{n + 1:03d}", "printer", attributes, site, e.team["print"], e.service["printing"], 4)
        )
        e.relate(position, "connects_to", e.rng.choice(floors[site]))
    for n in range(_MOBILES):
        owner = e.rng.randrange(len(e.people))
        attributes = {
            "os": "iOS",
            "os_version": e.rng.choice(("17.5", "18.1")),
            "model": e.rng.choice(("iPhone 13", "iPhone 15")),
            "serial": e.serial(),
            "user": e.people[owner].email,
        }
        e.add(
            CISpec(
                f"MOB-{30100 + n}", "mobile", attributes, e.people[owner].site, e.team["endpoint"], e.service["workplace"], 4, owner=owner
            )
        )
    for n in range(_ROOMS):
        site = e.rng.randrange(3)
        e.add(
            CISpec(
                f"{SITES[site].code}-ROOM-{n + 1:02d}",
                "other",
                {"kind": "meeting room kit", "seats": e.rng.choice((4, 8, 14))},
                site,
                e.team[f"workplace-{SITES[site].city.lower()}"],
                e.service["chat"],
                4,
            )
        )
