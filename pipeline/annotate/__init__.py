"""Statements to label: which ones, and with what probability they were chosen."""
