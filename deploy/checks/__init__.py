"""What `doctor` checks in an account: permissions, quotas and the native engine. Nothing here changes anything."""
