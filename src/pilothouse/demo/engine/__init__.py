"""The demo organisation, pure: people, teams, services, CIs and the lives of tickets, drawn from a seed.

Everything comes from `random.Random` instances that are seeded with texts made of the seed, so that the same seed, size and
end give the same data on every machine. References between records are positions in the organisation's tuples.
"""
