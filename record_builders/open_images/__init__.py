"""What only Open Images has: a hierarchy of classes, tables too large for memory, and a public bucket of images."""
