"""The only writers of changes: each opens, plans or moves the ticket that a change is, and journals its detail with it."""
