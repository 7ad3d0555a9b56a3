"""How HTTP is spoken here: bodies, conditions, keys, paging, problems."""
