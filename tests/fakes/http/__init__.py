"""The protocol layer: HTTP, AWS's protocols over botocore's models, and injected faults. No service lives here."""
