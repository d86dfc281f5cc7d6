"""Speed and memory of the derivatives, side by side with other ways of getting them."""
