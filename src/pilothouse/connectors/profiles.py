"""The profiles there are: one folder a system; to add one see docs/howto/add-a-connector.md."""

from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.generic.profile import GENERIC
from pilothouse.connectors.hp_service_manager.profile import HP_SERVICE_MANAGER
from pilothouse.connectors.jira.profile import JIRA_CSV
from pilothouse.connectors.servicenow.profile import SERVICENOW, SERVICENOW_LOG

PROFILES: dict[str, Profile] = {p.name: p for p in (SERVICENOW_LOG, SERVICENOW, HP_SERVICE_MANAGER, JIRA_CSV, GENERIC)}
