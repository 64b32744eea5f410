"""What the review of a proposed remediation means as a Pulumi resource: its inputs and its lifecycle."""
