"""What the aggregates mean: places on ladders, risk bands, and the decisions that announce them."""
