"""The journey of a request: which hops it took and what each decided."""
