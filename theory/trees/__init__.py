"""Trees of drafts: what is drafted in one call, and how much of it a lossless rule accepts.

====================  ==================================================================================================
``draft_trees``       the law of the tree that is drafted
``drawn_trees``       how trees are drafted, and every tree that may come of it
``branches``          one drafted tree, with the order and the repetition of its drafts
``shapes``            the tree of so many nodes that is accepted most
``rules``             the published rules for drafted trees, and the exact law of a call by each
``block_optimum``     the most that any lossless rule accepts of it, by a linear program with a proof
``layers``            the layer lift, which makes a rule for one position a rule for trees
``layer_tree``        the shape of a tree whose siblings are independent drafts
``priority_layers``   the layer lift of the priority coupling for given drafts, at any vocabulary size
``layer_step``        its one step at a node
``layer_efficiency``  its expected accepted length, exactly
====================  ==================================================================================================
"""
