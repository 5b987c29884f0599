"""Job runs on Glue, EMR and Step Functions: arguments, submission, logs and waiting. No stack is changed here."""
