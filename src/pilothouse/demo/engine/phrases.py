"""What people say while a ticket is worked on, whatever it is about."""

PROGRESS: tuple[str, ...] = (
    "We are looking into it and will come back to you today.",
    "Thank you for your report. A colleague is working on it.",
    "Could reproduce it here, we are on it.",
    "We have asked the supplier.",
    "A fix is being tested, please be patient.",
    "Please try again now.",
)
CHASING: tuple[str, ...] = (
    "Any news?",
    "Hello? It is still not working.",
    "Is anybody working on this?",
    "Still waiting... my manager asks.",
    "Any update on this please",
    "When can I expect this?",
)
CONFIRMED: tuple[str, ...] = (
    "Works, thank you!",
    "Thanks, all good now.",
    "Perfect, thx",
    "Yes it works. Please close.",
    "Great, thank you for the quick help.",
    "ok now",
)
REOPENED: tuple[str, ...] = (
    "Still the same as before.",
    "It came back this morning.",
    "Not solved, same error again.",
    "Worked for an hour, then again.",
    "Sorry but this is not fixed!",
    "Only half of it works.",
)
WITHDRAWN: tuple[str, ...] = (
    "Works again, please cancel.",
    "Opened by mistake.",
    "Not needed any more.",
    "Double, sorry.",
    "Solved itself after restart.",
)
HANDOVER: tuple[str, ...] = (
    "I am off from tomorrow, {name} takes over.",
    "Handover, shift ends.",
    "{name} knows this better.",
    "Back to {name}, had it before.",
)
RAISE: tuple[str, ...] = (
    "Six more people on the same floor.",
    "Customer facing, raised.",
    "Raised after a call from the manager.",
    "Deadline today.",
)
NOTES: tuple[str, ...] = (
    "Called the user, no answer.",
    "Called, left a message.",
    "Remote session at the user's desk.",
    "Nothing in the logs so far.",
    "Asked a colleague for a second look.",
    "Compared with a working device.",
    "Logs collected.",
    "Found the same in an older ticket.",
    "Waiting for a slot with the user.",
    "Tested, cannot see it right now.",
)
VENDOR: tuple[str, ...] = (
    "Case {case} open with the supplier.",
    "Part ordered, {case}.",
    "Supplier case {case}, answer promised within two days.",
    "Sent logs to the supplier, {case}.",
)
CHANGE: tuple[str, ...] = ("Needs change CHG00{case}, next window at the week-end.", "Fix goes in with CHG00{case}.")
PROBLEM: tuple[str, ...] = ("Same as several others, waits for the problem record.", "Waiting for the root cause.")
TRIAGE: tuple[str, ...] = (
    "",
    "",
    "",
    "Please have a look, thanks.",
    "Tried the usual, no luck.",
    "User is important, please be quick.",
    "See description.",
    "First checks done, see above.",
)
PASSING: tuple[str, ...] = (
    "Not ours, please check.",
    "This belongs to you I think.",
    "Nothing wrong on our side. Passing on.",
    "Wrong queue?",
    "See description, please take over.",
    "We only run the platform, this is the application.",
    "Tested ok here, back to you.",
    "As discussed by phone.",
    "Please route correctly.",
)
BOUNCING: tuple[str, ...] = (
    "Nothing on the bus. Back to you.",
    "Not an interface problem, please check the sender.",
    "Back to queue - no message id given.",
    "Interface is green. Please analyse on your side first.",
    "Not integration.",
    "No error in our log, returning.",
    "Wrong team. Back.",
)
AGAIN: tuple[str, ...] = (
    "Message left our side at {time}, log attached. Please look again.",
    "It IS the interface: see the queue depth.",
    "Sending it back, sender shows status delivered.",
    "Message id {policy}. Please check again.",
    "We checked, nothing on our side.",
)
GREETINGS: tuple[str, ...] = (
    "Hi team,",
    "Hi,",
    "Hello,",
    "Dear Service Desk,",
    "hi all",
    "Good morning,",
    "Hello IT,",
    "Hey,",
    "Hi there,",
    "Dear all,",
    "Good afternoon",
)
CLOSINGS: tuple[str, ...] = (
    "Thanks",
    "Many thanks,",
    "Thank you!",
    "Kind regards,",
    "Please help asap.",
    "Can someone look into this please?",
    "Thanks in advance",
    "Please call me, I am at my desk until five.",
    "Best,",
    "Regards",
    "This is really urgent, thank you.",
    "Thx",
)
HASTE: tuple[str, ...] = ("URGENT!!", "URGENT:", "Urgent -", "ASAP:", "Pls help!", "!!!", "2nd request:", "FW:", "RE:", "[EXTERNAL]")
EXTRAS: tuple[str, ...] = (
    "It worked yesterday.",
    "I have restarted already.",
    "Others have it too.",
    "Nothing was changed on my side.",
    "I attach a screenshot.",
    "This is the third time this month!",
    "See my other ticket.",
    "I am in a meeting until three.",
    "My number is {phone}.",
    "Sent from my phone",
    "Customer is waiting.",
    "We have the month end.",
    "I asked {colleague}, same there.",
    "No idea what else to try.",
    "I can work around it for now.",
    "I sit on floor {floor} in {site}.",
    "Started at {time}.",
    "It started {day} I think.",
    "{colleague} had something like it last month.",
    "Best time to reach me is after {time}.",
    "Please write to me, I cannot take calls at the counter.",
    "If it helps, I am at {ip}.",
    "My team leader is {colleague}.",
    "I need it before {time}.",
    "My device is {ci}.",
    "Tried another browser, same thing.",
    "At home it works, in the office not.",
    "Colleagues on floor {floor} say the same.",
    "Last time {colleague} from your team helped me.",
    "We are only three people today.",
    "I have a call with a broker at {time}.",
    "It is the same as with policy {policy} last week.",
    "Is this a known problem?",
    "Sorry to bother you again.",
    "Happy to show it on a screen share.",
)
MAJOR_UPDATES: tuple[str, ...] = (
    "We are working on it with everybody we have. Next word in half an hour.",
    "The cause is not known yet. The supplier is on the bridge.",
    "We have a lead and test it now.",
    "A fix is being prepared.",
    "Part of the users is back.",
)
