"""What the emitted tokens say against the exact laws, and what they could not have said.

================  ==================================================================================
e_processes       evidence that may be looked at after every draw
detectable_bias   how large a bias is, and how large one must be to be seen
distance          confidence bounds on how far the law of draws is from another
sampling          samples of a subject on problems
watch             all evidence on one problem
known_laws        bets on the laws of known defects, all problems together
small_batches     the same in batches of one, two, three and some more
dependence        whether the trials of a batch depend on each other
streams           where the randomness comes from: calls with the same generator, and with others
================  ==================================================================================
"""
