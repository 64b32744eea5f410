"""OpenTelemetry: what the provider tells of its work (`instruments`, `request`), and where that goes (`export`)."""
