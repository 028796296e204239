"""ToyADMOS: miniature cars, conveyors and trains, damaged on purpose."""
