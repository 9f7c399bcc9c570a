"""Images: size and format from their bytes, pixels, conversion, masks, and pictures with boxes on them."""
