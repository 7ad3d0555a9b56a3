"""What others are told: the numbered feed of changes, and work that outlives its request."""
