"""What a check found, and how that is shown: one :class:`Report`, and a file for each form of it.

===========  ===============================================
finding      verdicts, detectors, and one thing that is wrong
report       the whole result, whatever it is shown as
text         in full for the terminal, in short for a test
plain        plain values for JSON
terminal     printing either
===========  ===============================================
"""
