"""The fakes of EMR: EMR Serverless and EMR on EC2. No script runs."""
