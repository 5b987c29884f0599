"""Where runs are stored and files are read: local disk and S3 behind one interface, `Folder`. No content of a table."""
