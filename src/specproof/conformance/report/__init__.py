"""What a check found, and how that is shown: one :class:`Report`, and a file for each form of it.

============  ========================================================
finding       verdicts, detectors, and one thing that is wrong
check_result  the whole result, whatever it is shown as
text          in full for the terminal, in short for a test
plain         plain values for JSON
report        the result as its user holds it, which knows these forms
terminal      printing either
============  ========================================================
"""
