"""What happened here, told to other programs as it happens: signed, in order, and again until they have it."""
