"""The morning review, pure: which span it looks back on, what is usual for such a span, in which order one acts."""
