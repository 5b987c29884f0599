"""The fake of CloudFormation: stacks and change sets. It creates no resource."""
