"""What files of one format need, beyond what the library does for it."""
