"""The recurrence miner, pure: tickets as columns in, candidates with their evidence out.

    columns    what goes in: `Tickets`, `CIGraph`, `Changes`
    words      texts become words: ids, numbers and boilerplate learnt from the data go; names that recur are kept as facts
    vectors    words become short vectors in which words that keep the same company lie near
    families   what is the same trouble: small clusters, and the tree that joins them
    groups     the sets of tickets that are looked at: families, CIs, names in texts
    chance     exact tails, and false-discovery control over everything tested
    facets     what a group concentrates on beyond chance
    baseline   how many tickets a group would have on each day, had it only the rhythm of the whole
    rhythm     onset, bursts, trend, periods, hours and days
    causes     changes that precede an onset, held against chance; CIs upstream of all
    costs      what it costs, and will cost next quarter
    candidates the evidence of a group gathered, overlapping groups thinned, the rest ranked
    saying     how figures and names are said in plain words
    telling    a paragraph of plain words for each
    mine       all of it, in order

Beside it, for tickets as they arrive:

    atlas      which family a new ticket belongs to, by what a look has learnt
    evidence   tests that hold for shuffled tickets: does a stream's last tickets crowd, do its events keep to a period
    streams    which streams a ticket belongs to
    streaming  alarms, and the budget of false ones
    raising    when a candidate that was mined would have been raised so

Every test asks whether two things that could be independent are not (words and attributes, words and times, attributes and times),
so that data with times and attributes shuffled hold nothing. The same input gives the same output: nothing is drawn without a seed.
"""
