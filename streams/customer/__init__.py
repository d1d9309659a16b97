"""What is kept about one customer, and how records change it."""
