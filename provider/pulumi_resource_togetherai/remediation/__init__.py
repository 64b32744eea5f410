"""What a remediation means as a Pulumi resource: its inputs, its identity and its lifecycle."""
