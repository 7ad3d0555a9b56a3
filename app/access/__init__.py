"""Who may do what: scopes, keys, and the trace of what was done."""
