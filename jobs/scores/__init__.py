"""Customers measured, scored and put into segments: fitting a card, writing rfm, and its summary. No clusters."""
