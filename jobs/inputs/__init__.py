"""What a run reads from outside: raw tables, mappings and score cards. No rule about what a valid row is."""
