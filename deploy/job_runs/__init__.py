"""Job runs on Glue, EMR and Step Functions: arguments, submission, states, failures and logs. No stack changes here."""
