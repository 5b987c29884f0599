"""What a run reads from outside: raw CSV files and score cards. No rule about what a valid row is."""
