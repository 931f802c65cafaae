"""Business time: from a schedule's definition in JSON to exact arithmetic with working hours; pure.

    reading = read_definition(data)           # reading: JSON -> Definition, or what is wrong with it and how to put it right
    hours = compile_versions([(None, definition), (effective_from, newer)], 2015, 2040, others={7: hours_of_schedule_7})
    hours.elapsed(start, end)                 # open_hours: whole seconds since 1970 in UTC, half-open
    hours.add(start, seconds)                 # None: never opens that long; negative seconds count back
    hours.next_open(at), hours.is_open(at)
    hours.elapsed_many(starts, ends), hours.add_many(starts, seconds), ...   # numpy int64; -1 where the scalar answers None
    always()                                  # round the clock
    business_day(hours, start, 1, 16 * 3600)  # "next business day 16:00", the wall clock of hours.zone
    explain_add(hours, start, seconds), explain_elapsed(hours, start, end)   # the steps in words and numbers

Laws, held by property tests for every zone: elapsed(a, c) = elapsed(a, b) + elapsed(b, c); elapsed(s, add(s, d)) = d; both
grow with their arguments; many = scalar = counting second by second. What local time means over changes of the clock is said
in `zones`, what a definition may hold in `reading`, in which order its parts count in `compiling`.
"""

from pilothouse.sla.engine.business_time.compiling import Version, business_day, closings, compile_definition, compile_versions, open_day
from pilothouse.sla.engine.business_time.definition import Combination, Definition, Exceptional, HolidayCalendar, OwnDay
from pilothouse.sla.engine.business_time.explaining import Explanation, Step, explain_add, explain_elapsed
from pilothouse.sla.engine.business_time.open_hours import NEVER, OpenHours, all_of, always, any_of, followed_by, never
from pilothouse.sla.engine.business_time.reading import Reading, read_definition, read_hours, write_definition
from pilothouse.sla.engine.business_time.year import Day, year_of
from pilothouse.sla.engine.problem import Problem

__all__ = [
    "NEVER",
    "Combination",
    "Day",
    "Definition",
    "Exceptional",
    "Explanation",
    "HolidayCalendar",
    "OpenHours",
    "OwnDay",
    "Problem",
    "Reading",
    "Step",
    "Version",
    "all_of",
    "always",
    "any_of",
    "business_day",
    "closings",
    "compile_definition",
    "compile_versions",
    "explain_add",
    "explain_elapsed",
    "followed_by",
    "never",
    "open_day",
    "read_definition",
    "read_hours",
    "write_definition",
    "year_of",
]
