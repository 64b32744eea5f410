"""The steps that the operations on a review are made of."""
