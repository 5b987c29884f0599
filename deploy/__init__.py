"""How it gets to AWS: packaging, CloudFormation, submitting, following, tearing down."""
