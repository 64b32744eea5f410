"""What every operation of every resource is made of: the run, the session, the errors, and the steps."""
