"""Trees of drafts: what is drafted in one call, and how much of it any lossless rule can accept."""
