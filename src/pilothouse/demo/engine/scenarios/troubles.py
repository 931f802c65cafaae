"""The troubles that problem records are about, in the order in which they began or nearly so."""

from pilothouse.demo.engine.scenarios import known_done as done
from pilothouse.demo.engine.scenarios import known_open as open_ones
from pilothouse.demo.engine.scenarios.known import Remedy, Trouble

TROUBLES: tuple[Trouble, ...] = (
    done.REPAIR_INVOICES,
    done.MANDATES,
    done.PRINT_CLIENT,
    done.PHOTOS,
    done.ADDIN,
    done.KEYBOARD,
    open_ones.SOFTPHONE,
    done.BLANK_PREVIEW,
    done.ADJUSTER_REPORTS,
    open_ones.SCANNER,
    open_ones.ABSENCES,
    open_ones.EXPORTS,
    open_ones.SHARED_FILES,
    open_ones.PHONE_PHOTOS,
    open_ones.LOGO,
    open_ones.ORDERS,
    open_ones.INTRANET_FORMS,
)

__all__ = ["TROUBLES", "Remedy", "Trouble"]
