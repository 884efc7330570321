"""What a check does, in order; :mod:`~specproof.conformance.stages.whole_check` is that order on one page.

===================  ===============================================================================
first_calls          one to three trials of every problem; those that the function refuses are left out
repeated_calls       the same inputs with the same generator, and with many others
few_trials           batches of one, two, three and some more
rounds               every problem alone and mixed with others, in doubling rounds until an alarm
degenerate           degenerate problems
beside_degenerate    ordinary rows in one batch with degenerate ones
declared_loss        how far a rule that is declared to be lossy is from the target
explanation_of_alarm why the first alarm was given
conclusion           the verdict, what is noted, and what could have been detected
===================  ===============================================================================

What they share is in ``state`` (the check so far) and ``alarms`` (from evidence to findings).
"""
