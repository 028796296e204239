"""ESC-50 and UrbanSound8K, alone and mixed (EnvMix)."""
