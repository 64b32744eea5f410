"""`togetherai-check CLUSTER --describe`: how an API speaks, as far as reading can tell. Bug reports get it attached, so
it holds nothing of anybody: no ids, names or texts."""
