"""The CloudFormation stacks: change sets, releases and grants. No templates: those are in `deploy/cloudformation`."""
