"""RollingRemediation, a component: the repair of many nodes, a few at a time."""
