"""The shapes of Olist's data set and of a ledger, from which `jobs.sample` draws rows. No row of real data is here."""
