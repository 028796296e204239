"""FeatEx: an embedding of two views of a sound, learned by telling machines and exchanged features apart."""
