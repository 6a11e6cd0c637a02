"""The demo: two organizations with people and phones, and the reference page's story played."""
