"""Data quality of a run: active rules, row validation, the report and the verdict. No rule is defined here."""
