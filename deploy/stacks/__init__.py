"""The CloudFormation stacks: change sets, releases and grants. The templates are in `deploy/cloudformation`."""
