"""Services that stand in for AWS in tests: real HTTP, real SQL, real clustering, on this machine alone."""
