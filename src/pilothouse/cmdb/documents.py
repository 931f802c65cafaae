"""What search reads of a CI and a service."""

from pilothouse.platform import search

search.register(search.Source(kind="ci", title="name", body="attributes"))
search.register(search.Source(kind="service", title="name", body="description"))
