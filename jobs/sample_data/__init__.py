"""The shape of the Olist data set, from which `jobs.sample` draws rows. No row of the data set itself."""
