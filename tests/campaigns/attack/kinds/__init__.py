"""One kind of attack a module; the listing of this folder is the registry."""
