"""After an alarm: where it comes from, the smallest problem that shows it, and which known defect it is."""
