"""Larkfield Insurance, which does not exist: its sites, resolver groups and services."""

from dataclasses import dataclass

COMPANY = "Larkfield Insurance"
DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Site:
    """An office: its code in device names, its zone, how many of a thousand people work there, its floors."""

    code: str
    city: str
    zone: str
    share: int
    floors: int
    building: str


SITES = (
    Site("LDS", "Leeds", "Europe/London", 520, 9, "Aire House"),
    Site("OPO", "Porto", "Europe/Lisbon", 300, 5, "Boavista"),
    Site("SIN", "Singapore", "Asia/Singapore", 180, 3, "Anson Road"),
)
LEEDS, PORTO, SINGAPORE = range(3)

# key, name, site, size, what it does
TEAMS: tuple[tuple[str, str, int, int, str], ...] = (
    ("service-desk-leeds", "Service desk Leeds", LEEDS, 14, "First contact for Leeds and for everybody by phone from 07:00 to 15:00 UTC."),
    ("service-desk-porto", "Service desk Porto", PORTO, 9, "First contact for Porto; covers the evening."),
    ("service-desk-singapore", "Service desk Singapore", SINGAPORE, 7, "First contact for Singapore; covers the night."),
    ("workplace-leeds", "Workplace Leeds", LEEDS, 8, "Laptops, screens, meeting rooms and hands on site in Leeds."),
    ("workplace-porto", "Workplace Porto", PORTO, 6, "Laptops, screens, meeting rooms and hands on site in Porto."),
    ("workplace-singapore", "Workplace Singapore", SINGAPORE, 4, "Laptops, screens, meeting rooms and hands on site in Singapore."),
    ("network", "Network", LEEDS, 8, "LAN, WAN, wireless, VPN."),
    ("network-security", "Network security", LEEDS, 5, "Firewalls, proxies, certificates."),
    ("windows-servers", "Windows servers", LEEDS, 7, "Windows servers and their patching."),
    ("linux-servers", "Linux servers", PORTO, 7, "Linux servers and their patching."),
    ("virtualisation", "Virtualisation", PORTO, 5, "Hypervisors and virtual desktops."),
    ("storage", "Storage", PORTO, 5, "Arrays, file shares, quotas."),
    ("backup", "Backup", LEEDS, 5, "Server backup, restores, the backup agent's server side."),
    ("database", "Database", PORTO, 7, "PostgreSQL, Oracle and SQL Server databases."),
    ("identity", "Identity", LEEDS, 7, "Accounts, sign-in, multi-factor, joiners and leavers."),
    ("messaging", "Messaging", PORTO, 5, "Mail, calendars, chat, shared mailboxes."),
    ("telephony", "Telephony", LEEDS, 4, "Phones, headsets, the contact centre."),
    ("print", "Print", LEEDS, 4, "Printers and secure print."),
    ("endpoint", "Endpoint", LEEDS, 7, "Client builds, updates, packaging, client agents."),
    ("policy-apps", "Policy applications", LEEDS, 8, "Polaris and everything that writes policies."),
    ("claims-apps", "Claims applications", LEEDS, 8, "ClaimTrack, loss adjuster and repair network links."),
    ("broker-portal", "Broker portal", LEEDS, 6, "QuoteLine and the broker feeds."),
    ("customer-portal", "Customer portal", PORTO, 6, "MyLarkfield on the web and on phones."),
    ("billing", "Billing", PORTO, 6, "PayRun: premiums, direct debits, refunds, commissions."),
    ("integration", "Integration", PORTO, 6, "The message bus, file transfers and interfaces between applications."),
    ("batch", "Batch operations", SINGAPORE, 6, "The nightly schedule and its restarts."),
    ("data", "Data and reports", PORTO, 7, "Warehouse, Prism reports, regulatory extracts."),
    ("actuarial", "Actuarial platforms", LEEDS, 4, "ActuModel and its compute grid."),
    ("corporate-apps", "Corporate applications", LEEDS, 6, "Ledgerwise, PeopleHub, procurement, intranet."),
    ("security-operations", "Security operations", LEEDS, 5, "Security events and investigations. Its tickets are restricted."),
)
RESTRICTED = frozenset({"security-operations"})

