"""Trees of drafts: what is drafted in one call, and how much of it a lossless rule accepts.

=================  =====================================================================================================
``draft_trees``    the law of the tree that is drafted
``block_optimum``  the most that any lossless rule accepts of it, by a linear program with a proof
``layers``         the layer lift, which makes a rule for one position a rule for trees
=================  =====================================================================================================
"""
