"""The function under test, which strangers wrote: it is believed nothing, and may do anything.

===================  ========================================================================
loading              finding it by ``MODULE:FUNCTION`` or by the path of its file
sampler_under_test   calling it on copies of its inputs, with a time limit
calling              the thread that makes the calls, and what is printed meanwhile
surroundings         what it may leave changed around it
isolation            the whole check in a process of its own
failures             the ways in which it fails a call
===================  ========================================================================
"""
