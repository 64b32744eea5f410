"""OpenTelemetry: what the provider reports about its work (`instruments`, `request`), and where to (`export`)."""
