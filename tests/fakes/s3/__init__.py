"""S3 by moto, and a proxy that injects faults in front of it. No S3 of our own."""
