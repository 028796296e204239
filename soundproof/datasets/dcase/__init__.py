"""DCASE Challenge Task 2, 2020 to 2025: anomalous sound of machines."""
