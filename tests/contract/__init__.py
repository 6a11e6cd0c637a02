"""What holds for every operation of `/api/v1/`, those included that are yet to be written."""