# key, name, what people call it, owner team, criticality, what it is
SERVICES: tuple[tuple[str, str, str, str, int, str], ...] = (
    ("policy-administration", "Policy administration", "Polaris", "policy-apps", 1, "Quotes, policies, endorsements and renewals."),
    ("underwriting-workbench", "Underwriting workbench", "the workbench", "policy-apps", 2, "Referrals and pricing for underwriters."),
    ("rating-engine", "Rating engine", "the rating engine", "policy-apps", 1, "Prices a risk in under a second."),
    ("claims", "Claims handling", "ClaimTrack", "claims-apps", 1, "From first notice of loss to settlement."),
    ("repair-network", "Repair network link", "RepairNet", "claims-apps", 3, "Jobs and invoices of approved repairers."),
    ("loss-adjusters", "Loss adjuster exchange", "AdjustX", "claims-apps", 3, "Reports from loss adjusters."),
    ("broker-quotes", "Broker quotes", "QuoteLine", "broker-portal", 1, "Quotes and documents for 900 brokers."),
    ("broker-feeds", "Broker statement feeds", "the broker feed", "broker-portal", 3, "Monthly statements to brokers."),
    ("customer-portal", "Customer portal", "MyLarkfield", "customer-portal", 1, "Policies and claims for customers, on the web."),
    ("customer-app", "Customer mobile app", "the mobile app", "customer-portal", 2, "The same on phones."),
    ("payments", "Payments and premiums", "PayRun", "billing", 1, "Direct debits, cards, refunds."),
    ("commissions", "Commission statements", "Commission", "billing", 3, "What brokers earn."),
    ("document-generation", "Document generation", "Scribe", "policy-apps", 2, "Letters, schedules and certificates."),
    ("document-archive", "Document archive", "the archive", "storage", 2, "Ten years of documents."),
    ("message-bus", "Message bus", "the bus", "integration", 1, "Carries events between applications."),
    ("file-transfer", "File transfer", "the transfer gateway", "integration", 2, "Files to and from partners."),
    ("nightly-batch", "Nightly batch", "the batch", "batch", 1, "340 jobs between 20:00 and 05:00."),
    ("reporting", "Reports and dashboards", "Prism", "data", 2, "Management and operational reports."),
    ("data-warehouse", "Data warehouse", "the warehouse", "data", 2, "The insurer's history in one place."),
    ("regulatory-reporting", "Regulatory reporting", "the regulator extract", "data", 2, "Quarterly returns."),
    ("actuarial-modelling", "Actuarial modelling", "ActuModel", "actuarial", 3, "Reserves, capital and pricing models."),
    ("finance", "Finance ledger", "Ledgerwise", "corporate-apps", 2, "General ledger, payables, month end."),
    ("hr", "People and payroll", "PeopleHub", "corporate-apps", 2, "Absences, payroll, joiners and leavers."),
    ("procurement", "Procurement", "Buyline", "corporate-apps", 4, "Orders and suppliers."),
    ("intranet", "Intranet", "the intranet", "corporate-apps", 4, "News, forms, policies."),
    ("identity", "Sign-in and accounts", "sign-in", "identity", 1, "Accounts, passwords, multi-factor sign-in."),
    ("privileged-access", "Privileged access", "the vault", "identity", 2, "Administrator accounts and their sessions."),
    ("email", "E-mail and calendar", "Outlook", "messaging", 1, "Mailboxes, calendars, distribution lists."),
    ("chat", "Chat and meetings", "Teams", "messaging", 2, "Chat, calls and meetings."),
    ("telephony", "Telephony", "the phones", "telephony", 2, "Desk phones, headsets, hunt groups."),
    ("contact-centre", "Contact centre", "Switchboard", "telephony", 1, "Queues and recordings for 180 handlers."),
    ("remote-access", "Remote access", "GateLink", "network", 1, "VPN from home and from hotels."),
    ("network", "Office network", "the network", "network", 1, "LAN, wireless, links between sites."),
    ("internet-access", "Internet access", "the proxy", "network-security", 2, "Browsing, filtering, certificates."),
    ("workplace", "Workplace devices", "the laptop", "endpoint", 2, "Laptops, screens, docks, client software."),
    ("virtual-desktop", "Virtual desktop", "the virtual desktop", "virtualisation", 2, "Desktops for partners and contractors."),
    ("printing", "Printing", "secure print", "print", 3, "Follow-me printing on every floor."),
    ("file-shares", "File shares", "the shared drive", "storage", 2, "Team folders."),
    ("backup", "Backup and restore", "VaultKeep", "backup", 2, "Servers every night, laptops when they are online."),
    ("hosting", "Server hosting", "the servers", "windows-servers", 2, "Servers, virtual machines, patching."),
)

# Job titles of people who raise tickets, with their weight.
JOBS: tuple[tuple[str, int], ...] = (
    ("Claims handler", 26),
    ("Senior claims handler", 9),
    ("Underwriter", 13),
    ("Underwriting assistant", 9),
    ("Customer adviser", 22),
    ("Policy administrator", 12),
    ("Broker relations", 5),
    ("Actuary", 4),
    ("Financial accountant", 6),
    ("Payments clerk", 4),
    ("HR adviser", 3),
    ("Compliance officer", 3),
    ("Marketing specialist", 3),
    ("Team leader, claims", 4),
    ("Team leader, customer service", 4),
    ("Business analyst", 4),
    ("Internal auditor", 1),
    ("Director", 1),
)
