"""What a review means, as rules: pure functions and values, no network and no clock."""
