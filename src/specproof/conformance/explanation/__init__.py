"""After an alarm: where it comes from, the smallest problem that shows it, and which known defect it is.

=================  =============================================================================
explain            what is said, in order
case               the alarm, and the time there is to look
cause              whether batches have to do with it, and what
failing_instance   the smallest problem that shows the fault, and what is drawn on it afresh
shrinking          from a failing problem to the smallest that still fails
simplification     simpler versions of a problem, a step each
diagnosis          which known defect explains the data
=================  =============================================================================
"""
