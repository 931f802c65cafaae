"""The only writers of problems and of what the miner found."""
