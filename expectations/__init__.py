"""What good data is: contracts, their rules, the validation of rows, the gate. No reading or writing."""
