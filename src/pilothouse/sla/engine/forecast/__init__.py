"""The breach forecast: from what is known of a ticket at a moment, the probability that it misses its resolution target; pure.

    History            what happened to tickets, as columns: one row an event, carrying what held from then on (history.py)
      -> Moments       instants in the lives of tickets: opening, updates, fixed shares of the target, or now (moments.py)
      -> features      what was known at each moment, and nothing later (features.py, queueing.py, rates.py)
      -> Model         gradient-boosted trees and a calibration curve, as plain numbers (trees.py, model.py, training.py)
      -> report        how well it does on tickets that it has not seen, beside the plain 75 % rule (report.py)

Only training.py needs scikit-learn, and imports it when it is called; judging is numpy.
"""
